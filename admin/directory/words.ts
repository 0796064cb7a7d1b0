import { FOLDER_NAME } from '../../src/groups/agent-groups.ts';

/** What names and ids of people may look like. Pure; each problem is a sentence. */

const LONGEST_NAME = 64;
export const CHANNEL_TYPE = /^[a-z0-9][a-z0-9-]{0,31}$/;

/** As it is kept: composed, without blanks around it. */
export function cleanName(name: string): string {
  return name.normalize('NFC').trim();
}

/** Of what people call a chat or somebody: quotes and emoji are fine, what hides or turns other text is not. */
export function titleProblem(given: string | undefined): string | undefined {
  if (given === undefined) return undefined;
  const name = cleanName(given);
  if (name === '' || [...name].length > LONGEST_NAME) return `A name has 1 to ${LONGEST_NAME} characters.`;
  // The joiners of emoji and of some scripts stay.
  const visible = name.replaceAll(/[\u200c\u200d]/g, '');
  if (/[\p{C}\p{Zl}\p{Zp}]/u.test(visible)) {
    return 'A name has no line breaks, no control characters and no marks that turn the direction of writing.';
  }
  return /[\p{L}\p{N}\p{P}\p{S}]/u.test(visible) ? undefined : 'A name has something in it that can be seen.';
}

export function folderProblem(folder: string): string | undefined {
  return FOLDER_NAME.test(folder)
    ? undefined
    : 'A folder below groups/ has 1 to 64 letters, digits, dashes and underscores, and begins with a letter or digit.';
}

/** A folder's name out of a name in any script. */
export function folderFor(name: string): string {
  const folder = name
    .normalize('NFKD')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 60);
  return folder === '' ? 'agent' : folder;
}

/** How a destination is called, where nobody has said it. */
export function destinationFor(name: string): string {
  const word = cleanName(name)
    .toLowerCase()
    .replace(/[^\p{L}\p{M}\p{N}]+/gu, '-')
    .replace(/^[-\p{M}]+|-+$/gu, '');
  const short = [...word].slice(0, 32).join('');
  return short === '' ? 'chat' : short;
}

export function destinationProblem(name: string): string | undefined {
  return /^[\p{L}\p{N}][\p{L}\p{M}\p{N}_.-]{0,63}$/u.test(name)
    ? undefined
    : 'A destination has 1 to 64 letters, digits, dashes, dots and underscores, and begins with a letter or digit.';
}

/** The first of `name`, `name-2`, `name-3`, … that is free. */
export function freeName(name: string, isTaken: (name: string) => boolean): string {
  let free = name;
  for (let count = 2; isTaken(free); count += 1) free = `${name}-${count}`;
  return free;
}

/** Of an id on a platform: a chat's, or the handle of a user. */
export function platformIdProblem(id: string): string | undefined {
  return /^[^\s\p{C}]{1,200}$/u.test(id)
    ? undefined
    : "A platform's id has 1 to 200 characters, without blanks and control characters.";
}

export function channelProblem(channelType: string): string | undefined {
  return CHANNEL_TYPE.test(channelType)
    ? undefined
    : "A channel's name has 1 to 32 small letters, digits and dashes, such as telegram.";
}

export function userIdProblem(id: string): string | undefined {
  const colon = id.indexOf(':');
  const fits =
    CHANNEL_TYPE.test(id.slice(0, Math.max(0, colon))) && platformIdProblem(id.slice(colon + 1)) === undefined;
  return fits ? undefined : "A user's id is <channel>:<handle>, such as telegram:123456.";
}

import { NanoError } from '../../src/errors.ts';

/** How a word is written so that each reader takes it as it is. Line breaks and other controls, no path needs. */

// biome-ignore lint/suspicious/noControlCharactersInRegex: those are what is looked for
const CONTROL = /[\u0000-\u001f\u007f]/;

/** Throws NC_SERVICE: a file that is read by lines can't hold it. */
export function requireOneLine(word: string): string {
  if (CONTROL.test(word))
    throw new NanoError('NC_SERVICE', `A path holds a control character: ${JSON.stringify(word)}.`);
  return word;
}

/** A value that systemd takes to the end of the line: only its specifiers (`%h`) are a danger. */
export function systemdText(text: string): string {
  return requireOneLine(text).replaceAll('%', '%%');
}

/** A word in double quotes, as in `Environment=`. */
export function systemdWord(word: string): string {
  return `"${systemdText(word).replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
}

/** A word of a command line, where `$` would name a variable. */
export function systemdArgument(word: string): string {
  return systemdWord(word).replaceAll('$', '$$$$');
}

export function xmlText(text: string): string {
  return requireOneLine(text)
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&apos;');
}

export function shellWord(word: string): string {
  return `'${requireOneLine(word).replaceAll("'", `'\\''`)}'`;
}

/** A command in a crontab, where `%` would begin its input. */
export function crontabText(command: string): string {
  return command.replaceAll('%', '\\%');
}

import { NanoError } from '../../src/errors.ts';
import { readKey, type Scheme } from './signature.ts';

/** The programs that may send events, out of an account's settings. */

export interface Source {
  name: string;
  scheme: Scheme;
  /** Any of them may have signed: two while one is changed for another. */
  keys: readonly Buffer[];
  answer?: AnswerTo;
}

export interface AnswerTo {
  url: URL;
  key: Buffer;
  /** Also at an address on this machine or in a private network, and without TLS there. */
  isPrivate: boolean;
}

type Settings = Readonly<Record<string, string>>;

const NAME = /^[a-z0-9][a-z0-9-]{0,63}$/;

/** Throws NC_CHANNEL with the setting that is wrong, without anything of a secret. */
export function readSources(settings: Settings): ReadonlyMap<string, Source> {
  const names = words(settings.SOURCES ?? 'events');
  if (names.length === 0) fail('SOURCES names none.');
  const sources = new Map<string, Source>();
  const usedBy = new Map<string, string>();
  for (const [index, name] of names.entries()) {
    if (!NAME.test(name)) fail(`SOURCES: ${name} is not made of small letters, digits and dashes.`);
    if (sources.has(name)) fail(`SOURCES names ${name} twice.`);
    const suffix = `_${name.toUpperCase().replaceAll('-', '_')}`;
    // Plain names are the first one's: a secret that two shared would let each speak for the other.
    const of = (setting: string) => settings[`${setting}${suffix}`] ?? (index === 0 ? settings[setting] : undefined);
    const source = readSource(name, of, index === 0 ? '' : suffix);
    for (const key of source.keys) {
      const text = key.toString('base64');
      const other = usedBy.get(text);
      if (other !== undefined && other !== name) fail(`${name} and ${other} have the same secret.`);
      usedBy.set(text, name);
    }
    sources.set(name, source);
  }
  return sources;
}

function readSource(name: string, of: (setting: string) => string | undefined, suffix: string): Source {
  const scheme = of('SIGNATURE') ?? 'standard';
  if (scheme !== 'standard' && scheme !== 'github') {
    return fail(`SIGNATURE${suffix} is neither standard nor github.`);
  }
  const keys = words(of('SECRET') ?? '').map((secret) => keyOf(secret, scheme, `SECRET${suffix}`));
  if (keys.length === 0) fail(`SECRET${suffix} is missing: the source ${name} has no secret.`);
  const answer = readAnswer(of, suffix);
  if (answer && keys.some((key) => key.equals(answer.key))) {
    fail(`ANSWER_SECRET${suffix} is the same as SECRET${suffix}: an answer could be sent back as an event.`);
  }
  return { name, scheme, keys, ...(answer && { answer }) };
}

function readAnswer(of: (setting: string) => string | undefined, suffix: string): AnswerTo | undefined {
  const given = of('ANSWER_URL');
  if (given === undefined || given === '') return undefined;
  const isPrivate = of('ANSWER_PRIVATE') === 'yes';
  const url = URL.parse(given) ?? fail(`ANSWER_URL${suffix} is not a URL.`);
  if (url.username !== '' || url.password !== '') fail(`ANSWER_URL${suffix} has a name or a password in it.`);
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && isPrivate)) {
    fail(`ANSWER_URL${suffix} does not begin with https://.`);
  }
  const secret = of('ANSWER_SECRET') ?? fail(`ANSWER_SECRET${suffix} is missing: answers are signed.`);
  return { url, isPrivate, key: keyOf(secret, 'standard', `ANSWER_SECRET${suffix}`) };
}

function keyOf(secret: string, scheme: Scheme, setting: string): Buffer {
  const key = readKey(secret, scheme);
  return 'problem' in key ? fail(`${setting} ${key.problem}.`) : key;
}

function words(text: string): string[] {
  return text.split(/\s+/).filter((word) => word !== '');
}

function fail(detail: string): never {
  throw new NanoError('NC_CHANNEL', detail);
}

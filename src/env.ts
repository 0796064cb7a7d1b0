import { readFileSync, statSync } from 'node:fs';
import { errorText, NanoError } from './errors.ts';

export interface EnvProblem {
  /** Counted from 1. */
  line: number;
  /** What is wrong, without anything of the line: it may hold a secret. */
  text: string;
}

const MAX_BYTES = 1024 * 1024;
const ASSIGNMENT = /^(?:export[ \t]+)?([^=]*?)[ \t]*=[ \t]*(.*)$/;
const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;
const DOUBLE_QUOTED = /^"((?:[^"\\]|\\.)*)"(.*)$/;
const SINGLE_QUOTED = /^'([^']*)'(.*)$/;
const ESCAPES: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t' };

/**
 * Reads `NAME=value` lines. `#` begins a comment at the start of a line or after a blank; `'…'` is literal; `"…"` knows
 * \n \r \t and takes any other escaped character as itself. Nothing is expanded. A name set to nothing counts as not set.
 */
export function parseEnv(text: string): { values: Record<string, string>; problems: EnvProblem[] } {
  const values = new Map<string, string>();
  const firstLines = new Map<string, number>();
  const problems: EnvProblem[] = [];
  for (const [index, raw] of text
    .replace(/^\uFEFF/, '')
    .split(/\r\n|\n|\r/)
    .entries()) {
    const line = raw.trim();
    if (line === '' || line.startsWith('#')) continue;
    const problem = readLine(line, index + 1);
    if (problem) problems.push({ line: index + 1, text: problem });
  }
  return { values: Object.fromEntries(values), problems };

  function readLine(line: string, number: number): string | undefined {
    const assignment = ASSIGNMENT.exec(line);
    if (!assignment) return 'it has no "="';
    const [, name = '', written = ''] = assignment;
    if (!NAME.test(name)) return 'what stands before "=" is not a name';
    const value = readValue(written);
    if (value === undefined) return 'its quotes do not match';
    if (hasControl(value)) return 'it holds a control character';
    const first = firstLines.get(name);
    if (first !== undefined) return `it sets the same name as line ${first}`;
    firstLines.set(name, number);
    if (value !== '') values.set(name, value);
    return undefined;
  }
}

function readValue(written: string): string | undefined {
  const quote = written[0];
  if (quote !== '"' && quote !== "'") return written.replace(/(^|[ \t]+)#.*$/, '');
  const match = (quote === '"' ? DOUBLE_QUOTED : SINGLE_QUOTED).exec(written);
  if (!match || !/^([ \t]+#.*|[ \t]*)$/.test(match[2] ?? '')) return undefined;
  const inner = match[1] ?? '';
  return quote === "'" ? inner : inner.replace(/\\(.)/g, (_, escaped: string) => ESCAPES[escaped] ?? escaped);
}

function hasControl(value: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
  return /[\0-\x08\x0b\x0c\x0e-\x1f\x7f]/.test(value);
}

/**
 * Reads a `.env` file; `process.env` stays as it is, so nothing leaks into child processes. A missing file is an empty
 * one. `warn` gets a sentence when other users may read it. Throws NC_ENV_INVALID with the line's number, never its
 * content.
 */
export function readEnvFile(path: string, warn?: (sentence: string) => void): Record<string, string> {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (!stats) return {};
  if (!stats.isFile()) throw new NanoError('NC_ENV_INVALID', `${path} is not a file.`);
  if (stats.size > MAX_BYTES) throw new NanoError('NC_ENV_INVALID', `${path} is larger than 1 MB.`);
  const { values, problems } = parseEnv(readText(path));
  const [first] = problems;
  if (first) {
    const more = problems.length > 1 ? ` ${problems.length - 1} more of its lines can't be read either.` : '';
    throw new NanoError('NC_ENV_INVALID', `${path}, line ${first.line}: ${first.text}.${more}`);
  }
  if ((stats.mode & 0o077) !== 0) warn?.(`Other users may read ${path}: run \`chmod 600 ${path}\`.`);
  return values;
}

/** Many an editor empties a file before it writes it: what became less counts when it has stayed so for this long. */
const SETTLE_MS = 200;

/** `age` in ms since it was written to. Never throws: what can't be looked at can't be read either, and that says why. */
function lookAt(path: string): { mark: string; size: number; age: number } {
  try {
    const none = { ino: 0, size: 0, mtimeMs: Number.POSITIVE_INFINITY };
    const { ino, size, mtimeMs } = statSync(path, { throwIfNoEntry: false }) ?? none;
    return { mark: `${ino}:${size}:${mtimeMs}`, size, age: Math.max(0, Date.now() - mtimeMs) };
  } catch (error) {
    return { mark: errorText(error), size: Number.POSITIVE_INFINITY, age: 0 };
  }
}

/**
 * `base` with `.env` laid over it, read again when the file is another one: a key that is put right works at once. Throws
 * NC_ENV_INVALID at the first read; later, what can't be read is told once, and what was read before stays.
 */
export function createLiveEnv(path: string, base: NodeJS.ProcessEnv, warn: (sentence: string) => void) {
  let { mark, size } = lookAt(path);
  let env: NodeJS.ProcessEnv = { ...base, ...readEnvFile(path, warn) };
  let smaller = { mark, since: 0 };
  return (): NodeJS.ProcessEnv => {
    const fresh = lookAt(path);
    if (fresh.mark === mark) return env;
    if (fresh.size < size) {
      if (smaller.mark !== fresh.mark) smaller = { mark: fresh.mark, since: performance.now() - fresh.age };
      if (performance.now() - smaller.since < SETTLE_MS) return env;
    }
    mark = fresh.mark;
    try {
      env = { ...base, ...readEnvFile(path, warn) };
      size = fresh.size;
    } catch (error) {
      warn(errorText(error));
    }
    return env;
  };
}

function readText(path: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(path));
  } catch (error) {
    const reason = error instanceof TypeError ? 'it is not UTF-8 text' : errorText(error);
    throw new NanoError('NC_ENV_INVALID', `${path}: ${reason}.`);
  }
}

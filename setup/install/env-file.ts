import {
  closeSync,
  fchmodSync,
  fchownSync,
  fsyncSync,
  openSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  type Stats,
  statSync,
  writeSync,
} from 'node:fs';
import { parseEnv } from '../../src/env.ts';
import type { EnvChange } from './credential.ts';

const OWNER_ALONE = 0o600;

/**
 * Sets or takes away lines of a `.env` file and keeps all others as they are. Whole or not at all; its owner stays. Readable
 * by its owner alone, unless what is set is no secret and its mode may stay. Returns false, and writes nothing, when the
 * file says so already.
 */
export function changeEnvFile(path: string, change: EnvChange, options: { keepMode?: boolean } = {}): boolean {
  const known = statSync(path, { throwIfNoEntry: false });
  // A link goes on being one.
  const file = known ? realpathSync(path) : path;
  const before = known ? readFileSync(file, 'utf8') : '';
  const { values } = parseEnv(before);
  if (Object.entries(change).every(([name, value]) => values[name] === value)) return false;
  const mode = options.keepMode && known ? known.mode & 0o777 : OWNER_ALONE;
  replaceFile(file, withChange(before, change), mode, known);
  return true;
}

function withChange(before: string, change: EnvChange): string {
  const end = before.includes('\r\n') ? '\r\n' : '\n';
  const open = new Map(Object.entries(change));
  const lines = before.split(/\r?\n/).flatMap((line) => {
    const name = nameOf(line);
    if (!Object.hasOwn(change, name)) return [line];
    const value = open.get(name);
    open.delete(name);
    return value === undefined ? [] : [`${name}=${quote(value)}${remarkOf(line)}`];
  });
  while (lines.at(-1)?.trim() === '') lines.pop();
  const added = [...open].flatMap(([name, value]) => (value === undefined ? [] : [`${name}=${quote(value)}`]));
  return [...lines, ...added, ''].join(end);
}

function nameOf(line: string): string {
  return /^\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=/.exec(line)?.[1] ?? '';
}

/** Behind a value, as it is read: quoted, or up to the first `#` after a blank. */
function remarkOf(line: string): string {
  return /=\s*(?:"(?:[^"\\]|\\.)*"|'[^']*'|(?!["']).*?)([ \t]+#.*)$/.exec(line)?.[1] ?? '';
}

function quote(value: string): string {
  return /^[\w./:@+=-]+$/.test(value) ? value : `"${value.replaceAll(/["\\]/g, '\\$&')}"`;
}

function replaceFile(path: string, text: string, mode: number, known: Stats | undefined): void {
  const next = `${path}.${process.pid}.new`;
  try {
    const descriptor = openSync(next, 'wx', OWNER_ALONE);
    try {
      // Root writes the file of whoever the checkout belongs to.
      if (known && (known.uid !== process.getuid?.() || known.gid !== process.getgid?.())) {
        fchownSync(descriptor, known.uid, known.gid);
      }
      // The mode above is subject to the umask only downwards; this one is exact.
      fchmodSync(descriptor, mode);
      writeSync(descriptor, text);
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
    renameSync(next, path);
  } finally {
    rmSync(next, { force: true });
  }
}

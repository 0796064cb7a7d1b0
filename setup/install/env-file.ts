import {
  closeSync,
  existsSync,
  fchmodSync,
  fsyncSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { parseEnv } from '../../src/env.ts';
import type { EnvChange } from './credential.ts';

/**
 * Sets or takes away lines of a `.env` file and keeps all others as they are. Whole or not at all, readable by its owner
 * alone. Returns false, and writes nothing, when the file says so already.
 */
export function changeEnvFile(path: string, change: EnvChange): boolean {
  const before = existsSync(path) ? readFileSync(path, 'utf8') : '';
  const { values } = parseEnv(before);
  if (Object.entries(change).every(([name, value]) => values[name] === value)) return false;
  const kept = before.split('\n').filter((line) => !Object.hasOwn(change, nameOf(line)));
  while (kept.at(-1)?.trim() === '') kept.pop();
  const added = Object.entries(change).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}=${quote(value)}`],
  );
  replaceFile(path, `${[...kept, ...added].join('\n')}\n`);
  return true;
}

function nameOf(line: string): string {
  return /^\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=/.exec(line)?.[1] ?? '';
}

function quote(value: string): string {
  return /^[\w./:@+=-]+$/.test(value) ? value : `"${value.replaceAll(/["\\]/g, '\\$&')}"`;
}

function replaceFile(path: string, text: string): void {
  const next = `${path}.${process.pid}.new`;
  try {
    const descriptor = openSync(next, 'wx', 0o600);
    // The mode above is subject to the umask only downwards; this one is exact.
    fchmodSync(descriptor, 0o600);
    writeSync(descriptor, text);
    fsyncSync(descriptor);
    closeSync(descriptor);
    renameSync(next, path);
  } finally {
    rmSync(next, { force: true });
  }
}

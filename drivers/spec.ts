/** What no driver starts, whatever it would make of it. Pure. */
import type { SandboxSpec } from '../src/sandbox/driver.ts';
import { refuseMounts } from './mounts.ts';

export const MiB = 1024 * 1024;
export const OPEN_FILES = 4096;

/** Why this spec can't be started, or null. */
export function refuseSpec(spec: SandboxSpec): string | null {
  if (!/^(?!\.)[\w.-]{1,128}$/.test(spec.sessionId)) return `not a session id: ${JSON.stringify(spec.sessionId)}`;
  if (!spec.command[0]?.startsWith('/')) return 'the command is not an absolute path';
  const words = [
    ...spec.command,
    ...Object.entries(spec.env).flat(),
    ...spec.mounts.flatMap((m) => [m.source, m.target]),
  ];
  // Arguments travel separated by NUL: one inside a value would smuggle in an argument of its own.
  if (words.some((word) => word.includes('\0'))) return 'a NUL byte in an argument';
  if (Object.keys(spec.env).some((name) => name === '' || name.includes('='))) return 'not the name of a variable';
  return refuseMounts(spec.mounts);
}

/**
 * The tmpfs inside, in bytes. Their pages count against the memory limit and outlive a process that is killed for it, so
 * they get a small part of it.
 */
export function tmpfsSizes(memoryBytes: number) {
  return {
    tmp: Math.floor(Math.min(memoryBytes / 8, 512 * MiB)),
    home: Math.floor(Math.min(memoryBytes / 16, 128 * MiB)),
    shm: Math.floor(Math.min(memoryBytes / 32, 64 * MiB)),
  };
}

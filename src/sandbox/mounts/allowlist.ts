import { closeSync, constants, fstatSync, openSync, readFileSync, realpathSync, type Stats, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join, normalize } from 'node:path';
import { z } from 'zod';
import { errorText } from '../../errors.ts';

/** The owner's list of folders that agents may be given: a file outside of the project, out of every agent's reach. */

const MAX_BYTES = 1024 ** 2;

const path = z
  .string()
  .transform((given) => normalize(given.replace(/^~(?=\/|$)/, homedir())).replace(/(?<=.)\/+$/, ''))
  .refine((given) => given.startsWith('/') && !given.includes('\0'), 'a path begins with / or ~');
const AllowedRoot = z.strictObject({
  path,
  allowReadWrite: z.boolean().default(false),
  description: z.string().optional(),
});
export type AllowedRoot = z.infer<typeof AllowedRoot>;

// Strict: what is misspelt would otherwise block nothing.
const File = z.strictObject({
  allowedRoots: z.array(AllowedRoot).max(1_000),
  /** Names beside the built-in ones. */
  blockedPatterns: z
    .array(z.string().regex(/^[^/\0]{1,100}$/, 'a name, without /'))
    .max(1_000)
    .default([]),
});

export type Allowlist = { file: string } & (
  | ({ state: 'read' } & z.infer<typeof File>)
  | { state: 'missing' }
  /** `sentence` goes on from “it can not be used: ”. */
  | { state: 'unusable'; sentence: string; remedy: string }
);

export function allowlistFile(env: Readonly<Record<string, string | undefined>> = process.env): string {
  return env.NANOCLAW_MOUNT_ALLOWLIST || join(homedir(), '.config/nanoclaw/mount-allowlist.json');
}

/** Read at every use: what the owner takes out of it is out at once. Whatever is wrong with it allows nothing. */
export function readAllowlist(file: string): Allowlist {
  try {
    const real = realpathSync(file);
    return { file, ...readSafely(real) };
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'ENOENT' || code === 'ENOTDIR') return { file, state: 'missing' };
    return { file, state: 'unusable', sentence: 'it can not be read', remedy: `${file}: ${errorText(error)}.` };
  }
}

function readSafely(real: string) {
  const fd = openSync(real, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const stat = fstatSync(fd);
    if (!stat.isFile() || stat.size > MAX_BYTES)
      return unusable('it is no file, or far too large', `Look at ${real}, and write it anew.`);
    return (
      refuseWriters(real, stat, 0) ?? refuseWriters(dirname(real), statSync(dirname(real)), 0o1000) ?? parse(fd, real)
    );
  } finally {
    closeSync(fd);
  }
}

/** Whoever else may write it would decide what agents see. `excused`: a bit of the mode under which that does no harm. */
function refuseWriters(of: string, { uid, mode }: Stats, excused: number) {
  const own = process.getuid?.() ?? 0;
  if (uid !== own && uid !== 0)
    return unusable("it, or its folder, belongs to another user than the host's", `Run: chown ${own} ${of}`);
  if ((mode & 0o022) !== 0 && (mode & excused) === 0)
    return unusable('others may write it, or its folder', `Run: chmod go-w ${of}`);
  return undefined;
}

function parse(fd: number, real: string) {
  let json: unknown;
  try {
    json = JSON.parse(readFileSync(fd, 'utf8'));
  } catch (error) {
    return unusable('it is no JSON', `Correct ${real}: ${errorText(error)}.`);
  }
  const read = File.safeParse(json);
  if (read.success) return { state: 'read' as const, ...read.data };
  const [issue] = read.error.issues;
  const where = issue?.path.join('.') || 'the file';
  return unusable('it is not written as it should be', `Correct ${real}: ${where}: ${issue?.message}.`);
}

function unusable(sentence: string, remedy: string) {
  return { state: 'unusable' as const, sentence, remedy };
}

import { execFile } from 'node:child_process';
import { lstat, readdir } from 'node:fs/promises';
import { join, relative } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import type { Logger } from '../../src/log/index.ts';
import { dropTree } from '../../src/mailbox/drop-outbox.ts';
import type { Paths } from '../../src/paths.ts';
import { chooseBackups, chooseToGo, type Kind, type Limits, type Sized } from './limits.ts';
import type { Gone } from './rows.ts';

/** Files that only collect. Each folder here belongs to the host; what is in one may come from an agent. */

interface Entry extends Sized {
  folder: string;
  name: string;
}

export interface FilesParts {
  db: DatabaseSync;
  paths: Paths;
  limits: Limits;
  /** ms since the epoch. */
  now: number;
  dryRun: boolean;
  signal: AbortSignal;
  log: Logger;
}

export async function tidyFiles(parts: FilesParts): Promise<Gone[]> {
  const { db, paths, limits, now, dryRun, signal, log } = parts;
  const openMessage = db.prepare("SELECT 1 FROM messages WHERE id = ? AND status IN ('pending', 'paused')");
  const sessions = await Promise.all(
    (await namesIn(paths.sessions)).map((agent) => subfolders(join(paths.sessions, agent))),
  );
  const inEach = (name: string) => sessions.flat().map((folder) => join(folder, name));
  const places: readonly [Kind, readonly string[]][] = [
    ['attachments', [...inEach('inbound/inbox'), join(paths.data, 'received')]],
    ['conversations', inEach('box/conversations')],
    ['quarantine', inEach('quarantine')],
    ['logs', [join(paths.logs, 'sessions')]],
    ['backups', [paths.backups]],
  ];
  const all: Gone[] = [];
  for (const [kind, folders] of places) {
    const found: Entry[][] = [];
    for (const folder of folders) if (await isFolder(folder)) found.push(await entriesOf(folder, kind));
    signal.throwIfAborted();
    const choose = kind === 'backups' ? chooseBackups : chooseToGo;
    const gone = { kind, count: 0, bytes: 0 };
    for (const { folder, name, bytes } of choose(found.flat(), limits[kind], now)) {
      signal.throwIfAborted();
      if (kind === 'attachments' && openMessage.get(name)) continue;
      try {
        if (!dryRun) await dropTree(paths.root, relative(paths.root, folder).split('/'), name);
        gone.count += 1;
        gone.bytes += bytes;
      } catch (error) {
        log.warn('housekeeping could not remove it', { path: join(folder, name), error });
      }
    }
    all.push(gone);
  }
  return all;
}

/** Not what an agent has put in its place. */
async function isFolder(path: string): Promise<boolean> {
  const found = await lstat(path).catch(() => undefined);
  return found?.isDirectory() ?? false;
}

async function entriesOf(folder: string, kind: Kind): Promise<Entry[]> {
  const names = await namesIn(folder);
  // Files alone, where nobody else than the agent's runner puts any.
  const isFlat = kind === 'conversations';
  const sizes = names.length > 0 && !isFlat ? await folderSizes(folder) : new Map<string, number>();
  const entries: Entry[] = [];
  for (const name of names) {
    const found = await lstat(join(folder, name)).catch(() => undefined);
    // The time of the inode's last change: an agent can set the other one as it likes.
    if (found) entries.push({ folder, name, bytes: sizes.get(name) ?? found.size, at: found.ctimeMs });
  }
  return entries;
}

/** By the system's own program: no link is followed, no tree is too deep. What this user may not look into counts nothing. */
function folderSizes(folder: string): Promise<Map<string, number>> {
  return new Promise((resolve) => {
    execFile('du', ['-k', '-d', '1', '.'], { cwd: folder, maxBuffer: 64 * 1024 ** 2 }, (_error, stdout) => {
      const lines = stdout.matchAll(/^(\d+)\t\.\/(.+)$/gm);
      resolve(new Map(Array.from(lines, ([, kilobytes, name = '']) => [name, Number(kilobytes) * 1024])));
    });
  });
}

async function subfolders(folder: string): Promise<string[]> {
  return (await namesIn(folder)).map((name) => join(folder, name));
}

/** Nothing, where there is no such folder. */
async function namesIn(folder: string): Promise<string[]> {
  return readdir(folder).catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR')) return [];
    throw error;
  });
}

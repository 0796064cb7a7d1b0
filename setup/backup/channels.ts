import { chmodSync, closeSync, copyFileSync, existsSync, mkdirSync, openSync, readdirSync, readSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { backup, DatabaseSync } from 'node:sqlite';
import { PROPOSED } from '../../src/channels/settings.ts';
import { errorText, NanoError } from '../../src/errors.ts';
import type { Paths } from '../../src/paths.ts';
import { readable } from './database.ts';

/** What channels keep beside the central database: files, small databases of their own, and settings with credentials. */

const FOLDER = 'data/channels';
const SETTINGS = /^[^/]+\.env$/;
/** Being written or tried, or left behind by a crash in that: settings, but not yet an account's. */
const UNFINISHED = new RegExp(`^([^/]+\\.env\\.new|${PROPOSED.replace('.', '\\.')}/.*)$`);
const ALL_PAGES = 2 ** 31 - 1;
const HEADER = 'SQLite format 3\0';
/** Of the adapter's own: other files there may come from anybody, and look like one. */
const DATABASE = /^[^/]+\/[^/]+\.db$/;

export interface ChannelFiles {
  /** Below the root, as they are packed. */
  files: string[];
  /** The same; never packed as they lie there, since their adapters write to them. */
  databases: string[];
}

export function channelFiles({ channels }: Paths, withSecrets: boolean): ChannelFiles {
  const all = regularFiles(channels).filter((name) => !UNFINISHED.test(name) && (withSecrets || !SETTINGS.test(name)));
  const databases = all.filter((name) => isDatabase(channels, name));
  const journals = new Set(databases.flatMap((name) => ['-wal', '-shm', '-journal'].map((end) => name + end)));
  const files = all.filter((name) => !databases.includes(name) && !journals.has(name));
  const named = (names: readonly string[]) => names.map((name) => `${FOLDER}/${name}`);
  return { files: named(files), databases: named(databases) };
}

/** By SQLite's own way to copy beside others that write: each as of one moment, and one file. */
export async function copyDatabases(root: string, databases: readonly string[], staging: string): Promise<void> {
  for (const name of databases) {
    const to = join(staging, name);
    mkdirSync(dirname(to), { recursive: true });
    const source = readable(join(root, name), join(staging, 'source'), (file) => {
      const db = new DatabaseSync(file, { readOnly: true, timeout: 5000 });
      // It is read only now.
      db.prepare('SELECT count(*) FROM sqlite_schema').get();
      return db;
    });
    try {
      // All pages in one step: a step for each part would begin anew whenever its adapter writes.
      await backup(source, to, { rate: ALL_PAGES });
    } finally {
      source.close();
    }
    const copy = new DatabaseSync(to);
    copy.exec('PRAGMA journal_mode = DELETE');
    copy.close();
  }
}

/** Throws NC_BACKUP. */
export function checkChannels(folder: string): void {
  const channels = join(folder, FOLDER);
  for (const name of regularFiles(channels).filter((one) => isDatabase(channels, one))) {
    const db = new DatabaseSync(join(channels, name), { readOnly: true });
    try {
      const found = db.prepare('PRAGMA integrity_check(1)').get()?.integrity_check;
      if (found !== 'ok') throw new NanoError('NC_BACKUP', `${FOLDER}/${name} is damaged: ${found}.`);
    } catch (error) {
      throw error instanceof NanoError ? error : new NanoError('NC_BACKUP', `${FOLDER}/${name}: ${errorText(error)}.`);
    } finally {
      db.close();
    }
  }
}

/** Makes what was unpacked the host's alone. Where a backup has no credentials, those that are there stay. */
export function readyChannels({ channels }: Paths, unpacked: string, secrets: boolean): void {
  const folder = join(unpacked, FOLDER);
  if (!existsSync(folder)) return;
  chmodSync(folder, 0o700);
  const settingsIn = (place: string) => regularFiles(place).filter((name) => SETTINGS.test(name));
  for (const name of secrets ? [] : settingsIn(channels)) copyFileSync(join(channels, name), join(folder, name));
  for (const name of settingsIn(folder)) chmodSync(join(folder, name), 0o600);
}

function regularFiles(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1));
}

function isDatabase(folder: string, name: string): boolean {
  if (!DATABASE.test(name)) return false;
  const descriptor = openSync(join(folder, name), 'r');
  try {
    const start = Buffer.alloc(HEADER.length);
    return readSync(descriptor, start) === start.length && start.toString('latin1') === HEADER;
  } finally {
    closeSync(descriptor);
  }
}

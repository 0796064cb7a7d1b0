import { execFile } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { z } from 'zod';
import { migrations } from '../../src/db/migrations/index.ts';
import { errorText, NanoError } from '../../src/errors.ts';
import { FOLDER_NAME } from '../../src/groups/agent-groups.ts';
import { installSlug } from '../../src/install-slug.ts';
import type { Paths } from '../../src/paths.ts';
import { pack, unpack } from './archive.ts';
import { checkRoom } from './room.ts';

/** Everything that can't be made again, in one file; in the process of `ncl`, beside a host that goes on. */

const Manifest = z.object({
  format: z.literal(1),
  slug: z.string(),
  /** ISO-8601 UTC. */
  createdAt: z.string(),
  secrets: z.boolean(),
  rows: z.record(z.string(), z.number()),
});
export type Manifest = z.infer<typeof Manifest>;

export interface Backup {
  file: string;
  bytes: number;
  manifest: Manifest;
  /** Pipes and the like, which an agent may have made. */
  leftOut: number;
  /** Files that changed while they were read, or can't be. */
  unsure: number;
}

const MB = 1024 ** 2;
const OF_SESSION = ['claude', 'home', 'inbound/inbox', 'box/outbox'];

/** Throws NC_BACKUP, NC_DISK_FULL, NC_NOT_FOUND and what the file system says; then there is no new file. */
export async function backup(paths: Paths, file: string, withSecrets: boolean): Promise<Backup> {
  if (existsSync(file)) throw new NanoError('NC_BACKUP', `${file} is there already.`);
  if (!existsSync(paths.db)) throw new NanoError('NC_NOT_FOUND', `There is no ${paths.db}.`);
  mkdirSync(paths.backups, { recursive: true, mode: 0o700 });
  const staging = mkdtempSync(join(paths.backups, '.making-'));
  // As unique as that: another backup to the same name has its own.
  const part = `${file}.${basename(staging).slice('.making-'.length)}.part`;
  try {
    mkdirSync(join(staging, 'data'));
    mkdirSync(join(staging, 'unpacked'));
    const list = join(staging, 'list');
    writeFileSync(list, treesOf(paths).join('\0'));
    const database = sizeOf(paths.db) + sizeOf(`${paths.db}-wal`);
    const bytes = (await diskUse(paths.root, list)) + database;
    // The file itself, a copy of the database, and all of it unpacked once more.
    await checkRoom([
      { folder: dirname(file), bytes },
      { folder: staging, bytes: database + bytes },
    ]);
    const secrets = withSecrets && existsSync(paths.env);
    const rows = copyDatabase(paths.db, join(staging, 'data/v2.db'));
    const slug = installSlug(paths.root);
    const manifest: Manifest = { format: 1, slug, createdAt: new Date().toISOString(), secrets, rows };
    writeFileSync(join(staging, 'manifest.json'), JSON.stringify(manifest));
    if (secrets) copyFileSync(paths.env, join(staging, '.env'));
    const own = ['manifest.json', 'data/v2.db', ...(secrets ? ['.env'] : [])];
    const { bytes: written, unsure } = await pack(
      part,
      { staging, own, home: paths.root, list },
      bytes * 1.5 + 256 * MB,
    );
    const { leftOut } = await unpackChecked(part, join(staging, 'unpacked'));
    if (existsSync(file)) throw new NanoError('NC_BACKUP', `${file} is there by now: another backup was quicker.`);
    renameSync(part, file);
    return { file, bytes: written, manifest, leftOut, unsure };
  } finally {
    rmSync(part, { force: true });
    await removeTree(staging);
  }
}

/** Unpacks a backup into an empty folder and looks at all that is in it. Throws NC_BACKUP, NC_DB_NEWER. */
export async function unpackChecked(file: string, folder: string): Promise<{ manifest: Manifest; leftOut: number }> {
  const leftOut = await unpack(file, folder);
  const parsed = Manifest.safeParse(JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8')));
  if (!parsed.success) throw new NanoError('NC_BACKUP', 'What it says of itself can not be read.');
  const rows = checkDatabase(join(folder, 'data/v2.db'));
  if (JSON.stringify(rows) !== JSON.stringify(parsed.data.rows)) throw new NanoError('NC_BACKUP', 'Rows are missing.');
  return { manifest: parsed.data, leftOut };
}

/** A consistent copy beside a host that writes; returns its rows. Its lease stays behind. */
function copyDatabase(from: string, to: string): Record<string, number> {
  const source = new DatabaseSync(from, { readOnly: true, timeout: 5000 });
  try {
    source.prepare('VACUUM INTO ?').run(to);
  } finally {
    source.close();
  }
  const copy = new DatabaseSync(to);
  copy.exec('DELETE FROM hosts');
  copy.close();
  return checkDatabase(to);
}

/** Rows of each table. Throws NC_BACKUP, NC_DB_NEWER. */
function checkDatabase(file: string): Record<string, number> {
  const db = new DatabaseSync(file, { readOnly: true });
  try {
    const found = db.prepare('PRAGMA integrity_check(1)').get()?.integrity_check;
    const orphan = db.prepare('PRAGMA foreign_key_check').get()?.table;
    if (found !== 'ok' || orphan !== undefined) {
      throw new NanoError('NC_BACKUP', `Its database is damaged: ${orphan ?? found}.`);
    }
    const known = new Set<unknown>(migrations.map(({ name }) => name));
    if (
      db
        .prepare('SELECT name FROM schema_version')
        .all()
        .some(({ name }) => !known.has(name))
    ) {
      throw new NanoError('NC_DB_NEWER');
    }
    const tables = db.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name").all();
    const count = (table: unknown) => Number(db.prepare(`SELECT count(*) AS n FROM "${table}"`).get()?.n);
    return Object.fromEntries(tables.map(({ name }) => [String(name), count(name)]));
  } catch (error) {
    throw error instanceof NanoError ? error : new NanoError('NC_BACKUP', `Its database: ${errorText(error)}.`);
  } finally {
    db.close();
  }
}

/** What agents and people have put there, below the root. The folders above belong to the host. */
function treesOf({ root, groups, sessions }: Paths): string[] {
  const foldersIn = (folder: string) =>
    existsSync(folder)
      ? readdirSync(folder, { withFileTypes: true }).filter(
          (entry) => entry.isDirectory() && FOLDER_NAME.test(entry.name),
        )
      : [];
  const ofSessions = foldersIn(sessions).flatMap((agent) =>
    foldersIn(join(sessions, agent.name)).flatMap(({ name }) =>
      OF_SESSION.map((part) => `data/v2-sessions/${agent.name}/${name}/${part}`),
    ),
  );
  const all = [...foldersIn(groups).map(({ name }) => `groups/${name}`), ...ofSessions, 'data/received'];
  return all.filter((path) => existsSync(join(root, path)));
}

/**
 * Bytes on the disk, a file with two names twice, as it is packed; and a little for each name. What this user may not look
 * into counts nothing.
 */
async function diskUse(root: string, list: string): Promise<number> {
  const total = (unit: string) =>
    new Promise<number>((resolve) => {
      const args = [unit, '-s', '-l', '-x', '--total', `--files0-from=${list}`];
      execFile('du', args, { cwd: root, maxBuffer: 64 * MB }, (_error, stdout) => {
        resolve(Number(/(\d+)\ttotal\n$/.exec(stdout)?.[1] ?? 0));
      });
    });
  return (await total('-k')) * 1024 + (await total('--inodes')) * 1024;
}

function sizeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0;
}

/** Also where an agent took away the right to. Nobody else can reach into it any more. */
export function removeTree(folder: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const script = 'chmod -R u+rwX -- "$0" 2>/dev/null; exec rm -rf -- "$0"';
    execFile('sh', ['-c', script, folder], (error) => (error ? reject(error) : resolve()));
  });
}

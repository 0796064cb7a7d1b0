import { execFile } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { z } from 'zod';
import { NanoError } from '../../src/errors.ts';
import { FOLDER_NAME } from '../../src/groups/agent-groups.ts';
import { installSlug } from '../../src/install-slug.ts';
import type { Paths } from '../../src/paths.ts';
import { pack, unpack } from './archive.ts';
import { channelFiles, checkChannels, copyDatabases } from './channels.ts';
import { checkDatabase, copyDatabase, sizeOf } from './database.ts';
import { checkRoom } from './room.ts';
import { asTrouble } from './trouble.ts';

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
const OF_SESSION = ['claude', 'home', 'inbound/inbox', 'box/outbox', 'box/conversations'];

/**
 * `file` undefined: a new one in data/backups. All that is written lies in the target's folder: the disk of data/ may be full
 * or read-only. Throws NC_BACKUP_FAILED, NC_DISK_FULL, NC_DATA_FOLDER, NC_NOT_FOUND, NC_DB_NEWER; then there is no new file.
 */
export async function backup(paths: Paths, file: string | undefined, withSecrets: boolean): Promise<Backup> {
  const named = `nanoclaw-${new Date().toISOString().slice(0, 19).replaceAll(':', '-')}.tar`;
  const target = file ?? join(paths.backups, named);
  const folder = dirname(target);
  try {
    if (folder === paths.backups) mkdirSync(folder, { recursive: true, mode: 0o700 });
    if (file !== undefined) checkTarget(paths, file);
    if (!existsSync(paths.db)) throw new NanoError('NC_NOT_FOUND', `There is no ${paths.db}.`);
    return await make(paths, target, withSecrets, file === undefined);
  } catch (error) {
    const trouble = asTrouble(error, folder);
    if (trouble.code !== 'NC_BACKUP') throw trouble;
    throw new NanoError('NC_BACKUP_FAILED', trouble.detail, { cause: error });
  }
}

/** What is there stays, and no backup packs itself. */
function checkTarget({ groups, sessions, channels, data }: Paths, file: string): void {
  if (existsSync(file)) throw new NanoError('NC_BACKUP_FAILED', `${file} is there already.`);
  const folder = dirname(file);
  if (!existsSync(folder)) throw new NanoError('NC_BACKUP_FAILED', `${folder} is not there.`);
  if (!statSync(folder).isDirectory()) throw new NanoError('NC_BACKUP_FAILED', `${folder} is no folder.`);
  const real = `${realpathSync(folder)}/`;
  for (const packed of [groups, sessions, channels, join(data, 'received'), join(data, 'skills')]) {
    if (existsSync(packed) && real.startsWith(`${realpathSync(packed)}/`))
      throw new NanoError('NC_BACKUP_FAILED', `${packed} is packed itself.`);
  }
}

async function make(paths: Paths, file: string, withSecrets: boolean, counted: boolean): Promise<Backup> {
  const staging = mkdtempSync(join(dirname(file), '.making-'));
  // As unique as that: another backup to the same name has its own.
  const part = `${file}.${basename(staging).slice('.making-'.length)}.part`;
  try {
    for (const name of ['data', 'source', 'unpacked']) mkdirSync(join(staging, name));
    const list = join(staging, 'list');
    const channels = channelFiles(paths, withSecrets);
    writeFileSync(list, [...treesOf(paths), ...channels.files].join('\0'));
    const ofChannels = channels.databases.map((name) => join(paths.root, name));
    const database = [paths.db, ...ofChannels].reduce((sum, one) => sum + sizeOf(one) + sizeOf(`${one}-wal`), 0);
    const bytes = (await diskUse(paths.root, list)) + database;
    // The file itself, a copy of the database, and all of it unpacked once more.
    await checkRoom([{ folder: dirname(file), bytes: bytes + database + bytes }]);
    const env = withSecrets && existsSync(paths.env);
    if (env && !statSync(paths.env).isFile()) throw new NanoError('NC_DATA_FOLDER', `${paths.env}: it is no file.`);
    // Before the central one: what a channel is behind comes again, and is known; what it were ahead would be lost.
    await copyDatabases(paths.root, channels.databases, staging);
    const rows = copyDatabase(paths.db, join(staging, 'source'), join(staging, 'data/v2.db'));
    const slug = installSlug(paths.root);
    const manifest: Manifest = { format: 1, slug, createdAt: new Date().toISOString(), secrets: withSecrets, rows };
    writeFileSync(join(staging, 'manifest.json'), JSON.stringify(manifest));
    if (env) copyFileSync(paths.env, join(staging, '.env'));
    const own = ['manifest.json', 'data/v2.db', ...channels.databases, ...(env ? ['.env'] : [])];
    const { bytes: written, unsure } = await pack(
      part,
      { staging, own, home: paths.root, list },
      bytes * 1.5 + 256 * MB,
    );
    const { leftOut } = await unpackChecked(part, join(staging, 'unpacked'));
    return { file: place(part, file, counted), bytes: written, manifest, leftOut, unsure };
  } finally {
    rmSync(part, { force: true });
    await removeTree(staging);
  }
}

/** Gives it its name; behind one of our own that is taken, as by another backup of this second, comes a counter. */
function place(part: string, file: string, counted: boolean): string {
  let free = file;
  for (let count = 2; existsSync(free); count += 1) {
    if (!counted) throw new NanoError('NC_BACKUP_FAILED', `${file} is there by now: another backup was quicker.`);
    free = `${file.slice(0, -'.tar'.length)}-${count}.tar`;
  }
  renameSync(part, free);
  return free;
}

/** Unpacks a backup into an empty folder and looks at all that is in it. Throws NC_BACKUP, NC_DB_NEWER. */
export async function unpackChecked(file: string, folder: string): Promise<{ manifest: Manifest; leftOut: number }> {
  const leftOut = await unpack(file, folder);
  const parsed = Manifest.safeParse(readManifest(join(folder, 'manifest.json')));
  if (!parsed.success) throw new NanoError('NC_BACKUP', 'What it says of itself can not be read.');
  const rows = checkDatabase(join(folder, 'data/v2.db'));
  checkChannels(folder);
  if (JSON.stringify(rows) !== JSON.stringify(parsed.data.rows)) throw new NanoError('NC_BACKUP', 'Rows are missing.');
  return { manifest: parsed.data, leftOut };
}

function readManifest(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return undefined;
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
  const all = [...foldersIn(groups).map(({ name }) => `groups/${name}`), ...ofSessions, 'data/received', 'data/skills'];
  // A link would be packed, and not what it leads to.
  return all.filter((path) => lstatSync(join(root, path), { throwIfNoEntry: false })?.isDirectory());
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

/** Also where an agent took away the right to. Nobody else can reach into it any more. */
export function removeTree(folder: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const script = 'chmod -R u+rwX -- "$0" 2>/dev/null; exec rm -rf -- "$0"';
    execFile('sh', ['-c', script, folder], (error) => (error ? reject(error) : resolve()));
  });
}

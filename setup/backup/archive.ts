import { type SpawnOptionsWithoutStdio, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { constants, createReadStream, createWriteStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { pipeline } from 'node:stream/promises';
import { NanoError } from '../../src/errors.ts';

/**
 * A backup's file: a tar by the system's own GNU tar, then one line with the SHA-256 of all before it. GNU tar opens what
 * it packs part by part and follows no link, so that an agent that swaps its files meanwhile gets nothing of the host's in.
 */

const TRAILER = /^\nnanoclaw-backup-1 ([0-9a-f]{64})\n$/;
const trailer = (hash: string) => `\nnanoclaw-backup-1 ${hash}\n`;
const TRAILER_BYTES = trailer('0'.repeat(64)).length;
/** Longer paths are left out: they could be packed, but not unpacked. */
const LONGEST_PATH = 3_000;
/** What a backup has in it, and nothing else. */
const EXPECTED =
  /^(manifest\.json|\.env|(data|groups|data\/(v2-sessions|received|channels|skills))\/?|data\/v2\.db|(groups|data\/(v2-sessions|received|channels|skills))\/.+)$/;

/** What is to be packed: `own` of the folder `staging`, and the paths in the file `list`, NUL between them, below `home`. */
export interface Sources {
  staging: string;
  own: readonly string[];
  home: string;
  list: string;
}

/** Writes a new file. Throws NC_BACKUP when more than `maxBytes` come. `unsure`: files that changed meanwhile or can't be read. */
export async function pack(
  file: string,
  { staging, own, home, list }: Sources,
  maxBytes: number,
): Promise<{ bytes: number; unsure: number }> {
  const limits = ['--anchored', '--wildcards', '--wildcards-match-slash', `--exclude=${'?'.repeat(LONGEST_PATH)}*`];
  const kinds = ['--format=gnu', '--numeric-owner', '--sparse', '--hard-dereference', '--one-file-system'];
  const args = ['--create', '--file=-', '--ignore-failed-read', ...kinds, ...limits];
  const tar = start('tar', [...args, '-C', staging, ...own, '-C', home, '--null', `--files-from=${list}`]);
  const hash = createHash('sha256');
  let bytes = 0;
  await pipeline(
    tar.child.stdout,
    async function* (chunks: AsyncIterable<Buffer>) {
      for await (const chunk of chunks) {
        hash.update(chunk);
        bytes += chunk.length;
        if (bytes > maxBytes)
          throw new NanoError('NC_BACKUP', 'There is far more to pack than there was a moment ago.');
        yield chunk;
      }
      yield trailer(hash.digest('hex'));
    },
    createWriteStream(file, { flags: 'wx', mode: 0o600, flush: true }),
  );
  // 1: files changed or went away while they were read, as they do beside a running host.
  await tar.end(1);
  return { bytes: bytes + TRAILER_BYTES, unsure: tar.lines() };
}

/** Unpacks into an empty folder, after it has checked all of it. Throws NC_BACKUP. Returns how many special files it left out. */
export async function unpack(file: string, folder: string): Promise<number> {
  await checkWhole(file);
  await checkMembers(file);
  // As the host's own files: agents have other uids here, and get theirs when their sandboxes start.
  const asOwn = ['--no-same-owner', '--no-same-permissions'];
  await start('tar', ['--extract', '--force-local', `--file=${file}`, '-C', folder, ...asOwn]).end();
  const found = start('find', [
    folder,
    '!',
    '-type',
    'f',
    '!',
    '-type',
    'd',
    '!',
    '-type',
    'l',
    '-delete',
    '-printf',
    'x',
  ]);
  let special = 0;
  for await (const chunk of found.child.stdout) special += chunk.length;
  await found.end();
  return special;
}

async function checkWhole(file: string): Promise<void> {
  // A pipe that took the file's place is not waited for.
  await using handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK);
  const found = await handle.stat();
  if (!found.isFile()) throw new NanoError('NC_BACKUP', `${file} is no file.`);
  const body = found.size - TRAILER_BYTES;
  const { buffer } = await handle.read(Buffer.alloc(TRAILER_BYTES), 0, TRAILER_BYTES, Math.max(0, body));
  const expected = TRAILER.exec(buffer.toString('latin1'))?.[1];
  if (!expected) throw new NanoError('NC_BACKUP', 'It does not end like one: it was cut short, or is another file.');
  const hash = createHash('sha256');
  if (body > 0) await pipeline(createReadStream(file, { end: body - 1 }), hash);
  if (hash.digest('hex') !== expected) throw new NanoError('NC_BACKUP', 'It was changed after it was written.');
}

/** Nothing may land outside of the folder, whatever made the file. */
async function checkMembers(file: string): Promise<void> {
  const list = ['--list', '--force-local', `--file=${file}`];
  const [names, verbose] = [start('tar', list), start('tar', [...list, '--verbose', '--numeric-owner'])];
  const links = new Set<string>();
  try {
    const kinds = createInterface(verbose.child.stdout)[Symbol.asyncIterator]();
    for await (const name of createInterface(names.child.stdout)) {
      const kind = String((await kinds.next()).value)[0] ?? '';
      const parts = name.split('/');
      const beneathLink = parts.some((_, index) => links.has(parts.slice(0, index).join('/')));
      if (!EXPECTED.test(name) || parts.includes('..') || beneathLink || !'-dlps'.includes(kind)) {
        throw new NanoError('NC_BACKUP', `There is something in it that does not belong there: ${name.slice(0, 200)}`);
      }
      if (kind === 'l') links.add(name);
    }
    await Promise.all([names.end(), verbose.end()]);
  } finally {
    for (const { child } of [names, verbose]) child.kill();
  }
}

/** A program of the system's: no locale, and a umask that keeps what agents have to read readable. */
function start(program: string, args: readonly string[], options: SpawnOptionsWithoutStdio = {}) {
  const env = { PATH: process.env.PATH, LC_ALL: 'C' };
  const child = spawn('sh', ['-c', 'umask 022; exec "$0" "$@"', program, ...args], { ...options, env });
  let said = '';
  let lines = 0;
  child.stderr.on('data', (chunk: Buffer) => {
    said = (said + chunk).slice(-500);
    lines += chunk.filter((byte) => byte === 10).length;
  });
  const closed = once(child, 'close');
  return {
    child,
    /** How many it said on stderr. */
    lines: () => lines,
    /** Throws NC_BACKUP when it ends with more than that status. */
    async end(most = 0): Promise<void> {
      child.stdout.resume();
      const [code] = await closed;
      if (code === null || code > most)
        throw new NanoError('NC_BACKUP', `${program}: ${said.trim().split('\n').at(-1)}`);
    },
  };
}

import { closeSync, constants, fstatSync, lstatSync, openSync, readSync } from 'node:fs';

/** `busy`: a writer is at work, look again. `hostile`: no well-meaning writer makes such a file. */
export type Snapshot =
  | { status: 'ok'; bytes: Buffer }
  | { status: 'busy' }
  | { status: 'absent' }
  | { status: 'hostile'; reason: string };

const HEADER_BYTES = 100;
/** Want of resources on the reader's side says nothing about the file. */
const OUR_TROUBLE = new Set(['EMFILE', 'ENFILE', 'ENOMEM', 'EINTR', 'EIO']);

/**
 * A consistent copy of a database file that someone else writes with `journal_mode=DELETE`, without taking a lock,
 * following a link, waiting for anything or opening it as a database.
 *
 * Why this finds every commit in progress: SQLite creates the journal before it changes a page, removes it after the
 * last, and each commit changes the header. A commit that overlaps the copy either shows its journal at one of the two
 * looks, or began and ended between them; then the header, which is read before the first look and after the second,
 * differs. (Reading it only with the copy is not enough: page 1 is written first.)
 *
 * The folder of `file` must belong to the reader's side; only the file itself may be somebody else's.
 */
export function takeSnapshot(file: string, maxBytes: number): Snapshot {
  const opened = openRegular(file, maxBytes);
  if (opened.status !== 'ok') return opened;
  const { fd, size, inode } = opened;
  try {
    const before = readHeader(fd);
    const first = journalOf(file);
    if (first.status !== 'none') return first;
    const bytes = readExactly(fd, size);
    const second = journalOf(file);
    if (second.status !== 'none') return second;
    const after = readHeader(fd);
    if (bytes === null || !before.equals(after)) return BUSY;
    if (!bytes.subarray(0, HEADER_BYTES).equals(before.subarray(0, size))) return BUSY;
    if (fstatSync(fd).size !== size) return BUSY;
    if (lstatSync(file, { bigint: true, throwIfNoEntry: false })?.ino !== inode) return BUSY;
    return checkHeader(bytes);
  } finally {
    closeSync(fd);
  }
}

/** All bytes of a regular file that somebody else may have put there, or why not. */
export function readRegular(file: string, maxBytes: number): Snapshot {
  const opened = openRegular(file, maxBytes);
  if (opened.status !== 'ok') return opened;
  try {
    const bytes = readExactly(opened.fd, opened.size);
    return bytes === null ? BUSY : { status: 'ok', bytes };
  } finally {
    closeSync(opened.fd);
  }
}

const BUSY = { status: 'busy' } as const;
const OWNER_RIGHTS = 0o600n;

function hostile(reason: string): { status: 'hostile'; reason: string } {
  return { status: 'hostile', reason };
}

type Opened = { status: 'ok'; fd: number; size: number; inode: bigint } | Exclude<Snapshot, { status: 'ok' }>;

function openRegular(file: string, maxBytes: number): Opened {
  let fd: number;
  try {
    // Non-blocking, since a FIFO would hold the reader until somebody writes.
    fd = openSync(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
    if (code === 'ENOENT') return { status: 'absent' };
    return OUR_TROUBLE.has(code) ? BUSY : hostile(`can not be opened (${code})`);
  }
  const found = fstatSync(fd, { bigint: true });
  const refuse = (answer: Exclude<Snapshot, { status: 'ok' }>): Opened => {
    closeSync(fd);
    return answer;
  };
  if (!found.isFile()) return refuse(hostile('is not a regular file'));
  // A host that is root reads it all the same; the next runner could not.
  if ((found.mode & OWNER_RIGHTS) !== OWNER_RIGHTS) return refuse(hostile('lacks rights for its owner'));
  if (found.nlink > 1n) return refuse(hostile('has a second name'));
  if (found.size > BigInt(maxBytes)) return refuse(hostile(`is larger than ${maxBytes} bytes`));
  if (found.size === 0n) return refuse({ status: 'absent' });
  return { status: 'ok', fd, size: Number(found.size), inode: found.ino };
}

function journalOf(file: string): { status: 'none' } | { status: 'busy' } | { status: 'hostile'; reason: string } {
  const found = lstatSync(`${file}-journal`, { throwIfNoEntry: false });
  if (!found) return { status: 'none' };
  if (!found.isFile()) return hostile('has a journal that is not a regular file');
  return found.size === 0 ? { status: 'none' } : BUSY;
}

function readHeader(fd: number): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  readSync(fd, header, 0, HEADER_BYTES, 0);
  return header;
}

/** Null when the file has become shorter. */
function readExactly(fd: number, size: number): Buffer | null {
  const bytes = Buffer.allocUnsafeSlow(size);
  for (let at = 0; at < size; ) {
    const read = readSync(fd, bytes, at, size - at, at);
    if (read === 0) return null;
    at += read;
  }
  return bytes;
}

/** Of the format's header: the magic, the two journal-mode bytes (2 would mean WAL) and the encoding (1 is UTF-8). */
function checkHeader(bytes: Buffer): Snapshot {
  if (bytes.length < 512 || bytes.toString('latin1', 0, 16) !== 'SQLite format 3\0') {
    return hostile('is not a database');
  }
  if (bytes[18] !== 1 || bytes[19] !== 1) return hostile('is in WAL mode');
  if (bytes.readUInt32BE(56) > 1) return hostile('is not in UTF-8');
  return { status: 'ok', bytes };
}

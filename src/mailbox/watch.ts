import { type BigIntStats, type FSWatcher, lstatSync, watch } from 'node:fs';
import { join } from 'node:path';

export interface MailboxWatch {
  /**
   * Starts looking. `onChange` is also called once more after each burst of changes. `onLost` is called at most once: the
   * file that was there is gone or another one, so that the runner writes to nobody, or a commit does not end. Neither
   * may throw.
   */
  add(sessionId: string, boxFolder: string, onChange: () => void, onLost?: () => void): void;
  remove(sessionId: string): void;
  /** Something happens in this session: look fast again. */
  touch(sessionId: string): void;
  stop(): void;
}

/** While a commit is under way, which takes about a millisecond. */
const COMMIT_MS = 1;
const FAST_MS = 5;
const SLOW_MS = 50;
const FAST_FOR_MS = 30_000;
/** File times may be as coarse as a kernel tick (10 ms at worst), so a second commit within it can look like none. */
const SECOND_LOOK_MS = 20;

/** Time to read what lies there now: it may say more than that it is another file. */
const LOST_AFTER_MS = 150;
/** A journal lies there for milliseconds, unless somebody has put it there. */
const STUCK_AFTER_MS = 15_000;

/** More notifications than this in a second are not a mailbox's: from then on its session is looked at by timer alone. */
const NOTIFICATIONS_PER_S = 500;

const NEVER = Number.POSITIVE_INFINITY;

interface Watched {
  file: string;
  watcher: FSWatcher | undefined;
  onChange: () => void;
  onLost: () => void;
  /** Of the first file that held anything; 0 before. SQLite changes a file, and never replaces it. */
  inode: bigint;
  /** Since when another is there, or none. */
  lostSince: number;
  stuckAfterMs: number;
  /** Since when a change waits for the end of its commit. */
  waitingSince: number;
  /** What the last look saw; another value is a change. */
  seen: string;
  /** A change was seen under a journal: its commit is not over. */
  waiting: boolean;
  fastUntil: number;
  nextLook: number;
  /** 0: none is due. */
  secondLook: number;
}

/**
 * Notices commits in `outbound.db` by `stat`, with one timer for all sessions and none when nothing is watched. While
 * a journal lies there nothing is reported, since a read could only say `busy`; a journal that stays for good is found
 * by whoever asks what a silent session does. File notifications shorten the wait, and nothing rests on them: an agent
 * can raise them by the hundred thousand, each a call on the host's event loop, so that one that does loses them.
 */
export function createMailboxWatch({ stuckAfterMs = STUCK_AFTER_MS } = {}): MailboxWatch {
  const watched = new Map<string, Watched>();
  let timer: NodeJS.Timeout | null = null;
  let due = Number.POSITIVE_INFINITY;

  function schedule(at: number): void {
    if (timer && due <= at) return;
    if (timer) clearTimeout(timer);
    due = at;
    timer = setTimeout(tick, Math.max(1, at - performance.now()));
  }

  function tick(): void {
    timer = null;
    due = Number.POSITIVE_INFINITY;
    const now = performance.now();
    for (const [sessionId, entry] of [...watched]) {
      // A timer may be a fraction of a millisecond early; an earlier entry's report may have removed this one.
      if (entry.nextLook <= now + 1 && watched.get(sessionId) === entry) look(entry, now);
    }
    let next = Number.POSITIVE_INFINITY;
    for (const entry of watched.values()) next = Math.min(next, entry.nextLook);
    if (next < Number.POSITIVE_INFINITY) schedule(next);
  }

  function stop(): void {
    if (timer) clearTimeout(timer);
    timer = null;
    for (const entry of watched.values()) entry.watcher?.close();
    watched.clear();
  }

  function lookNow(sessionId: string): void {
    const entry = watched.get(sessionId);
    if (!entry) return;
    look(entry, performance.now());
    schedule(entry.nextLook);
  }

  return {
    stop,
    add(sessionId, boxFolder, onChange, onLost = () => {}) {
      const now = performance.now();
      const file = join(boxFolder, 'outbound.db');
      const entry = { file, onChange, onLost, seen: '', waiting: false, nextLook: now, secondLook: 0 };
      const watcher = notify(boxFolder, () => lookNow(sessionId));
      const since = { lostSince: NEVER, waitingSince: NEVER, fastUntil: now + FAST_FOR_MS };
      watched.set(sessionId, { ...entry, ...since, watcher, inode: 0n, stuckAfterMs });
      schedule(now);
    },
    remove(sessionId) {
      watched.get(sessionId)?.watcher?.close();
      watched.delete(sessionId);
      if (watched.size === 0) stop();
    },
    touch(sessionId) {
      const entry = watched.get(sessionId);
      if (!entry) return;
      const now = performance.now();
      entry.fastUntil = now + FAST_FOR_MS;
      entry.nextLook = Math.min(entry.nextLook, now + FAST_MS);
      schedule(entry.nextLook);
    },
  };
}

/** Calls back at most once for each turn of the event loop, until there are too many. */
function notify(folder: string, onEvent: () => void): FSWatcher | undefined {
  let queued = false;
  let windowEnd = 0;
  let count = 0;
  try {
    const watcher = watch(folder, { persistent: false }, () => {
      const now = performance.now();
      if (now > windowEnd) {
        windowEnd = now + 1000;
        count = 0;
      }
      count += 1;
      if (count > NOTIFICATIONS_PER_S) watcher.close();
      if (queued) return;
      queued = true;
      setImmediate(() => {
        queued = false;
        onEvent();
      });
    });
    // The timer goes on without it.
    return watcher.on('error', () => watcher.close());
  } catch {
    return undefined;
  }
}

function look(entry: Watched, now: number): void {
  const found = statOf(entry.file);
  const seen = found ? `${found.ino} ${found.size} ${found.mtimeNs} ${found.ctimeNs}` : '';
  if (seen !== entry.seen) {
    entry.seen = seen;
    entry.waiting = true;
    entry.fastUntil = now + FAST_FOR_MS;
  }
  const report = entry.waiting && !hasJournal(entry.file);
  const again = !report && entry.secondLook > 0 && entry.secondLook <= now;
  if (report) entry.waiting = false;
  if (report) entry.secondLook = now + SECOND_LOOK_MS;
  if (again) entry.secondLook = 0;
  entry.nextLook = now + waitOf(entry, now);
  if (report || again) entry.onChange();
  if (!isLost(entry, found, now)) return;
  const { onLost } = entry;
  entry.onLost = () => {};
  onLost();
}

function isLost(entry: Watched, found: BigIntStats | undefined, now: number): boolean {
  const inode = found && found.size > 0n ? found.ino : 0n;
  entry.inode ||= inode;
  entry.lostSince = inode === entry.inode ? NEVER : Math.min(entry.lostSince, now);
  entry.waitingSince = entry.waiting ? Math.min(entry.waitingSince, now) : NEVER;
  return now - entry.lostSince > LOST_AFTER_MS || now - entry.waitingSince > entry.stuckAfterMs;
}

/** Nothing for what can't be looked at, either: an agent may take every right from its folder. */
function statOf(file: string): BigIntStats | undefined {
  try {
    return lstatSync(file, { bigint: true, throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}

function waitOf(entry: Watched, now: number): number {
  // A journal that stays must not keep the timer at its fastest.
  if (entry.waiting && now < entry.fastUntil - FAST_FOR_MS + SECOND_LOOK_MS) return COMMIT_MS;
  return now < entry.fastUntil ? FAST_MS : SLOW_MS;
}

function hasJournal(file: string): boolean {
  const found = statOf(`${file}-journal`);
  // Anything else is not a commit's: the read says so.
  return found?.isFile() === true && found.size > 0n;
}

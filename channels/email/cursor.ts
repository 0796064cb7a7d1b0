import { z } from 'zod';

/** How far a mailbox was read. Noted after the host has taken a mail, so that the one in between comes again. */

export interface Cursor {
  /** The mailbox's UIDVALIDITY: with another one, numbers mean other mails. */
  validity: string;
  /** Mail up to this number was taken. */
  uid: number;
  /** What is older than this is not looked at; in ms since the epoch. */
  since: number;
  /** When the newest that was taken came. */
  seen: number;
}

/** A mailbox that was rebuilt may give its mail other times. */
const OVERLAP_MS = 2 * 86_400_000;

const Stored = z.object({ validity: z.string(), uid: z.number().int(), since: z.number(), seen: z.number() });

export function readCursor(stored: string | undefined): Cursor | undefined {
  if (stored === undefined) return undefined;
  try {
    return Stored.parse(JSON.parse(stored));
  } catch {
    return undefined;
  }
}

export function writeCursor(cursor: Cursor): string {
  return JSON.stringify(cursor);
}

/** Where to go on. A mailbox that is met for the first time is read from now on. */
export function startOf(known: Cursor | undefined, box: { validity: string; next: number }, now: number): Cursor {
  if (!known) return { validity: box.validity, uid: box.next - 1, since: 0, seen: now };
  if (known.validity === box.validity) return known;
  // All of it again, but for what is surely older: the host knows what it has taken.
  return { validity: box.validity, uid: 0, since: known.seen - OVERLAP_MS, seen: known.seen };
}

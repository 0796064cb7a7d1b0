import type { MessageInRow, Origin } from '@nanoclaw/protocol';
import type { Ack } from '../mailbox/outbound.ts';

/** Messages that may be held at a time; an answer names all of those that it is for. */
const MAX_HELD = 100;

export interface Selection {
  /** The oldest triggers of one origin. */
  triggers: readonly MessageInRow[];
  /** The newest context of the same origin, and of none. */
  context: readonly MessageInRow[];
}

export function sameOrigin(a: Origin, b: Origin): boolean {
  return a.channel_type === b.channel_type && a.platform_id === b.platform_id && a.thread_id === b.thread_id;
}

/** A note of the host's, say about a failed delivery: it belongs to no chat, and rides along with the next turn. */
function isFromNowhere(row: Origin): boolean {
  return row.channel_type === null && row.platform_id === null;
}

/** Not settled and not held. A failure settles the try that failed; when the host offers a later one, that is open. */
export function isOpen(row: MessageInRow, ack: Ack | undefined): boolean {
  if (!ack) return true;
  return ack.status === 'failed' && ack.tries !== null && ack.tries < row.tries;
}

export function isDue(row: MessageInRow, now: number): boolean {
  return row.process_after === null || !(Date.parse(row.process_after) > now);
}

/** Rows that may be worked on now, in the order of `seq`. `onWake`: ids of the wake rows that this process found at its start. */
export function openRows(
  rows: readonly MessageInRow[],
  acks: ReadonlyMap<string, Ack>,
  now: number,
  onWake: ReadonlySet<string>,
): MessageInRow[] {
  return rows.filter(
    (row) =>
      row.status === 'pending' &&
      isOpen(row, acks.get(row.id)) &&
      isDue(row, now) &&
      (row.on_wake === 0 || onWake.has(row.id)),
  );
}

/** When the next row becomes due, in ms since the epoch; Infinity when none waits for a time. */
export function nextDue(rows: readonly MessageInRow[], acks: ReadonlyMap<string, Ack>, now: number): number {
  const times = rows
    .filter((row) => row.status === 'pending' && isOpen(row, acks.get(row.id)) && !isDue(row, now))
    .map((row) => Date.parse(row.process_after ?? ''));
  return Math.min(Number.POSITIVE_INFINITY, ...times);
}

/** The next turn: the origin whose trigger has waited longest. Null when nothing triggers. `open` is in order of `seq`. */
export function nextBatch(open: readonly MessageInRow[], max: number): Selection | null {
  const first = open.find((row) => row.trigger === 1);
  if (!first) return null;
  return {
    triggers: open.filter((row) => row.trigger === 1 && sameOrigin(row, first)).slice(0, max),
    context: open.filter((row) => row.trigger === 0 && (sameOrigin(row, first) || isFromNowhere(row))).slice(-max),
  };
}

/**
 * What may join the running turn: triggers of its origin. Once another origin has waited longer, a turn takes `max`
 * messages in all, so that a lively chat can't keep the others waiting.
 */
export function nextPushes(
  open: readonly MessageInRow[],
  turn: { origin: Origin; taken: number; held: number },
  max: number,
): MessageInRow[] {
  const triggers = open.filter((row) => row.trigger === 1);
  const here = triggers.filter((row) => sameOrigin(row, turn.origin)).slice(0, Math.max(0, MAX_HELD - turn.held));
  const waiting = triggers.find((row) => !sameOrigin(row, turn.origin));
  return here.filter((row, index) => !waiting || row.seq < waiting.seq || turn.taken + index < max);
}

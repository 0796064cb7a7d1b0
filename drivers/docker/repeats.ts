/**
 * An engine passes a line on, and stamps it for its log a moment later: what is asked for from a time on may begin with what has
 * come already. Pure.
 */
import type { Frame } from './frames.ts';

/** How late a stamp may be: what came so shortly before the last of it may come again. */
const LATE_MS = 1000;
const KEPT_BYTES = 64 * 1024;

export interface Repeats {
  /** Of what comes, what has not come before. Where that can't be told, too much rather than too little. */
  fresh(frame: Frame, nowMs: number): Buffer;
  /** From now on it may begin with what came already. */
  again(): void;
}

export function createRepeats(): Repeats {
  const streams = { out: createStream(), err: createStream() };
  return {
    fresh: ({ stream, bytes }, nowMs) => streams[stream].fresh(bytes, nowMs),
    again() {
      for (const stream of Object.values(streams)) stream.again();
    },
  };
}

/** Of what came: the last of it is kept in two, so that no chunk costs more than itself. */
interface Part {
  chunks: Buffer[];
  bytes: number;
  beganMs: number;
  endedMs: number;
}

const partAt = (ms: number): Part => ({ chunks: [], bytes: 0, beganMs: ms, endedMs: ms });

function createStream() {
  let former = partAt(Number.NEGATIVE_INFINITY);
  let latest = former;
  /** What may come again, and where in it: at any line, or just at its beginning. */
  let expected = Buffer.alloc(0);
  let starts: number[] = [];

  function remember(bytes: Buffer, nowMs: number): void {
    if (latest.bytes > KEPT_BYTES || nowMs - latest.beganMs > LATE_MS) {
      former = latest;
      latest = partAt(nowMs);
    }
    latest.chunks.push(bytes);
    latest.bytes += bytes.length;
    latest.endedMs = nowMs;
  }

  return {
    fresh(bytes: Buffer, nowMs: number): Buffer {
      const from = starts.findLast((start) => agree(expected.subarray(start), bytes));
      const repeated = from === undefined ? 0 : Math.min(bytes.length, expected.length - from);
      expected = from === undefined ? Buffer.alloc(0) : expected.subarray(from + repeated);
      starts = expected.length > 0 ? [0] : [];
      const rest = bytes.subarray(repeated);
      if (rest.length > 0) remember(rest, nowMs);
      return rest;
    },
    again() {
      const isClose = latest.endedMs - former.endedMs <= LATE_MS;
      expected = Buffer.concat([...(isClose ? former.chunks : []), ...latest.chunks]);
      starts = lineStarts(expected);
    },
  };
}

function lineStarts(text: Buffer): number[] {
  const starts = text.length > 0 ? [0] : [];
  for (let end = text.indexOf(10); end >= 0 && end + 1 < text.length; end = text.indexOf(10, end + 1))
    starts.push(end + 1);
  return starts;
}

/** As far as the shorter one goes. */
function agree(one: Buffer, other: Buffer): boolean {
  const length = Math.min(one.length, other.length);
  return one.subarray(0, length).equals(other.subarray(0, length));
}

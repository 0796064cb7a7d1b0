/** Whether the image is to be made now. Pure. */
import type { ImageStatus } from './status.ts';

export interface Situation {
  /** The content of the image that is there; null: none is. */
  there: string | null;
  wanted: string;
  last: ImageStatus | undefined;
  /** Milliseconds since the epoch. */
  now: number;
  /** Somebody wants it tried whatever happened before. */
  asked: boolean;
}

export type Decision =
  | { make: true }
  /** `current`: nothing to do. `wait`: `ms` from now on. `given-up`: until what it is made of changes, or somebody asks. */
  | { make: false; because: 'current' | 'given-up' }
  | { make: false; because: 'wait'; ms: number };

export function decide({ there, wanted, last, now, asked }: Situation): Decision {
  if (there === wanted) return { make: false, because: 'current' };
  const failed = last?.state === 'failed' && last.content === wanted;
  if (asked || !failed) return { make: true };
  if (last.retryAt === undefined) return { make: false, because: 'given-up' };
  const ms = Date.parse(last.retryAt) - now;
  return ms > 0 ? { make: false, because: 'wait', ms: Math.min(ms, LONGEST_PAUSE_MS) } : { make: true };
}

const PAUSE_MS = 60_000;
const LONGEST_PAUSE_MS = 60 * 60_000;

/** After so many failures of the network in a row: 1, 2, 4, … minutes, an hour at most. */
export function pauseAfter(tries: number): number {
  return Math.min(PAUSE_MS * 2 ** Math.min(tries, 10), LONGEST_PAUSE_MS);
}

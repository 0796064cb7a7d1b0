/** When a chat that waits hears that the work goes on. Every time here is monotonic, in ms. */

const SILENCE_MS = 60_000;
/** Between two looks of whoever waits, where the line stands and changes. */
const EDIT_MS = 60_000;
/** Where each line is one more message. */
const AGAIN_MS = 10 * 60_000;

export interface Waiting {
  /** Since when nothing was said there, and the turn has run. */
  silentSince: number;
  /** When the line was last said or changed; null: it hasn't been. */
  lineAt: number | null;
  /** What stands there can be changed. */
  changes: boolean;
}

export function isLineDue({ silentSince, lineAt, changes }: Waiting, now: number): boolean {
  if (now - silentSince < SILENCE_MS) return false;
  return lineAt === null || now - lineAt >= (changes ? EDIT_MS : AGAIN_MS);
}

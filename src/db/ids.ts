import { randomBytes } from 'node:crypto';

export type IdPrefix = 'ag' | 'mg' | 'mga' | 'sess' | 'msg' | 'sys' | 'note' | 'appr' | 'q' | 'task';

/** `<prefix>-<time in base 36><10 random>`: sorts by time, safe as a file name and in 64-byte callback data. */
export function newId(prefix: IdPrefix, now: number): string {
  const random = BigInt(`0x${randomBytes(7).toString('hex')}`)
    .toString(36)
    .padStart(11, '0')
    .slice(-10);
  return `${prefix}-${now.toString(36)}${random}`;
}

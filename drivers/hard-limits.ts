/** What the host itself may use at most: nothing inside can be given more. */
import { readFileSync } from 'node:fs';

export interface HardLimits {
  processes: number;
  fileSize: number;
  openFiles: number;
}

/** From the text of /proc/self/limits. */
export function parseHardLimits(text: string): HardLimits {
  const hard = (name: string): number => {
    const value = new RegExp(`^${name}\\s+\\S+\\s+(\\S+)`, 'm').exec(text)?.[1];
    return value === undefined || value === 'unlimited' ? Number.POSITIVE_INFINITY : Number(value);
  };
  return { processes: hard('Max processes'), fileSize: hard('Max file size'), openFiles: hard('Max open files') };
}

export function readHardLimits(): HardLimits {
  return parseHardLimits(readFileSync('/proc/self/limits', 'utf8'));
}

import { nextAfter } from '../tasks/schedule.ts';
import type { Period } from './amounts.ts';

/** Days and months where an agent lives: pure. Times are ms since the epoch. */

/** `2026-11-21`. */
export function dayOf(at: number, timezone: string): string {
  return new Intl.DateTimeFormat('sv-SE', { timeZone: timezone, dateStyle: 'short' }).format(at);
}

/** The first and the last of the days that belong to the period in which `day` is. */
export function daysOf(period: Period, day: string): [first: string, last: string] {
  return period === 'month' ? [`${day.slice(0, 7)}-01`, `${day.slice(0, 7)}-31`] : [day, day];
}

export function endOf(period: Period, at: number, timezone: string): number {
  const text = period === 'month' ? '0 0 1 * *' : '0 0 * * *';
  return nextAfter({ text, recurs: true, timezone }, at) ?? Number.POSITIVE_INFINITY;
}

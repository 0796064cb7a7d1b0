import { plan } from '../../assistant/tasks/schedule.ts';

/** Times and spans as a scenario writes them. */

const UNITS: Readonly<Record<string, number>> = { second: 1_000, minute: 60_000, hour: 3_600_000, day: 86_400_000 };
const LONG_AGO = Date.parse('2020-01-01T00:00Z');

/** `2027-03-28 02:30 in Europe/Berlin`, in ms since the epoch. Throws a sentence. */
export function readClock(text: string): number {
  const [, time = '', zone = 'UTC'] = /^(\S+T\S+|\S+ \S+?)(?: in (\S+))?$/.exec(text.trim()) ?? [];
  const planned = plan(time, zone, LONG_AGO);
  if (!planned.ok) throw new Error(planned.problem);
  return planned.next;
}

/** `20 minutes`, in ms. */
export function readSpan(count: string, unit: string): number {
  return Number(count) * (UNITS[unit.replace(/s$/, '')] ?? 0);
}

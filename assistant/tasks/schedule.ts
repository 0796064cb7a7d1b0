import { isoTime } from '@nanoclaw/protocol';
import { Cron } from 'croner';
import { isTimezone } from '../../admin/timezone.ts';
import { inWords } from './words.ts';

/** When a task is due: pure. Times are ms since the epoch. */

export interface Schedule {
  /** As it is kept: a cron expression, a local time, or a time with its offset. */
  text: string;
  recurs: boolean;
  timezone: string;
}

const HOW =
  'Once: in 20 minutes, 2030-01-31 09:00, or 2030-01-31T09:00+01:00. Again and again: 0 9 * * 1-5 (minute 0-59, hour 0-23, day 1-31, month 1-12, weekday 0-7).';

export type Planned = { ok: true; schedule: Schedule; next: number; remark?: string } | { ok: false; problem: string };

/** What recurs does so at most once in that time, unless it is allowed. */
export const LEAST_MS = 60_000;
/** Beyond this the clock is meant to be wrong, or the year is a slip. */
const FARTHEST_MS = 20 * 366 * 86_400_000;
const UNITS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 };
const IN = /^in (\d{1,7}) ?(?:(s)(?:ec(?:ond)?s?)?|(m)(?:in(?:ute)?s?)?|(h)(?:ours?)?|(d)(?:ays?)?|(w)(?:eeks?)?)$/i;
const TIME = /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d(?::\d\d(?:\.\d{1,3})?)?)\s*(Z|[+-]\d\d:?\d\d)?$/i;

/** Reads a time as it was given. `often`: more than once a minute is allowed. */
export function plan(given: string, timezone: string, now: number, { often = false } = {}): Planned {
  const text = given.trim().replaceAll(/\s+/g, ' ');
  if (!isTimezone(timezone)) {
    return refuse(`There is no time zone “${timezone}”. One is written like Europe/Berlin, or UTC.`);
  }
  const later = IN.exec(text);
  if (later) {
    const unit = later.slice(2).find(Boolean) ?? '';
    if (Number(later[1]) === 0) return refuse(`“${text}” is now: say a time that is still to come.`);
    const at = now + Number(later[1]) * (UNITS[unit.toLowerCase()] ?? 0);
    return once({ text: at <= now + FARTHEST_MS ? isoTime(at) : text, recurs: false, timezone }, now);
  }
  // With a colon it is no cron expression, and the library would read it as a date of its own.
  if (/^\d{4}-|:/.test(text)) return once({ text, recurs: false, timezone }, now);
  return recurring({ text, recurs: true, timezone }, now, often);
}

function once(schedule: Schedule, now: number): Planned {
  const { text, timezone } = schedule;
  const at = timeOf(schedule);
  if (at === undefined || at > now + FARTHEST_MS) {
    return refuse(
      `“${text}” is no time. One is written like in 20 minutes, 2030-01-31 09:00, or with its offset 2030-01-31T09:00+01:00.`,
    );
  }
  if (at <= now) return refuse(`${inWords(at, timezone)} is over: it is ${inWords(now, timezone)} now.`);
  const shown = localText(at, timezone);
  const [, day, clock = '', offset] = TIME.exec(text) ?? [];
  if (offset || shown === `${day} ${clock.padEnd(8, ':00')}`.slice(0, shown.length))
    return { ok: true, schedule, next: at };
  const remark = `That time doesn't exist there, as the clocks go forward: it will be at ${shown}.`;
  return { ok: true, schedule, next: at, remark };
}

function recurring(schedule: Schedule, now: number, often: boolean): Planned {
  const { text } = schedule;
  const cron = cronOf(schedule);
  if ('problem' in cron) {
    return refuse(`“${text}” is neither a time nor a cron expression. ${HOW}`);
  }
  const [first, second, third] = cron.nextRuns(3, new Date(now)).map((date) => date.getTime());
  if (first === undefined) return refuse(`“${text}” never comes.`);
  const gap = Math.min(
    (second ?? Number.POSITIVE_INFINITY) - first,
    (third ?? Number.POSITIVE_INFINITY) - (second ?? 0),
  );
  if (gap < LEAST_MS && !often) return refuse(`“${text}” comes every ${gap / 1000} s: once a minute is the most.`);
  return { ok: true, schedule, next: first };
}

/** The first time after `after`; undefined when there is none. */
export function nextAfter(schedule: Schedule, after: number): number | undefined {
  if (!schedule.recurs) return undefined;
  const cron = cronOf(schedule);
  return 'problem' in cron ? undefined : cron.nextRun(new Date(after))?.getTime();
}

/** The next `count`, after `after`. */
export function upcoming(schedule: Schedule, after: number, count: number): number[] {
  const cron = schedule.recurs ? cronOf(schedule) : undefined;
  if (!cron || 'problem' in cron) return [];
  return cron.nextRuns(count, new Date(after)).map((date) => date.getTime());
}

/** The newest `most` from `first`, which is one of them, to `last`, oldest first. */
export function between(schedule: Schedule, first: number, last: number, most: number): number[] {
  const times = [first];
  const cron = schedule.recurs ? cronOf(schedule) : undefined;
  if (!cron || 'problem' in cron) return times;
  const after = (at: number) => cron.nextRun(new Date(at))?.getTime() ?? Number.POSITIVE_INFINITY;
  for (let at = after(first); at <= last; at = after(at)) {
    // So many that only the end counts.
    if (times.length === most) return newest(cron, last, most);
    times.push(at);
  }
  return times;
}

function newest(cron: Cron, last: number, count: number): number[] {
  // In the second of `last` itself, too.
  const times = cron.previousRuns(count + 1, new Date(last + 1)).map((date) => date.getTime());
  return times
    .filter((at) => at <= last)
    .slice(0, count)
    .reverse();
}

function timeOf({ text, timezone }: Schedule): number | undefined {
  const [, day, clock, offset] = TIME.exec(text) ?? [];
  if (day === undefined || clock === undefined || !isDay(day)) return undefined;
  if (!offset) return fromLocal(Date.parse(`${day}T${clock}Z`), timezone);
  const at = Date.parse(
    `${day}T${clock}${offset.length === 5 ? `${offset.slice(0, 3)}:${offset.slice(3)}` : offset.toUpperCase()}`,
  );
  return Number.isNaN(at) ? undefined : at;
}

/** `Date` would make the second of March of the thirtieth of February. */
export function isDay(day: string): boolean {
  const at = Date.parse(`${day}T00:00Z`);
  return !Number.isNaN(at) && isoTime(at).startsWith(day);
}

/** `local`: as if it were UTC. A time that comes twice is the first of them; one that doesn't exist, the end of the gap. */
export function fromLocal(local: number, timezone: string): number | undefined {
  if (Number.isNaN(local)) return undefined;
  const day = 86_400_000;
  const before = offsetAt(local - day, timezone);
  const after = offsetAt(local + day, timezone);
  for (const offset of before === after ? [before] : [before, after].sort((a, b) => b - a)) {
    if (offsetAt(local - offset, timezone) === offset) return local - offset;
  }
  // In the gap: its end is where the offset changes.
  let [low, high] = [local - day, local + day];
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (offsetAt(middle, timezone) === before) low = middle;
    else high = middle;
  }
  return high;
}

/** What a wall clock there is ahead of UTC, in ms. */
function offsetAt(at: number, timezone: string): number {
  return Date.parse(`${localText(at, timezone).replace(' ', 'T')}Z`) - Math.floor(at / 1000) * 1000;
}

function localText(at: number, timezone: string): string {
  return new Intl.DateTimeFormat('sv-SE', {
    timeZone: timezone,
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
  }).format(at);
}

/**
 * Fixed times of the day come once each day, whatever the clocks do: in a gap at its end, and of two the first. What recurs by
 * the hour or minute goes on through both. Paused: it is only asked for times.
 */
function cronOf({ text, timezone }: Schedule): Cron | { problem: string } {
  try {
    return new Cron(text, { timezone, mode: '5-or-6-parts', fixedTimeRule: 'no-wildcard', paused: true });
  } catch (error) {
    return { problem: error instanceof Error ? error.message.replace(/^\w+: /, '') : String(error) };
  }
}

function refuse(problem: string): Planned {
  return { ok: false, problem };
}

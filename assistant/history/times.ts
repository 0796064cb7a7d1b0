import { fromLocal, isDay } from '../tasks/schedule.ts';
import { LAST_MS } from './process/find.ts';

/** Times as they are asked for: pure. A day alone is its beginning or its end. */

const TIME = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:\.\d{1,3})?)?\s*(Z|[+-]\d\d:?\d\d)?)?$/i;
const AGO = /^(\d{1,6}) ?(?:(m)(?:in(?:ute)?s?)?|(h)(?:ours?)?|(d)(?:ays?)?|(w)(?:eeks?)?)(?: ago)?$/i;
const UNITS: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 };

/** In ms since the epoch; undefined: it is no time. `end`: the last moment that is meant. */
export function momentOf(given: string, timezone: string, now: number, end = false): number | undefined {
  const text = given.trim();
  const ago = AGO.exec(text);
  if (ago) return now - Number(ago[1]) * (UNITS[ago.slice(2).find(Boolean)?.toLowerCase() ?? ''] ?? 0);
  const [, day, hour, minute, second, offset] = TIME.exec(text) ?? [];
  if (day === undefined || !isDay(day)) return undefined;
  const clock =
    hour === undefined ? (end ? '23:59:59' : '00:00:00') : `${hour}:${minute}:${second ?? (end ? '59' : '00')}`;
  const local = Date.parse(`${day}T${clock}Z`);
  const at = offset ? local - offsetOf(offset) : fromLocal(local, timezone);
  if (at === undefined || Number.isNaN(at) || at > LAST_MS) return undefined;
  return end ? at + 999 : at;
}

function offsetOf(offset: string): number {
  if (offset.toUpperCase() === 'Z') return 0;
  const [, sign, hours, minutes] = /^([+-])(\d\d):?(\d\d)$/.exec(offset) ?? [];
  return (sign === '-' ? -1 : 1) * (Number(hours) * 60 + Number(minutes)) * 60_000;
}

/** How long what an install collects is kept, and how much of it. Pure. */

const DAY_MS = 86_400_000;
const MB = 1024 ** 2;

/** 0 is for ever, and without limit. Nothing younger than `floorDays` goes, however much there is. */
const DEFAULTS = {
  messages: { days: 365, megabytes: 1024, floorDays: 7 },
  attachments: { days: 90, megabytes: 5120, floorDays: 1 },
  // What was said before a conversation was made shorter or forgotten.
  conversations: { days: 365, megabytes: 1024, floorDays: 1 },
  // An agent can fill it with intent.
  quarantine: { days: 30, megabytes: 500, floorDays: 1 / 24 },
  logs: { days: 30, megabytes: 500, floorDays: 1 },
  backups: { days: 90, megabytes: 5120, floorDays: 1 },
  usage: { days: 400, megabytes: 0, floorDays: 7 },
  counters: { days: 400, megabytes: 0, floorDays: 7 },
  // Whole segments of the log, by when they were sealed.
  audit: { days: 1095, megabytes: 0, floorDays: 90 },
};

export type Kind = keyof typeof DEFAULTS;
export const KINDS = Object.keys(DEFAULTS) as readonly Kind[];

export interface Limit {
  ageMs: number;
  bytes: number;
  floorMs: number;
}

export type Limits = Readonly<Record<Kind, Limit>>;

/** From NANOCLAW_KEEP_<KIND>_DAYS and …_MB. What can't be read is told, and the default is used; so are names that mean nothing. */
export function readLimits(
  env: Readonly<Record<string, string | undefined>>,
  warn: (sentence: string) => void,
): Limits {
  const known = new Set<string>();
  const read = (name: string, otherwise: number, unit: number): number => {
    known.add(name);
    const text = env[name];
    const readable = text !== undefined && /^\d{1,7}$/.test(text);
    if (text !== undefined && !readable) warn(`${name} is not a whole number of 0 or more; ${otherwise} is used.`);
    return (readable ? Number(text) : otherwise) * unit || Number.POSITIVE_INFINITY;
  };
  const limitOf = (kind: Kind): Limit => ({
    ageMs: read(`NANOCLAW_KEEP_${kind.toUpperCase()}_DAYS`, DEFAULTS[kind].days, DAY_MS),
    bytes: read(`NANOCLAW_KEEP_${kind.toUpperCase()}_MB`, DEFAULTS[kind].megabytes, MB),
    floorMs: DEFAULTS[kind].floorDays * DAY_MS,
  });
  const limits = {
    messages: limitOf('messages'),
    attachments: limitOf('attachments'),
    conversations: limitOf('conversations'),
    quarantine: limitOf('quarantine'),
    logs: limitOf('logs'),
    backups: limitOf('backups'),
    usage: limitOf('usage'),
    counters: limitOf('counters'),
    audit: limitOf('audit'),
  };
  for (const name of Object.keys(env))
    if (name.startsWith('NANOCLAW_KEEP_') && !known.has(name))
      warn(`${name} is no setting that is known: see docs/housekeeping.md.`);
  return limits;
}

/** Whether something of that age goes, while there are so many bytes of its kind. */
export function isToGo({ ageMs, bytes, floorMs }: Limit, age: number, total: number): boolean {
  return age > floorMs && (age > ageMs || total > bytes);
}

export interface Sized {
  bytes: number;
  /** ms since the epoch. */
  at: number;
}

/** Which of them go, the oldest first. */
export function chooseToGo<T extends Sized>(all: readonly T[], limit: Limit, now: number): T[] {
  let total = all.reduce((sum, { bytes }) => sum + bytes, 0);
  return [...all]
    .sort((a, b) => a.at - b.at)
    .filter(({ at, bytes }) => {
      const goes = isToGo(limit, now - at, total);
      if (goes) total -= bytes;
      return goes;
    });
}

/** What `ncl backup` leaves when it is killed. */
const LEFTOVER = /^\.making-|\.part$/;
const LEFTOVERS: Limit = { ageMs: DAY_MS, bytes: Number.POSITIVE_INFINITY, floorMs: DAY_MS };
/** A copy of the database alone, from before an upgrade. */
const COPY = /^v2-.*\.db$/;

/** The same for backups: what none was made of goes after a day, and the newest that `ncl backup` has finished stays. */
export function chooseBackups<T extends Sized & { name: string }>(all: readonly T[], limit: Limit, now: number): T[] {
  const finished = all.filter(({ name }) => !LEFTOVER.test(name));
  const newest = finished
    .filter(({ name }) => !COPY.test(name))
    .reduce<T | undefined>((best, one) => (best && best.at >= one.at ? best : one), undefined);
  const leftovers = all.filter(({ name }) => LEFTOVER.test(name));
  const old = chooseToGo(finished, limit, now).filter((one) => one !== newest);
  return [...chooseToGo(leftovers, LEFTOVERS, now), ...old];
}

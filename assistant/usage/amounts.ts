/** What may be spent, as people write and read it: pure. */

export const PERIODS = ['day', 'month', 'task'] as const;
export type Period = (typeof PERIODS)[number];
export const UNITS = ['usd', 'tokens'] as const;
export type Unit = (typeof UNITS)[number];

/** What figures are summed up by. */
export const GROUPINGS = ['day', 'agent', 'session', 'task', 'provider', 'model'] as const;
export type Grouping = (typeof GROUPINGS)[number];

/** Beyond these it is a slip. */
const MOST: Readonly<Record<Unit, number>> = { usd: 100_000, tokens: 1e12 };
const AMOUNT = /^\$?(\d{1,15}(?:\.\d{1,6})?)$/;

/** `null`: no limit. */
export type ReadAmount = { ok: true; amount: number | null } | { ok: false; problem: string };

export function readAmount(written: string, unit: Unit): ReadAmount {
  if (written.toLowerCase() === 'none') return { ok: true, amount: null };
  const [, digits] = AMOUNT.exec(written) ?? [];
  if (digits === undefined) {
    const shown = JSON.stringify(written.slice(0, 40));
    return { ok: false, problem: `${shown} is no amount: write one like 20, 2.50 or 0, or none for no limit.` };
  }
  const amount = Number(digits);
  if (amount > MOST[unit])
    return { ok: false, problem: `${inWords(MOST[unit], unit)} is the most that a budget may be.` };
  if (unit === 'tokens' && !Number.isInteger(amount)) return { ok: false, problem: 'Tokens are counted whole.' };
  return { ok: true, amount };
}

/** `$2.50`, `1.2 M tokens`. */
export function inWords(amount: number, unit: Unit): string {
  return unit === 'usd' ? inUsd(amount) : `${inTokens(amount)} tokens`;
}

export function inUsd(amount: number): string {
  if (amount > 0 && amount < 0.01) return 'less than $0.01';
  const digits = Number.isInteger(amount) ? 0 : 2;
  return `$${amount.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits })}`;
}

export function inTokens(count: number): string {
  for (const [size, letter] of [
    [1e9, 'G'],
    [1e6, 'M'],
    [1e3, 'k'],
  ] as const) {
    if (count >= size) return `${(count / size).toFixed(count >= 100 * size ? 0 : 1)} ${letter}`;
  }
  return String(Math.round(count));
}

/** As it is typed again: what would do for a while longer, also where more was spent than is allowed. */
export function suggestion(amount: number, spent: number, unit: Unit): string {
  const least = amount > 0 ? (unit === 'usd' ? 1 : 0) : unit === 'usd' ? 10 : 1_000_000;
  const enough = amount * 2 > spent ? amount * 2 : spent * 2;
  const suggested = Math.max(least, Math.ceil(enough));
  return suggested > MOST[unit] ? 'none' : String(suggested);
}

import { NanoError } from '../src/errors.ts';
import { type Arguments, textOf } from './definition.ts';

const UNITS: Readonly<Record<string, number>> = { s: 1_000, min: 60_000, h: 3_600_000, d: 86_400_000 };

/** What `--since` says, in ms since the epoch; undefined when it isn't given. Throws NC_USAGE. */
export function sinceOf(args: Arguments): number | undefined {
  const written = textOf(args, 'since');
  if (written === undefined) return undefined;
  const [, count, unit = ''] = /^(\d+)(s|min|h|d)$/.exec(written) ?? [];
  const since = count === undefined ? Date.parse(written) : Date.now() - Number(count) * (UNITS[unit] ?? 0);
  if (Number.isNaN(since)) throw new NanoError('NC_USAGE', '--since is 30s, 10min, 2h, 1d, or a date with its time.');
  return since;
}

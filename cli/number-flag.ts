import { NanoError } from '../src/errors.ts';
import { type Arguments, textOf } from './definition.ts';

/** A whole number from a flag. Throws NC_USAGE. */
export function numberOf(
  args: Arguments,
  name: string,
  limits: { least: number; most: number; otherwise: number },
): number {
  const written = textOf(args, name);
  if (written === undefined) return limits.otherwise;
  const number = /^\d+$/.test(written) ? Number(written) : Number.NaN;
  if (number >= limits.least && number <= limits.most) return number;
  throw new NanoError('NC_USAGE', `--${name} is a whole number from ${limits.least} to ${limits.most}.`);
}

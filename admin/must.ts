import { NanoError } from '../src/errors.ts';
import type { Result } from './view.ts';

/** The data. Throws what a refusal says, so that a transaction around it is undone. */
export function must<T>(result: Result<T>): T {
  if (!result.ok) throw new NanoError(result.code, result.detail);
  return result.data;
}

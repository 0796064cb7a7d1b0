import type { Result } from './admin-view.ts';
import { NanoError } from './errors.ts';

/** The data. Throws what a refusal says, so that a transaction around it is undone. */
export function must<T>(result: Result<T>): T {
  if (!result.ok) throw new NanoError(result.code, result.detail);
  return result.data;
}

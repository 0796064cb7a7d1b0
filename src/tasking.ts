import type { OpenMessage } from './db/messages.ts';
import type { Failure } from './failures.ts';

/** What agents' tasks are to the core; `assistant/tasks/` sees to them. */
export interface Tasking {
  /** Inside the transaction that ends it: a firing has failed. Returns what its chat is told, in place of `text`. */
  failed(message: OpenMessage, failure: Failure, text: string, now: number): string;
}

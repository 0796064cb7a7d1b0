import { setTimeout as delay } from 'node:timers/promises';

/** Until it has happened, and no longer than that. */
export async function within(ms: number, event: Promise<unknown>): Promise<void> {
  const timer = new AbortController();
  await Promise.race([event, delay(ms, null, { signal: timer.signal }).catch(() => null)]);
  timer.abort();
}

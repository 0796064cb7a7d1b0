import { randomUUID } from 'node:crypto';
import type { Lock, QueueEntry, StateAdapter } from 'chat';

/**
 * What adapters note for themselves (caches of names and messages). Nothing in it has to last: what has to is the host's, and
 * is durable before the platform hears that it was taken. Bounded, the oldest goes first.
 */
export function createState(most = 2_000): StateAdapter {
  const values = new Map<string, { value: unknown; until: number }>();

  function get(key: string): unknown {
    const found = values.get(key);
    if (found && found.until > Date.now()) return found.value;
    values.delete(key);
    return undefined;
  }

  function set(key: string, value: unknown, ttlMs = Number.POSITIVE_INFINITY): void {
    values.delete(key);
    values.set(key, { value, until: Date.now() + ttlMs });
    const [oldest] = values.keys();
    if (values.size > most && oldest !== undefined) values.delete(oldest);
  }

  function list(key: string): unknown[] {
    const found = get(key);
    return Array.isArray(found) ? found : [];
  }

  return {
    connect: async () => {},
    disconnect: async () => values.clear(),
    async get<T>(key: string) {
      return (get(key) ?? null) as T | null;
    },
    async getList<T>(key: string) {
      return list(key) as T[];
    },
    set: async (key, value, ttlMs) => set(key, value, ttlMs),
    // Adapters ask whether an event is new. What was taken the host knows; what wasn't has to come in again.
    async setIfNotExists(key, value, ttlMs) {
      set(key, value, ttlMs);
      return true;
    },
    delete: async (key) => void values.delete(key),
    async appendToList(key, value, { maxLength = 100, ttlMs } = {}) {
      set(key, [...list(key), value].slice(-maxLength), ttlMs);
    },
    subscribe: async () => {},
    unsubscribe: async () => {},
    isSubscribed: async () => false,
    // Order and turns are the host's: nobody waits for anybody here.
    acquireLock: async (threadId, ttlMs): Promise<Lock> => ({
      threadId,
      token: randomUUID(),
      expiresAt: Date.now() + ttlMs,
    }),
    extendLock: async () => true,
    releaseLock: async () => {},
    forceReleaseLock: async () => {},
    enqueue: async () => 0,
    dequeue: async (): Promise<QueueEntry | null> => null,
    queueDepth: async () => 0,
  };
}

import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { Keep } from '../keep.ts';

/**
 * What was tried, so that nothing stands in a chat twice. Discord knows a message by its nonce for a few minutes; after that
 * one whose fate nobody knows is looked for in the history before it is sent again.
 */
export interface Sendings {
  /** Returns Discord's id of it. `find` looks for one that may have been sent at that time. */
  once(
    key: string,
    send: (nonce: string) => Promise<string>,
    find: (since: number) => Promise<string | undefined>,
  ): Promise<string>;
  /** Whether that message is another one of ours. */
  isKnown(messageId: string): boolean;
}

type Tried = z.infer<typeof Tried>;
/** When it was first tried, in ms; and what Discord calls it, where that is known. */
const Tried = z.object({ at: z.number(), id: z.string().optional() });

const KEY = 'sending';
const MOST = 100;
/** Discord says "a few minutes". */
const NONCE_MS = 60_000;

export function createSendings({ recall, remember }: Keep): Sendings {
  const tried = new Map<string, Tried>(read(recall(KEY)));

  function note(key: string, one: Tried): void {
    tried.set(key, one);
    const [oldest] = tried.keys();
    if (tried.size > MOST && oldest !== undefined) tried.delete(oldest);
  }

  return {
    async once(key, send, find) {
      const before = tried.get(key);
      if (before?.id !== undefined) return before.id;
      const at = before?.at ?? Date.now();
      const isOld = before !== undefined && Date.now() - at > NONCE_MS;
      note(key, { at });
      // Before it leaves: a crash must not hide that it may have.
      if (!before) remember(KEY, JSON.stringify([...tried]));
      const id = (isOld ? await find(at) : undefined) ?? (await send(nonceOf(key)));
      note(key, { at, id });
      return id;
    },
    isKnown: (messageId) => [...tried.values()].some(({ id }) => id === messageId),
  };
}

/** 25 characters at most. */
export function nonceOf(key: string): string {
  return createHash('sha256').update(key).digest('base64url').slice(0, 24);
}

function read(text: string | undefined): [string, Tried][] {
  try {
    return z.array(z.tuple([z.string(), Tried])).parse(JSON.parse(text ?? '[]'));
  } catch {
    return [];
  }
}

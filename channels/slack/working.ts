import { z } from 'zod';
import { errorText } from '../../src/errors.ts';
import type { Logger } from '../../src/log/index.ts';
import { type Api, type Fields, Refusal } from './api.ts';
import { isRateLimit } from './outcome.ts';

/**
 * That work goes on. Slack lets a bot say so under a thread alone, and only in some apps and places; where it refuses, the message
 * that is worked on gets a pair of eyes for as long as that takes.
 */

/** Slack forgets a status after two minutes. */
const STATUS_MS = 60_000;
const EYES = 'eyes';
const KEPT = 500;

interface Mark {
  undo(): Promise<void>;
  until: number;
}

export function createWorking(api: Api, log: Logger) {
  /** The newest message of each chat and thread. */
  const newest = new Map<string, { ts: string; thread: string | undefined }>();
  const marks = new Map<string, Mark>();
  let lanes = Promise.resolve();
  let hasStatus = true;
  let hasReactions = true;

  async function quietly(method: string, fields: Fields): Promise<boolean> {
    try {
      await api.call(method, fields, z.unknown(), { timeoutMs: 5_000 });
      return true;
    } catch (error) {
      log.debug('that work goes on was not shown', { method, error: errorText(error) });
      if (
        error instanceof Refusal &&
        !isRateLimit(error) &&
        !/^(already_reacted|no_reaction|message_not_found)$/.test(error.code)
      ) {
        if (method === 'assistant.threads.setStatus') hasStatus = false;
        else hasReactions = false;
      }
      return false;
    }
  }

  async function mark(channel_id: string, key: string, threadId: string | null): Promise<void> {
    const last = newest.get(key);
    const thread_ts = threadId ?? last?.thread;
    if (hasStatus && thread_ts !== undefined) {
      const fields = { channel_id, thread_ts };
      if (await quietly('assistant.threads.setStatus', { ...fields, status: 'is working…' })) {
        const undo = async () => void (await quietly('assistant.threads.setStatus', { ...fields, status: '' }));
        marks.set(key, { undo, until: performance.now() + STATUS_MS });
        return;
      }
    }
    if (!hasReactions || last === undefined) return;
    const fields = { channel: channel_id, timestamp: last.ts, name: EYES };
    if (!(await quietly('reactions.add', fields))) return;
    const undo = async () => void (await quietly('reactions.remove', fields));
    marks.set(key, { undo, until: Number.POSITIVE_INFINITY });
  }

  async function unmark(key: string): Promise<void> {
    const old = marks.get(key);
    marks.delete(key);
    await old?.undo();
  }

  return {
    heard(platformId: string, threadId: string | null, ts: string, thread: string | undefined): void {
      newest.set(`${platformId} ${threadId}`, { ts, thread });
      const [oldest] = newest.keys();
      if (newest.size > KEPT && oldest !== undefined) newest.delete(oldest);
    },
    typing(platformId: string, threadId: string | null, on: boolean): void {
      const key = `${platformId} ${threadId}`;
      // One after another, so that what is switched off late doesn't stay.
      lanes = lanes.then(async () => {
        const isMarked = (marks.get(key)?.until ?? 0) > performance.now();
        if (on && !isMarked) await mark(platformId, key, threadId);
        else if (!on) await unmark(key);
      });
    },
    /** Nothing is left standing when the host goes. */
    async stop(): Promise<void> {
      await lanes;
      await Promise.all([...marks.keys()].map(unmark));
    },
  };
}

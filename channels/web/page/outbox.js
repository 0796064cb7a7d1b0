/** @import { Said, Waiting } from './types.d.ts' */
import { api, Refused } from './api.js';

/**
 * Messages on their way, kept by the browser until the server has them: each has its own id from the start, so that one
 * that is sent again is taken once. One after the other, in the order in which they were written.
 */

const LONGEST_WAIT_MS = 15_000;

/**
 * @param {string} user
 * @param {{ sent(said: Said): void, refused(message: Waiting, sentence: string): void, away(): void }} listener
 */
export function createOutbox(user, listener) {
  const key = `outbox:${user}`;
  let waitMs = 500;
  let isSending = false;
  /** @type {number | undefined} */
  let again;

  /** @returns {Waiting[]} */
  function all() {
    try {
      return JSON.parse(localStorage.getItem(key) ?? '[]');
    } catch {
      return [];
    }
  }

  /** @param {Waiting[]} waiting */
  const keep = (waiting) => localStorage.setItem(key, JSON.stringify(waiting));

  async function flush() {
    clearTimeout(again);
    if (isSending) return;
    isSending = true;
    try {
      for (let next = all()[0]; next; next = all()[0]) {
        await send(next);
        const { id } = next;
        keep(all().filter((one) => one.id !== id));
        waitMs = 500;
      }
    } catch (error) {
      if (error instanceof Refused && error.status === 401) return listener.away();
      again = setTimeout(flush, waitMs);
      waitMs = Math.min(waitMs * 2, LONGEST_WAIT_MS);
    } finally {
      isSending = false;
    }
  }

  /** Throws when it is to be tried again. @param {Waiting} message */
  async function send(message) {
    const { chat, id, text, files } = message;
    try {
      listener.sent(await api.say(chat, { id, text, files: files.map((file) => file.id) }));
    } catch (error) {
      const isFinal = error instanceof Refused && error.status < 500 && ![401, 408, 429].includes(error.status);
      if (!isFinal) throw error;
      listener.refused(message, error.message);
    }
  }

  return {
    all,
    /** @param {Waiting} message */
    add(message) {
      keep([...all(), message]);
      void flush();
    },
    flush,
    clear() {
      clearTimeout(again);
      localStorage.removeItem(key);
    },
  };
}

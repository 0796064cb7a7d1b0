/** What in an engine is a leftover of another host, and what is not. */
import { randomUUID } from 'node:crypto';
import { LABEL } from './body.ts';
import type { Listed } from './containers.ts';

/** This process, whichever settings its drivers were made with: what one has started or taken over is no leftover for another. */
export const host = randomUUID();
/** By their ids. */
export const adopted = new Set<string>();

/** The session of those that only show whether a sandbox starts. */
export const TRIAL = 'trial';
/** Younger ones are of a process that looks (`ncl doctor`), and end by themselves. */
const TRIAL_LASTS_MS = 5 * 60_000;

export function isLeftover({ id, labels, createdMs }: Omit<Listed, 'running'>, nowMs: number): boolean {
  if (labels[LABEL.host] === host || adopted.has(id)) return false;
  return labels[LABEL.session] !== TRIAL || nowMs - createdMs > TRIAL_LASTS_MS;
}

/** Those that were left to the engine and may still run, by session: nothing may be started beside them. */
export function createLeft() {
  const ids = new Map<string, string>();
  return {
    add: (sessionId: string, id: string) => void ids.set(sessionId, id),
    has: (sessionId: string) => ids.has(sessionId),
    /** Rejects when it still can't be ended. */
    async end(sessionId: string, remove: (id: string) => Promise<void>): Promise<void> {
      const id = ids.get(sessionId);
      if (id !== undefined) await remove(id);
    },
    gone(id: string): void {
      for (const [sessionId, left] of ids) if (left === id) ids.delete(sessionId);
    },
  };
}

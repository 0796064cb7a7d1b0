import type { Activities } from './activity.ts';
import type { ContainerRunner } from './container-runner.ts';
import type { Messages } from './db/messages.ts';
import type { Sessions } from './db/sessions.ts';
import { oldestJob, TURN_CEILING_MS } from './host-sweep.ts';
import { makeRoom, type Occupant, TOLD_AFTER_MS, toYield } from './sandbox-queue.ts';

/** When more sessions want a sandbox than there are places: who goes, who takes nothing new, who is told that they wait. */

export interface RoomParts {
  runner: ContainerRunner;
  activity: Activities;
  messages: Messages;
  sessions: Sessions;
  places: number;
  publish(sessionId: string): void;
  /** In the chat where its oldest message waits, if one does. */
  sayWhereAsked(sessionId: string, text: string): void;
  onError(error: unknown): void;
}

export interface Room {
  /** One look; each second. `now`: monotonic ms. */
  look(now: number): void;
  /** One more, when somebody begins to wait: a hundred calls are one. */
  soon(): void;
  /** The highest number that a session's sandbox is to be shown; undefined: all. */
  limit(sessionId: string): number | undefined;
}

const GRACE_MS = 3_000;

export function createRoom(parts: RoomParts): Room {
  const { runner, activity, messages, sessions } = parts;
  const limits = new Map<string, number>();
  const told = new Set<string>();
  let scheduled = false;

  /** What goes on behind its turns keeps a place from others for as long as a turn may. */
  function isKept(sessionId: string, now: number): boolean {
    const known = activity.get(sessionId);
    return (
      known !== undefined && now - Math.min(known.neededAt, oldestJob(known)) <= TURN_CEILING_MS && known.jobs.size > 0
    );
  }

  function occupants(now: number): Occupant[] {
    return runner.list().map(({ sessionId, agentGroupId, phase }) => {
      const known = activity.get(sessionId);
      const kept = isKept(sessionId, now);
      const resting = phase === 'running' && known?.turnSince === null && !kept;
      return {
        sessionId,
        agentGroupId,
        kept,
        idle: resting && (limits.has(sessionId) || messages.due(sessionId, Date.now()).count === 0),
        stopping: phase === 'stopping',
        startedAt: known?.startedAt ?? Number.POSITIVE_INFINITY,
        lastActivity: known?.lastActivity ?? 0,
      };
    });
  }

  function hold(ids: readonly string[], nobodyWaits: boolean, now: number): void {
    for (const id of limits.keys()) {
      if (!nobodyWaits && runner.has(id) && !isKept(id, now)) continue;
      limits.delete(id);
      if (runner.has(id)) parts.publish(id);
    }
    for (const id of ids) if (!limits.has(id)) limits.set(id, sessions.get(id)?.hostSeq ?? 0);
  }

  function look(now: number): void {
    const waiting = runner.waiting();
    const all = occupants(now);
    hold(toYield(waiting, all, now), waiting.length === 0, now);
    for (const id of makeRoom(waiting.length, all)) runner.stop(id, GRACE_MS, 'place-needed').catch(parts.onError);
    for (const { sessionId, since } of waiting) {
      if (now - since < TOLD_AFTER_MS || told.has(sessionId)) continue;
      const text = `⏳ All ${parts.places} places for sandboxes are taken. I begin as soon as one is free.`;
      parts.sayWhereAsked(sessionId, text);
      told.add(sessionId);
    }
    const stillWait = new Set(waiting.map(({ sessionId }) => sessionId));
    for (const id of told) if (!stillWait.has(id)) told.delete(id);
  }

  return {
    look,
    soon() {
      if (scheduled) return;
      scheduled = true;
      setImmediate(() => {
        scheduled = false;
        try {
          look(performance.now());
        } catch (error) {
          parts.onError(error);
        }
      });
    },
    limit: (sessionId) => limits.get(sessionId),
  };
}

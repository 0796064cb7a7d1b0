import type { DatabaseSync } from 'node:sqlite';
import { isoTime, type Origin, type TaskIn } from '@nanoclaw/protocol';
import { newId } from '../../src/db/ids.ts';
import type { Messages } from '../../src/db/messages.ts';
import type { Session, Sessions } from '../../src/db/sessions.ts';
import { sessionKey } from '../../src/routing/session-key.ts';
import type { Wirings } from '../../src/routing/wirings.ts';
import { decideFiring, type Occurrence } from './decide.ts';
import type { Table, Task } from './table.ts';
import { inWords } from './words.ts';

/** A task that is due becomes messages in the session of its destination: each with its run, in one transaction. */

/** What comes once and may not be begun stays due: it is asked so often whether it may. */
const ASK_AGAIN_MS = 60_000;

export interface FiringParts {
  db: DatabaseSync;
  table: Table;
  messages: Pick<Messages, 'addInbound'>;
  sessions: Pick<Sessions, 'ensure'>;
  wirings: Pick<Wirings, 'of'>;
  channelHasThreads(channelType: string): boolean;
  /** The bot is no longer in that chat. */
  isGone(channelType: string, platformId: string): boolean;
  /** Inside a transaction: why it can't run now, since its agent may spend nothing. */
  leavesOut(task: Task, place: Origin, now: number): LeftOut | undefined;
}

export interface LeftOut {
  why: string;
  /** What is put there now is not left out: it waits, as a message does. */
  isWaiting: boolean;
  /** Says it in its chat, once. */
  tell(): void;
}

export interface Firings {
  /** Inside a transaction. Returns the sessions to wake, or why it can't speak there. */
  fire(task: Task, now: number): Fired;
  /** Now, whatever its times are. The same. */
  fireNow(task: Task, now: number): Fired;
}

export type Fired = { ok: true; wake: string[] } | { ok: false; why: string };

export function createFirings(parts: FiringParts): Firings {
  const { db, table, messages, sessions, wirings } = parts;
  const place = db.prepare(
    `SELECT m.channel_type, m.platform_id, m.is_group FROM messaging_groups m
     JOIN agent_destinations d ON d.target_type = 'channel' AND d.target_id = m.id
     WHERE m.id = ? AND d.agent_group_id = ? LIMIT 1`,
  );

  function sessionOf(
    { agentGroupId, chatId, threadId }: Task,
    now: number,
  ): { session: Session; origin: Origin } | string {
    const row = place.get(chatId, agentGroupId);
    if (!row) return 'its agent may no longer send there';
    const [channelType, platformId] = [String(row.channel_type), String(row.platform_id)];
    if (parts.isGone(channelType, platformId)) return 'its agent is no longer in that chat';
    const wiring = wirings.of(chatId).find((each) => each.agentGroupId === agentGroupId);
    const terms = wiring ?? { sessionMode: 'shared' as const, messagingGroupId: chatId };
    const hasThreads = parts.channelHasThreads(channelType);
    const key = sessionKey(terms, { threadId, isGroup: row.is_group === 1 }, hasThreads);
    const session = sessions.ensure(agentGroupId, key.messagingGroupId, key.threadId, now);
    const thread = hasThreads ? threadId : null;
    return { session, origin: { channel_type: channelType, platform_id: platformId, thread_id: thread } };
  }

  function put(
    task: Task,
    found: { session: Session; origin: Origin },
    { at, missed }: Occurrence,
    now: number,
  ): boolean {
    const id = newId('msg', now);
    if (!table.addRun(task.id, at, missed, id, null, now)) return false;
    const { text, recurs, timezone } = task.schedule;
    const content: TaskIn = {
      task: task.id,
      name: task.name,
      prompt: task.prompt,
      due: inWords(at, timezone),
      ...(recurs && { schedule: text }),
      ...(missed > 0 && { missed }),
      ...(task.script !== null && { script: task.script }),
    };
    const { session, origin } = found;
    return messages.addInbound(
      { id, sessionId: session.id, kind: 'task', timestamp: isoTime(now), trigger: true, content, ...origin },
      now,
    );
  }

  return {
    fire(task, now) {
      const found = sessionOf(task, now);
      if (typeof found === 'string') return { ok: false, why: found };
      const isRunning = table.isRunning(task.id);
      const { fire, skip, next } = decideFiring({ ...task, dueAt: task.nextAt ?? now, isRunning }, now);
      if (skip) table.addRun(task.id, skip.at, skip.missed, null, skip.why, now);
      const may = fire.length > 0 ? parts.leavesOut(task, found.origin, now) : undefined;
      const left = may?.isWaiting ? undefined : may;
      left?.tell();
      if (left && !task.schedule.recurs) {
        table.change(task, { nextAt: now + ASK_AGAIN_MS, reason: left.why }, now);
        return { ok: true, wake: [] };
      }
      if (left) for (const { at, missed } of fire) table.addRun(task.id, at, missed, null, left.why, now);
      const fired = (left ? [] : fire).filter((occurrence) => put(task, found, occurrence, now));
      const status = next === undefined ? 'done' : task.status;
      table.change(task, { status, nextAt: next ?? null, reason: null }, now);
      return { ok: true, wake: fired.length > 0 ? [found.session.id] : [] };
    },
    fireNow(task, now) {
      const found = sessionOf(task, now);
      if (typeof found === 'string') return { ok: false, why: found };
      const left = parts.leavesOut(task, found.origin, now);
      if (left) return { ok: false, why: left.why };
      return { ok: true, wake: put(task, found, { at: now, missed: 0 }, now) ? [found.session.id] : [] };
    },
  };
}

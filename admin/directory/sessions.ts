import type { DatabaseSync } from 'node:sqlite';
import type { Origin } from '@nanoclaw/protocol';
import { z } from 'zod';
import type { Messages } from '../../src/db/messages.ts';
import type { Session, Sessions } from '../../src/db/sessions.ts';
import { getAgentGroup } from '../../src/groups/agent-groups.ts';
import { noEffects, type TakeOver, type Effects as Turn } from '../../src/take-over/index.ts';
import { type Change, DONE, mayTouch, missing, refuse } from './change.ts';
import type { Effects } from './effects.ts';
import type { By, Directory } from './index.ts';
import { type ModelWishes, modelProblem } from './model.ts';

/** Sessions and their sandboxes, ended and begun again. */

export interface SessionsParts {
  db: DatabaseSync;
  change: Change;
  effects: Effects;
  sessions: Sessions;
  messages: Messages;
  takeOver: TakeOver;
  /** What an ended message means to its chat. After the commit. */
  perform(session: Session, turn: Turn): void;
  running(): readonly { sessionId: string; agentGroupId: string }[];
  /** Resolves when its sandbox is gone, and all that it said is read. */
  stop(sessionId: string, reason: string): Promise<void>;
  /** What the agent's sandboxes run with is another now. */
  settingsChanged(agentGroupId: string): void;
  /** Its folder with mailbox and transcripts. */
  dropSession(id: string, agentGroupId: string): Promise<void>;
}

export interface SessionChanges
  extends Pick<Directory, 'origin' | 'updateSession' | 'stopSession' | 'resetSession' | 'restartAgentGroup'> {
  /** Inside a transaction: ends what is open, and says so where it came from. Then the sandbox, and the folder. */
  end(id: string, agentGroupId: string, text: string, now: number): number;
}

const COLUMNS = ['provider', 'model', 'effort'] as const satisfies readonly (keyof ModelWishes)[];

const OriginRow = z.object({
  channel_type: z.string().nullable(),
  platform_id: z.string().nullable(),
  thread_id: z.string().nullable(),
});

export function createSessionChanges(parts: SessionsParts): SessionChanges {
  const { db, change, effects, sessions, messages, takeOver } = parts;
  const close = db.prepare("UPDATE sessions SET status = 'closed' WHERE id = ?");
  const lastOrigin = db.prepare(
    `SELECT channel_type, platform_id, thread_id FROM messages
     WHERE session_id = ? AND direction = 'in' AND platform_id IS NOT NULL ORDER BY seq DESC LIMIT 1`,
  );
  const stillOpen = db.prepare("SELECT 1 FROM sessions WHERE id = ? AND status = 'active'");

  function find(id: string, by: By): Session | undefined {
    const session = sessions.get(id);
    return session && mayTouch(by, session.agentGroupId) ? session : undefined;
  }

  function end(id: string, agentGroupId: string, text: string, now: number): number {
    const session = sessions.get(id);
    if (!session) return 0;
    const turn = noEffects();
    const told = new Set<string>();
    for (const message of messages.open(id)) {
      messages.settle(id, message.id, 'completed', message.trigger ? 'stopped' : 'context', now);
      if (!message.trigger || message.platform_id === null) continue;
      turn.settled.push({ ...originOf(message), ...message, messageId: message.id, outcome: 'stopped' });
      const place = JSON.stringify(originOf(message));
      if (!told.has(place)) turn.deliver.push(takeOver.say(message, null, text, null, now));
      told.add(place);
    }
    effects.later(async () => {
      // Undone: it lives on.
      if (stillOpen.get(id)) return;
      parts.perform(session, turn);
      await parts.stop(id, 'ended');
      await parts.dropSession(id, agentGroupId);
    });
    return turn.settled.length;
  }

  function origin(id: string): Origin | undefined {
    const row = lastOrigin.get(id);
    return row && OriginRow.parse(row);
  }

  return {
    end,
    origin,
    updateSession: (id, changes, by, now) =>
      change(by, now, (note) => {
        const session = find(id, by);
        if (!session) return missing('session', id);
        if (session.status === 'closed') return refuse('NC_NOT_FOUND', 'It is closed.');
        if (by.scope !== null && changes.provider !== undefined) {
          return refuse('NC_FORBIDDEN', "Its provider is not the agent's own to change.");
        }
        const problem = modelProblem(changes);
        if (problem !== undefined) return refuse('NC_USAGE', problem);
        const given = COLUMNS.flatMap((column) => {
          const value = changes[column];
          return value === undefined ? [] : [[column, value?.trim() || null] as const];
        });
        if (given.length === 0) return refuse('NC_USAGE', 'There is nothing to change.');
        const assignments = given.map(([column]) => `${column} = ?`).join(', ');
        db.prepare(`UPDATE sessions SET ${assignments} WHERE id = ?`).run(...given.map(([, value]) => value), id);
        note({ action: 'session.updated', subject: id, detail: Object.fromEntries(given) });
        effects.later(() => parts.settingsChanged(session.agentGroupId));
        return DONE;
      }),
    stopSession: (id, by, now) =>
      change(by, now, (note) => {
        if (!find(id, by)) return missing('session', id);
        if (!parts.running().some(({ sessionId }) => sessionId === id)) {
          return refuse('NC_NOT_FOUND', 'It has no sandbox that runs.');
        }
        note({ action: 'session.stopped', subject: id });
        effects.later(() => parts.stop(id, 'ncl'));
        return DONE;
      }),
    resetSession: (id, by, now) =>
      change(by, now, (note) => {
        const session = find(id, by);
        if (!session) return missing('session', id);
        if (session.status === 'closed') return refuse('NC_NOT_FOUND', 'It was closed before.');
        const text = 'This conversation was begun anew; what was open in it is not answered.';
        close.run(id);
        const ended = end(id, session.agentGroupId, text, now);
        note({ action: 'session.reset', subject: id, detail: { ended } });
        return { ok: true, data: { 'open messages': ended } };
      }),
    restartAgentGroup: (id, { sessionId, message }, by, now) =>
      change(by, now, (note) => {
        if (!mayTouch(by, id) || !getAgentGroup(db, id)) return missing('agent', id);
        const running = parts.running().filter((one) => one.agentGroupId === id);
        const chosen = running.filter((one) => sessionId === undefined || one.sessionId === sessionId);
        effects.later(async () => {
          await Promise.all(chosen.map((one) => parts.stop(one.sessionId, 'restart')));
        });
        for (const one of chosen) {
          const session = message === undefined ? undefined : sessions.get(one.sessionId);
          if (session && message !== undefined) {
            takeOver.tellAgent(session, 'restart', 'done', message, now, origin(session.id));
          }
        }
        note({ action: 'group.restarted', subject: id, detail: { sessions: chosen.map((one) => one.sessionId) } });
        return { ok: true, data: { sessions: chosen.length } };
      }),
  };
}

function originOf({ channel_type, platform_id, thread_id }: Origin): Origin {
  return { channel_type, platform_id, thread_id };
}

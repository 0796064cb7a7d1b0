import type { DatabaseSync } from 'node:sqlite';
import { isoTime, type Origin } from '@nanoclaw/protocol';
import { transaction } from '../../src/db/group-commit.ts';
import type { OpenMessage } from '../../src/db/messages.ts';
import type { Session } from '../../src/db/sessions.ts';
import { getAgentGroup } from '../../src/groups/agent-groups.ts';
import { pick } from '../../src/take-over/content.ts';
import type { TakeOver } from '../../src/take-over/index.ts';
import { nearlyUsedUp, type Standing } from './decide.ts';
import { daysOf } from './periods.ts';
import type { Standings } from './standing.ts';
import { noticeKey, type Table } from './table.ts';
import { endedText, heldText, type LeftOutTask, leftOutText, nearlyText } from './words.ts';

/** What is said about budgets: in each chat, and in each thread of one, once, until the period ends or somebody sets the budget anew. */

export interface TellingParts {
  db: DatabaseSync;
  table: Table;
  takeOver: Pick<TakeOver, 'say'>;
  deliver(messageIds: readonly string[]): void;
  /** To the owner, wherever they can be reached. Inside no transaction. */
  tellOwner(text: string): void;
}

export interface Telling {
  /** In the chats where something waits. */
  waiting(
    closed: ReadonlyMap<string, Standing>,
    standings: Standings,
    isBegun: (sessionId: string, messageId: string, seq: number) => boolean,
    now: number,
  ): void;
  /** Inside a transaction. Returns what to deliver. */
  ended(session: Session, message: OpenMessage, why: Standing, standings: Standings, now: number): string;
  /** Inside a transaction. */
  leftOut(
    agentGroupId: string,
    place: Origin,
    task: LeftOutTask,
    why: Standing,
    standings: Standings,
    now: number,
  ): void;
  nearly(standings: Standings, now: number): void;
  /** Budgets are others now: the table knows what is to be said again. */
  changed(): void;
}

export function createTelling({ db, table, takeOver, deliver, tellOwner }: TellingParts): Telling {
  const due = db.prepare(
    `SELECT m.id, m.seq, m.session_id, s.agent_group_id, m.channel_type, m.platform_id, m.thread_id
     FROM messages m INDEXED BY messages_open JOIN sessions s ON s.id = m.session_id
     WHERE m.direction = 'in' AND m.status IN ('pending', 'paused') AND m.status = 'pending' AND m.trigger = 1
       AND m.platform_id IS NOT NULL AND (m.process_after IS NULL OR m.process_after <= ?) ORDER BY m.seq`,
  );
  /** Spares asking the database each second. */
  const known = new Set<string>();

  function keyOf(id: string, standing: Standing, standings: Standings): string {
    const day = standings.get(id)?.day() ?? '';
    const [first] = daysOf(standing.period, day);
    return [noticeKey(standing), standing.amount, first].join(':');
  }

  /** `say` runs where it was not said before. Returns what it returns, and nothing where it was. */
  function once<T>(key: string, agentGroupId: string | null, now: number, say: () => T): T | undefined {
    if (known.has(key)) return undefined;
    const said = transaction(db, () => (table.tell(key, agentGroupId, now) ? say() : undefined));
    known.add(key);
    return said;
  }

  const chatKey = (what: 'held' | 'left', id: string, why: Standing, standings: Standings, place: Origin) =>
    `${what}:${id}:${keyOf(id, why, standings)}:${JSON.stringify([place.channel_type, place.platform_id, place.thread_id])}`;
  const zoneOf = (standings: Standings, id: string) => standings.get(id)?.timezone ?? 'UTC';

  return {
    waiting(closed, standings, isBegun, now) {
      for (const row of due.all(isoTime(now))) {
        const [id, sessionId, agentId] = [String(row.id), String(row.session_id), String(row.agent_group_id)];
        const why = closed.get(agentId);
        if (!why || isBegun(sessionId, id, Number(row.seq))) continue;
        const place = {
          channel_type: String(row.channel_type),
          platform_id: String(row.platform_id),
          thread_id: row.thread_id === null ? null : String(row.thread_id),
        };
        const text = heldText(why, now, zoneOf(standings, agentId));
        const said = once(chatKey('held', agentId, why, standings, place), agentId, now, () =>
          takeOver.say(place, sessionId, text, id, now),
        );
        if (said !== undefined) deliver([said]);
      }
    },
    ended(session, message, why, standings, now) {
      const { agentGroupId, id } = session;
      table.tell(chatKey('held', agentGroupId, why, standings, message), agentGroupId, now);
      const text = endedText(why, now, zoneOf(standings, agentGroupId));
      return takeOver.say(pick(message), id, text, message.id, now);
    },
    leftOut(agentGroupId, place, task, why, standings, now) {
      if (!table.tell(chatKey('left', agentGroupId, why, standings, place), agentGroupId, now)) return;
      const said = takeOver.say(place, null, leftOutText(task, why, now, zoneOf(standings, agentGroupId)), null, now);
      setImmediate(() => deliver([said]));
    },
    nearly(standings, now) {
      for (const [id, agent] of standings.agents()) {
        for (const standing of nearlyUsedUp(agent.standings)) {
          const key = `nearly:${keyOf(id, standing, standings)}`;
          if (!once(key, standing.agentGroupId, now, () => true)) continue;
          tellOwner(nearlyText(getAgentGroup(db, id)?.assistantName ?? id, standing));
        }
      }
    },
    changed: () => known.clear(),
  };
}

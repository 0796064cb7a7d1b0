import type { DatabaseSync } from 'node:sqlite';
import { isoTime, nextHostSeq } from '@nanoclaw/protocol';
import { newId } from './ids.ts';

export interface Session {
  id: string;
  agentGroupId: string;
  messagingGroupId: string | null;
  threadId: string | null;
  status: 'active' | 'closed';
  /** The host's own highest sequence number, and the highest of the agent's that it has taken over. */
  hostSeq: number;
  receivedSeq: number;
  lastActive: string;
  createdAt: string;
}

export interface Sessions {
  get(id: string): Session | undefined;
  /** The active session of this key, made when there is none. Inside a transaction. */
  ensure(agentGroupId: string, messagingGroupId: string | null, threadId: string | null, now: number): Session;
  /** The same without making one. */
  find(agentGroupId: string, messagingGroupId: string | null, threadId: string | null): Session | undefined;
  list(): Session[];
  setReceived(id: string, seq: number): void;
  /** The host's next number, for a row that isn't in the table `messages`. Inside a transaction. */
  takeSeq(id: string): number;
  setDrained(id: string, drained: boolean): void;
  /** Sessions whose sandbox was running when an earlier host ended. */
  undrained(): string[];
}

const COLUMNS =
  'id, agent_group_id, messaging_group_id, thread_id, status, host_seq, received_seq, last_active, created_at';

export function createSessions(db: DatabaseSync): Sessions {
  const byId = db.prepare(`SELECT ${COLUMNS} FROM sessions WHERE id = ?`);
  const byKey = db.prepare(
    `SELECT ${COLUMNS} FROM sessions WHERE status = 'active' AND agent_group_id = ?
       AND ifnull(messaging_group_id, '') = ? AND ifnull(thread_id, '') = ?`,
  );
  const insert = db.prepare(
    `INSERT INTO sessions (id, agent_group_id, messaging_group_id, thread_id, last_active, created_at)
     VALUES (?, ?, ?, ?, ?, ?)`,
  );
  const all = db.prepare(`SELECT ${COLUMNS} FROM sessions ORDER BY last_active DESC`);
  const received = db.prepare('UPDATE sessions SET received_seq = max(received_seq, ?) WHERE id = ?');
  const ownSeq = db.prepare('SELECT host_seq FROM sessions WHERE id = ?');
  const advance = db.prepare('UPDATE sessions SET host_seq = ? WHERE id = ?');
  const drained = db.prepare('UPDATE sessions SET drained = ? WHERE id = ?');
  const undrained = db.prepare('SELECT id FROM sessions WHERE drained = 0');
  const get = (id: string) => {
    const row = byId.get(id);
    return row && toSession(row);
  };
  const find: Sessions['find'] = (agentGroupId, messagingGroupId, threadId) => {
    const row = byKey.get(agentGroupId, messagingGroupId ?? '', threadId ?? '');
    return row && toSession(row);
  };
  return {
    get,
    find,
    ensure(agentGroupId, messagingGroupId, threadId, now) {
      const found = find(agentGroupId, messagingGroupId, threadId);
      if (found) return found;
      const id = newId('sess', now);
      insert.run(id, agentGroupId, messagingGroupId, threadId, isoTime(now), isoTime(now));
      return {
        id,
        agentGroupId,
        messagingGroupId,
        threadId,
        status: 'active',
        hostSeq: 0,
        receivedSeq: 0,
        lastActive: isoTime(now),
        createdAt: isoTime(now),
      };
    },
    list: () => all.all().map(toSession),
    setReceived(id, seq) {
      received.run(seq, id);
    },
    takeSeq(id) {
      const seq = nextHostSeq(Number(ownSeq.get(id)?.host_seq ?? 0));
      advance.run(seq, id);
      return seq;
    },
    setDrained(id, value) {
      drained.run(value ? 1 : 0, id);
    },
    undrained: () => undrained.all().map((row) => String(row.id)),
  };
}

function toSession(row: Record<string, unknown>): Session {
  return {
    id: String(row.id),
    agentGroupId: String(row.agent_group_id),
    messagingGroupId: row.messaging_group_id as string | null,
    threadId: row.thread_id as string | null,
    status: row.status as Session['status'],
    hostSeq: Number(row.host_seq),
    receivedSeq: Number(row.received_seq),
    lastActive: String(row.last_active),
    createdAt: String(row.created_at),
  };
}

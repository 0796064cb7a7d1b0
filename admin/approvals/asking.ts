import type { DatabaseSync } from 'node:sqlite';
import type { Audit } from '../../src/audit/index.ts';
import type { GroupCommit } from '../../src/db/group-commit.ts';
import type { Logger } from '../../src/log/index.ts';
import type { TakeOver } from '../../src/take-over/index.ts';
import { approversFor, type Grant } from './approvers.ts';
import { cardOf } from './card.ts';
import { type Place, type Reach, rememberDm } from './reach.ts';
import type { Approval, Table } from './table.ts';

/** Shows an approval to the next one who may decide it. */

export interface AskingParts {
  db: DatabaseSync;
  commit: GroupCommit;
  table: Table;
  audit: Audit;
  takeOver: TakeOver;
  reach: Reach;
  /** How long each of them has before the next one is asked. */
  nextMs(): number;
  deliver(messageIds: readonly string[]): void;
  log: Logger;
}

/** In place of a user: the chat that asked was told that nobody can be reached. */
const NOBODY = '';
const NOBODY_TEXT =
  '⏳ This needs the word of somebody who may allow it, and nobody of them can be reached from here yet. Whoever runs me can decide with `ncl approvals list`.';

/** Never rejects. What it didn't get done is due at the next sweep. */
export type Ask = (id: string) => Promise<void>;

export function createAsking(parts: AskingParts): Ask {
  const { db, commit, table, audit, takeOver, log } = parts;
  const asking = new Set<string>();
  const granted = db.prepare(
    `SELECT user_id, role, agent_group_id FROM user_roles WHERE agent_group_id IS NULL OR agent_group_id = ?
     ORDER BY granted_at, rowid`,
  );

  const lastSpeaker = db.prepare(
    `SELECT user_id FROM messages WHERE session_id = ? AND direction = 'in' AND trigger = 1 AND user_id IS NOT NULL
     ORDER BY seq DESC LIMIT 1`,
  );

  const saidAlone = db.prepare(
    `SELECT 1 FROM held_events WHERE approval_id = ?1 AND event ->> 'senderId' = ?2 AND NOT (event ->> 'isGroup') LIMIT 1`,
  );

  /** Where somebody asks alone for what they may decide, they are asked there. */
  function here({ id, channel_type, platform_id }: Approval, userId: string): Place | undefined {
    if (channel_type === null || platform_id === null || !saidAlone.get(id, userId)) return undefined;
    return { channelType: channel_type, platformId: platform_id };
  }

  function order({ agentGroupId, sessionId, channel_type, requestedBy }: Approval): readonly string[] {
    const grants = granted.all(agentGroupId).map(
      (row): Grant => ({
        userId: String(row.user_id),
        role: row.role === 'owner' ? 'owner' : 'admin',
        agentGroupId: row.agent_group_id === null ? null : String(row.agent_group_id),
      }),
    );
    const spoke = sessionId === null ? undefined : lastSpeaker.get(sessionId)?.user_id;
    return approversFor(grants, agentGroupId, channel_type, typeof spoke === 'string' ? spoke : requestedBy);
  }

  async function askNext(id: string): Promise<void> {
    const approval = table.get(id);
    if (approval?.status !== 'pending') return;
    const asked = new Set(table.shown(id).map(({ userId }) => userId));
    let unreachable = 0;
    for (const userId of order(approval)) {
      if (asked.has(userId)) continue;
      const own = here(approval, userId);
      const place = own ?? (await parts.reach(userId));
      if (place) {
        return within(id, (fresh, now) => {
          if (!own) rememberDm(db, userId, place, now);
          return show(fresh, userId, place, now);
        });
      }
      unreachable += 1;
    }
    asked.delete(NOBODY);
    // Who can't be reached now may be later.
    await within(id, (_fresh, now) => {
      table.escalate(id, unreachable > 0 || asked.size === 0 ? now + parts.nextMs() : null);
      return asked.size === 0 ? tellNobody(approval, now) : [];
    });
  }

  /** In a transaction of its own, unless it was decided meanwhile. */
  async function within(id: string, work: (approval: Approval, now: number) => string[]): Promise<void> {
    const said = await commit.run(() => {
      const fresh = table.get(id);
      return fresh?.status === 'pending' ? work(fresh, Date.now()) : [];
    });
    parts.deliver(said);
  }

  function show(approval: Approval, userId: string, place: Place, now: number): string[] {
    const { text, card } = cardOf(approval);
    const origin = { channel_type: place.channelType, platform_id: place.platformId, thread_id: null };
    const messageId = takeOver.say(origin, null, text, null, now, { card });
    table.show(approval.id, { userId, ...place, messageId }, now);
    table.escalate(approval.id, now + parts.nextMs());
    audit.record({ actor: 'host', action: 'approval.asked', subject: approval.id, detail: { of: userId } }, now);
    return [messageId];
  }

  /** Once for an approval: there is one for a subject, and it lives for a day. */
  function tellNobody(approval: Approval, now: number): string[] {
    if (table.shown(approval.id).length > 0) return [];
    log.warn('nobody can be asked', { approval: approval.id, kind: approval.kind });
    audit.record({ actor: 'host', action: 'approval.nobody', subject: approval.id }, now);
    const messageId = takeOver.say(approval, null, NOBODY_TEXT, null, now);
    const { channel_type, platform_id } = approval;
    table.show(
      approval.id,
      { userId: NOBODY, channelType: channel_type ?? '', platformId: platform_id ?? '', messageId },
      now,
    );
    return [messageId];
  }

  return async (id) => {
    if (asking.has(id)) return;
    asking.add(id);
    try {
      await askNext(id);
    } catch (error) {
      log.error('nobody was asked', { approval: id, error });
    } finally {
      asking.delete(id);
    }
  };
}

/** Those to whom it was shown as a card. */
export function isCard({ userId }: { userId: string }): boolean {
  return userId !== NOBODY;
}

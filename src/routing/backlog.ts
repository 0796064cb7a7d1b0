import type { DatabaseSync } from 'node:sqlite';
import { byteLength, cleanText, truncateBytes } from '@nanoclaw/protocol';
import type { InboundEvent, MessageChange } from '../channels/adapter.ts';
import { newId } from '../db/ids.ts';
import type { Messages } from '../db/messages.ts';
import { ensureUser } from '../people/roles.ts';

/** What was said beside an agent: kept, bounded, until it engages in that thread. It makes no session by itself. */

const PER_THREAD = 50;
const PER_WIRING = 2_000;
/** Of one message: many that nobody asked for must not fill the disk, nor a prompt. */
const MAX_KEPT_BYTES = 16 * 1024;
const CUT = '… (the rest was not kept)';

export interface Backlog {
  /** Inside a transaction. False when it is there already. */
  keep(wiringId: string, event: InboundEvent): boolean;
  /** What its author says instead, or nothing. Inside a transaction. */
  change(change: MessageChange): void;
  /** Into the session, as context before what comes next. Inside a transaction. */
  moveTo(sessionId: string, wiringId: string, event: InboundEvent, now: number): void;
}

interface Kept {
  text: string;
  sender: string;
  senderId: string;
}

export function createBacklog(db: DatabaseSync, messages: Messages): Backlog {
  const add = db.prepare(
    `INSERT INTO backlog (wiring_id, thread_id, platform_message_id, user_id, content, timestamp) VALUES (?, ?, ?, ?, ?, ?)
     ON CONFLICT DO NOTHING`,
  );
  const trimThread = db.prepare(
    `DELETE FROM backlog WHERE wiring_id = ?1 AND thread_id = ?2 AND id NOT IN
       (SELECT id FROM backlog WHERE wiring_id = ?1 AND thread_id = ?2 ORDER BY id DESC LIMIT ${PER_THREAD})`,
  );
  const trimWiring = db.prepare(
    `DELETE FROM backlog WHERE id = (SELECT min(id) FROM backlog WHERE wiring_id = ?1)
       AND (SELECT count(*) FROM backlog WHERE wiring_id = ?1) > ${PER_WIRING}`,
  );
  const take = db.prepare('SELECT * FROM backlog WHERE wiring_id = ? AND thread_id = ? ORDER BY id');
  const drop = db.prepare('DELETE FROM backlog WHERE wiring_id = ? AND thread_id = ?');
  const of = `platform_message_id = ?3 AND wiring_id IN (SELECT w.id FROM messaging_group_agents w
    JOIN messaging_groups g ON g.id = w.messaging_group_id WHERE g.channel_type = ?1 AND g.platform_id = ?2)`;
  const rewrite = db.prepare(
    `UPDATE backlog SET content = json_set(content, '$.text', ?4) WHERE user_id = ?5 AND ${of}`,
  );
  const withdraw = db.prepare(`DELETE FROM backlog WHERE ${of}`);
  return {
    keep(wiringId, event) {
      const { text, senderName: sender, senderId, attachments, replyTo } = event;
      const content = {
        text: short(text),
        sender,
        senderId,
        // Only their names: what nobody may ever ask for isn't stored.
        ...(attachments?.length && { attachments: attachments.map(({ type, name }) => ({ type, name })) }),
        ...(replyTo && { replyTo }),
      } satisfies Kept & Record<string, unknown>;
      const thread = event.threadId ?? '';
      const row = [event.platformMessageId, senderId, JSON.stringify(content), event.timestamp] as const;
      if (add.run(wiringId, thread, ...row).changes === 0) return false;
      trimThread.run(wiringId, thread);
      trimWiring.run(wiringId);
      return true;
    },
    change({ channelType, platformId, platformMessageId, senderId, text }) {
      const place = [channelType, platformId, platformMessageId] as const;
      if (text === null) withdraw.run(...place);
      else rewrite.run(...place, short(cleanText(text)), senderId);
    },
    moveTo(sessionId, wiringId, { channelType, platformId, threadId }, now) {
      for (const row of take.all(wiringId, threadId ?? '')) {
        const userId = String(row.user_id);
        const content: Kept = JSON.parse(String(row.content));
        ensureUser(db, userId, content.sender, now);
        messages.addInbound(
          {
            id: newId('msg', now),
            sessionId,
            kind: 'chat',
            timestamp: String(row.timestamp),
            trigger: false,
            content,
            channel_type: channelType,
            platform_id: platformId,
            thread_id: threadId,
            platformMessageId: String(row.platform_message_id),
            userId,
          },
          now,
        );
      }
      drop.run(wiringId, threadId ?? '');
    },
  };
}

function short(text: string): string {
  return byteLength(text) > MAX_KEPT_BYTES ? `${truncateBytes(text, MAX_KEPT_BYTES)}${CUT}` : text;
}

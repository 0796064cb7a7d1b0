import { isoTime } from '@nanoclaw/protocol';
import { transaction } from '../../src/db/group-commit.ts';
import type { Install } from '../../test/support/central.ts';

/** Conversations of a size, settled and sent. Returns the sessions of a busy and of a quiet chat, and a word that was said once. */

const CHATS = 1_000;
const WORDS = 20_000;
const LENGTH = 14;
const BATCH = 20_000;
const FIRST = Date.parse('2024-01-01T00:00:00Z');

export function fillHistory(
  { db, sessions, agentId }: Install,
  messages: number,
): { busy: string; quiet: string; rare: string } {
  const stepMs = Math.floor((Date.now() - FIRST) / messages);
  const addChat = db.prepare(
    "INSERT INTO messaging_groups (id, channel_type, platform_id, name, created_at) VALUES (?1, 'bench', ?1, ?1, ?2)",
  );
  const wire = db.prepare(
    `INSERT INTO messaging_group_agents (id, messaging_group_id, agent_group_id, engage_mode, created_at)
     VALUES (?1, ?2, ?3, 'mention', ?4)`,
  );
  const add = db.prepare(
    `INSERT INTO messages (id, session_id, direction, seq, kind, timestamp, status, outcome, channel_type, platform_id, content,
       created_at) VALUES (?1, ?2, ?3, ?4, 'chat', ?5, 'completed', 'reply', 'bench', ?6, ?7, ?5)`,
  );
  const deliver = db.prepare(
    "INSERT INTO deliveries (message_id, status, created_at, updated_at) VALUES (?1, 'sent', ?2, ?2)",
  );
  let state = 42;
  const random = () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
  // As often as the n-th word of a language: one in n.
  const word = () => `w${Math.floor(Math.exp(random() * Math.log(WORDS)))}`;
  const said = (n: number) => {
    const words = Array.from({ length: LENGTH }, word).join(' ');
    return n === Math.floor(messages / 3) ? `${words} xylophone` : words;
  };

  const places = Array.from({ length: CHATS }, (_, n) => `chat-${n}`);
  const ids = transaction(db, () =>
    places.map((chat) => {
      addChat.run(chat, isoTime(FIRST));
      wire.run(`mga-${chat}`, chat, agentId, isoTime(FIRST));
      return sessions.ensure(agentId, chat, null, FIRST).id;
    }),
  );
  for (let from = 0; from < messages; from += BATCH) {
    transaction(db, () => {
      for (let n = from; n < Math.min(from + BATCH, messages); n += 1) {
        const chat = n % 2 === 0 ? 0 : 1 + Math.floor(random() * (CHATS - 1));
        const at = isoTime(FIRST + n * stepMs);
        const session = ids[chat] ?? '';
        const isOut = n % 4 > 1;
        const id = isOut
          ? `${session}.msg-${n.toString(36).padStart(18, '0')}`
          : `msg-${n.toString(36).padStart(18, '0')}`;
        const content = JSON.stringify({
          text: said(n),
          ...(!isOut && { sender: `Person ${n % 50}`, senderId: `bench:${n % 50}` }),
        });
        add.run(id, session, isOut ? 'out' : 'in', 2 * n + (isOut ? 1 : 0), at, places[chat] ?? '', content);
        if (isOut) deliver.run(id, at);
      }
    });
  }
  return { busy: ids[0] ?? '', quiet: ids[7] ?? '', rare: 'xylophone' };
}

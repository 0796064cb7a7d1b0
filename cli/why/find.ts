import type { DatabaseSync } from 'node:sqlite';
import { NanoError } from '../../src/errors.ts';
import { createLookup } from '../lookup/index.ts';
import type { RefKind } from '../lookup/kinds.ts';
import { chatStory } from './chat.ts';
import { messageStory } from './message.ts';
import { createTeller, type Story, type Teller } from './story.ts';
import { approvalStory, groupStory, sessionStory, userStory, wiringStory } from './things.ts';

/** What a word stands for, and its story. */

const NAMED = `SELECT id FROM messages WHERE id = ?1
  UNION SELECT id FROM messages WHERE platform_message_id = ?1
  UNION SELECT message_id FROM deliveries WHERE platform_message_id = ?1 LIMIT 6`;
const BEGINNING = NAMED.replaceAll(/(\w+) = \?1/g, '$1 >= ?1 AND $1 < ?1 || char(1114111)');

const NEWEST = `SELECT id FROM messages WHERE direction = 'in' AND kind <> 'system' ORDER BY created_at DESC, rowid DESC LIMIT 1`;

type Named = { kind: RefKind; id: string };

/** Without a word the newest message that came in. Throws NC_NOT_FOUND, NC_AMBIGUOUS. */
export function tell(db: DatabaseSync, word: string | undefined): Story {
  const teller = createTeller(db);
  if (word === undefined) {
    const newest = db.prepare(NEWEST).get();
    if (!newest) throw new NanoError('NC_NOT_FOUND', 'There is no message yet.');
    return messageStory(teller, String(newest.id));
  }
  const ids = (sql: string) =>
    db
      .prepare(sql)
      .all(word)
      .map(({ id }) => String(id));
  const messages = word === '' ? [] : ids(NAMED);
  if (messages.length > 0) return messageStory(teller, only(messages));
  const things = thingsCalled(db, word);
  if (things.length > 0) {
    only(things.map(({ kind, id }) => `${id} (${kind})`));
    return storyOf(teller, things[0] ?? { kind: 'chat', id: '' });
  }
  const begun = word === '' ? [] : ids(BEGINNING);
  if (begun.length > 0) return messageStory(teller, only(begun));
  const story = chatStoryOf(teller, word) ?? waitingStory(teller, word);
  if (story) return story;
  const detail = word.includes('/')
    ? `Of a chat ${JSON.stringify(word)} nothing is known: nobody has written there.`
    : `Nothing is called ${JSON.stringify(word)}. Of messages that nobody took is only counted how many: \`ncl why <channel>/<chat>\` tells why.`;
  throw new NanoError('NC_NOT_FOUND', detail);
}

function thingsCalled(db: DatabaseSync, word: string): Named[] {
  const lookup = createLookup({ db, states: () => ({}) });
  return (['approval', 'session', 'wiring', 'group', 'chat', 'user'] as const).flatMap((kind): Named[] => {
    const found = lookup.resolve(kind, word, null);
    if (found.ok) return [{ kind, id: found.data }];
    if (found.code === 'NC_AMBIGUOUS') throw new NanoError(found.code, found.detail);
    return [];
  });
}

function storyOf(teller: Teller, { kind, id }: Named): Story {
  if (kind === 'approval') return approvalStory(teller, id);
  if (kind === 'session') return sessionStory(teller, id);
  if (kind === 'wiring') return wiringStory(teller, id);
  if (kind === 'group') return groupStory(teller, id);
  if (kind === 'user') return userStory(teller, id);
  const chat = teller.get('SELECT channel_type, platform_id FROM messaging_groups WHERE id = ?', id);
  return chatStory(teller, String(chat?.channel_type), String(chat?.platform_id));
}

/** One that isn't known, and of which something was dropped or waits. */
function chatStoryOf(teller: Teller, word: string): Story | undefined {
  const [, channelType = '', platformId = ''] = /^([^/]+)\/(.+)$/s.exec(word) ?? [];
  const seen = teller.get(
    `SELECT 1 FROM dropped_messages WHERE channel_type = ?1 AND platform_id IN (?2, '*')
     UNION ALL SELECT 1 FROM held_events WHERE channel_type = ?1 AND platform_id = ?2 LIMIT 1`,
    channelType,
    platformId,
  );
  return seen && platformId !== '' ? chatStory(teller, channelType, platformId) : undefined;
}

/** A message that isn't stored as one, since it waits or was only overheard. */
function waitingStory(teller: Teller, platformId: string): Story | undefined {
  const held = teller.get('SELECT approval_id FROM held_events WHERE platform_message_id = ? LIMIT 1', platformId);
  if (held) {
    const story = approvalStory(teller, String(held.approval_id));
    return { ...story, about: `Message ${platformId}, which waits for approval ${held.approval_id}` };
  }
  const kept = teller.get(
    'SELECT wiring_id, user_id, timestamp FROM backlog WHERE platform_message_id = ? LIMIT 1',
    platformId,
  );
  if (!kept) return undefined;
  const text = `${teller.who(kept.user_id)} wrote it beside ${teller.wiring(kept.wiring_id)}: it was not addressed, and keeps it as context for when it is.`;
  return {
    about: `Message ${platformId}`,
    lines: [{ at: String(kept.timestamp), text }],
    now: [`\`ncl why ${kept.wiring_id}\` tells what that agent answers.`],
  };
}

function only(ids: readonly string[]): string {
  const [first, ...others] = ids;
  if (first === undefined || others.length > 0) throw new NanoError('NC_AMBIGUOUS', `It may be ${ids.join(', ')}.`);
  return first;
}

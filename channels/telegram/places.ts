import { z } from 'zod';
import type { ChannelContext } from '../../src/channels/plugin.ts';
import type { Chat } from './updates.ts';
import { chatNameOf } from './words.ts';

/**
 * Which chats there are. A group that becomes a supergroup gets another id from Telegram, and its messages are numbered
 * anew; the host goes on to know it by its first id, so that whatever is wired there stays.
 */
export interface Places {
  platformId(chatId: number): string;
  /** Those of a supergroup are marked: the group before it had the same numbers. */
  messageId(chatId: number, messageId: number): string;
  /** What Telegram calls the chat today. */
  target(platformId: string): string;
  moved(from: string, to: string): void;
  /** The bot was seen in this chat, or has left it. */
  note(chat: Chat, present: boolean): void;
  /** The newest first. */
  list(): readonly Known[];
}

type Known = z.infer<typeof Known>;
const Known = z.object({ platformId: z.string(), name: z.string(), isGroup: z.boolean() });

const MOST_CHATS = 200;
const MARK = 's';

export function createPlaces({ recall, remember }: Pick<ChannelContext, 'recall' | 'remember'>): Places {
  const firstIds = new Map<string, string>();
  let known = read(recall('chats'));

  function platformId(chatId: number): string {
    const id = String(chatId);
    const first = firstIds.get(id) ?? recall(`was:${id}`) ?? id;
    if (firstIds.size > 1000) firstIds.clear();
    firstIds.set(id, first);
    return first;
  }

  return {
    platformId,
    messageId: (chatId, messageId) =>
      platformId(chatId) === String(chatId) ? String(messageId) : `${MARK}${messageId}`,
    target: (id) => recall(`now:${id}`) ?? id,
    moved(from, to) {
      if (from === to || recall(`was:${to}`) !== undefined) return;
      const first = recall(`was:${from}`) ?? from;
      remember(`now:${first}`, to);
      remember(`was:${to}`, first);
      firstIds.delete(to);
    },
    note(chat, present) {
      const one = { platformId: platformId(chat.id), name: chatNameOf(chat), isGroup: chat.type !== 'private' };
      const old = known.find((other) => other.platformId === one.platformId);
      if (present ? old?.name === one.name : !old) return;
      const others = known.filter((other) => other !== old);
      const next = (present ? [one, ...others] : others).slice(0, MOST_CHATS);
      remember('chats', JSON.stringify(next));
      known = next;
    },
    list: () => known,
  };
}

/** Of a message as the host names it; undefined when there can't be one. */
export function numberOf(platformMessageId: string): number | undefined {
  const digits = platformMessageId.startsWith(MARK) ? platformMessageId.slice(MARK.length) : platformMessageId;
  return /^\d{1,15}$/.test(digits) ? Number(digits) : undefined;
}

function read(text: string | undefined): readonly Known[] {
  try {
    return z.array(Known).parse(JSON.parse(text ?? '[]'));
  } catch {
    return [];
  }
}

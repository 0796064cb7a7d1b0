import { z } from 'zod';
import { blocksOf, calledBy, refusalOf } from './checks.ts';
import { BOT, type SlackChat, type SlackMessage, type SlackState, TEAM } from './state.ts';

/** The Web API's methods, refusing what Slack's documentation says it refuses. */

export type Fields = Readonly<Record<string, string>>;
type Answer = Record<string, unknown>;

export class Refused extends Error {}

const PAGE = 100;

export function methodsOf(state: SlackState, root: () => string): Record<string, (fields: Fields) => Answer> {
  function chatOf(id: string | undefined): SlackChat {
    const chat = state.chats.get(id ?? '');
    if (!chat) throw new Refused('channel_not_found');
    if (!chat.is_member) throw new Refused('not_in_channel');
    return chat;
  }

  function openChat(id: string | undefined): SlackChat {
    const chat = chatOf(id);
    if (chat.is_archived) throw new Refused('is_archived');
    return chat;
  }

  function messageOf({ channel = '', ts = '', timestamp = ts }: Fields): SlackMessage {
    const found = state.messages.find((one) => one.channel === channel && one.ts === timestamp);
    if (!found) throw new Refused('message_not_found');
    return found;
  }

  function written(fields: Fields, isUpdate: boolean) {
    const { text = '' } = fields;
    const blocks = blocksOf(fields.blocks);
    if (typeof blocks === 'string') throw new Refused(blocks);
    const refusal = refusalOf(text, (blocks?.length ?? 0) > 0, isUpdate);
    if (refusal) throw new Refused(refusal);
    state.notified.push(...calledBy(text));
    for (const one of blocks ?? []) if (one.type === 'section') state.notified.push(...calledBy(one.text.text));
    return { text, ...(blocks && { blocks }) };
  }

  function threadOf(channel: string, { thread_ts }: Fields): { thread_ts?: string } {
    if (thread_ts === undefined) return {};
    const parent = state.messages.find((one) => one.channel === channel && one.ts === thread_ts);
    if (!parent) throw new Refused('thread_not_found');
    return { thread_ts };
  }

  function put(channel: string, fields: Omit<SlackMessage, 'ts' | 'channel' | 'user'>): SlackMessage {
    const message = { ts: state.nextTs(), channel, user: BOT.id, bot_id: BOT.botId, ...fields };
    state.messages.push(message);
    const parent = state.messages.find((one) => one.channel === channel && one.ts === message.thread_ts);
    if (parent) parent.latest_reply = message.ts;
    state.onPut(message);
    return message;
  }

  function page(all: readonly unknown[], { cursor = '0', limit = '100' }: Fields): [unknown[], Answer] {
    const from = Number(cursor);
    const to = from + Math.min(Number(limit), PAGE);
    return [all.slice(from, to), { next_cursor: to < all.length ? String(to) : '' }];
  }

  return {
    'auth.test': () => ({
      ...{ user_id: BOT.id, bot_id: BOT.botId, user: BOT.name, team: TEAM.name, team_id: TEAM.id },
      url: 'https://testworks.slack.com/',
    }),
    'chat.postMessage'(fields) {
      const { id } = openChat(fields.channel);
      const said = written(fields, false);
      const { ts } = put(id, { ...said, ...threadOf(id, fields) });
      return { channel: id, ts };
    },
    'chat.update'(fields) {
      const message = messageOf(fields);
      if (message.bot_id !== BOT.botId) throw new Refused('cant_update_message');
      const said = written(fields, true);
      // Blocks that aren't named stay.
      Object.assign(message, said);
      return { channel: message.channel, ts: message.ts };
    },
    'chat.postEphemeral'({ channel = '', user = '', text = '' }) {
      openChat(channel);
      if (!state.users.has(user)) throw new Refused('user_not_in_channel');
      state.ephemeral.push({ channel, user, text });
      return { message_ts: state.nextTs() };
    },
    'reactions.add'(fields) {
      const { channel = '', timestamp: ts = '', name = '' } = fields;
      messageOf(fields);
      if (!/^[a-z0-9_'+-]+$/.test(name)) throw new Refused('invalid_name');
      if (state.reactions.some((one) => one.channel === channel && one.ts === ts && one.name === name)) {
        throw new Refused('already_reacted');
      }
      state.reactions.push({ channel, ts, name });
      return {};
    },
    'reactions.remove'({ channel, timestamp: ts, name }) {
      const at = state.reactions.findIndex((one) => one.channel === channel && one.ts === ts && one.name === name);
      if (at === -1) throw new Refused('no_reaction');
      state.reactions.splice(at, 1);
      return {};
    },
    'assistant.threads.setStatus'({ channel_id: channel = '', thread_ts: thread = '', status = '' }) {
      chatOf(channel);
      if (!state.messages.some((one) => one.channel === channel && one.ts === thread))
        throw new Refused('invalid_thread_ts');
      state.statuses.push({ channel, thread, status });
      return {};
    },
    'conversations.info': ({ channel }) => ({ channel: chatOf(channel) }),
    'conversations.open'({ users = '' }) {
      if (!state.users.has(users)) throw new Refused('user_not_found');
      return { channel: { id: state.dmOf(users) } };
    },
    'users.conversations'(fields) {
      const all = [...state.chats.values()].filter((one) => one.is_member && !one.is_archived);
      const [channels, response_metadata] = page(all, fields);
      return { channels, response_metadata };
    },
    'users.info'({ user = '' }) {
      const found = state.users.get(user);
      if (!found) throw new Refused('user_not_found');
      const profile = { display_name: found.name, real_name: found.name };
      return { user: { id: user, name: found.name, real_name: found.name, is_bot: found.isBot, profile } };
    },
    'conversations.history'(fields) {
      const { id } = chatOf(fields.channel);
      const found = state.messages.filter(
        (one) => one.channel === id && isTop(one) && Number(one.ts) > Number(fields.oldest ?? 0),
      );
      const [messages, response_metadata] = page(found.toReversed(), fields);
      return { messages, response_metadata };
    },
    'conversations.replies'(fields) {
      const { id } = chatOf(fields.channel);
      const [parent, ...others] = state.messages.filter(
        (one) => one.channel === id && (one.ts === fields.ts || one.thread_ts === fields.ts),
      );
      if (!parent) throw new Refused('thread_not_found');
      const replies = others.filter((one) => Number(one.ts) > Number(fields.oldest ?? 0));
      const [messages, response_metadata] = page([parent, ...replies], fields);
      return { messages, response_metadata };
    },
    'files.getUploadURLExternal'({ filename: name = '', length = '' }) {
      const size = Number(length);
      if (name === '' || !(size > 0)) throw new Refused('invalid_arguments');
      const id = `F${String(state.uploads.size + 1).padStart(4, '0')}`;
      state.uploads.set(id, { id, name, size, content: undefined, isShared: false });
      return { upload_url: `${root()}/upload/${id}`, file_id: id };
    },
    'files.completeUploadExternal'(fields) {
      const { id } = openChat(fields.channel_id);
      const { initial_comment: text = '' } = fields;
      const files = Named.parse(JSON.parse(fields.files ?? '')).map((one) => {
        const file = state.uploads.get(one.id);
        if (!file?.content || file.isShared) throw new Refused('file_not_found');
        return file;
      });
      state.notified.push(...calledBy(text));
      for (const file of files) file.isShared = true;
      const shared = files.map(({ content: _, isShared: __, ...file }) => file);
      put(id, { text, files: shared, ...threadOf(id, fields) });
      return { files: shared.map(({ id: own, name }) => ({ id: own, title: name })) };
    },
  };
}

const Named = z.array(z.object({ id: z.string() })).min(1);

function isTop({ thread_ts, ts, subtype }: SlackMessage): boolean {
  return thread_ts === undefined || thread_ts === ts || subtype === 'thread_broadcast';
}

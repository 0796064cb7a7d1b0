import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { dmOf } from '../../channels/terminal/address.ts';
import type { CardFrame, ClientFrame, MessageFrame, ServerFrame } from '../../channels/terminal/frames.ts';
import { openCentral } from '../../src/db/connection.ts';
import { transaction } from '../../src/db/group-commit.ts';
import type { Terminal, TestHost } from './host-process.ts';
import { until } from './until.ts';

/** Users, groups, threads and buttons of the terminal channel, played on a real host. */

export interface Where {
  /** `terminal` unless it is said. */
  channel?: string;
  /** The chat. What a user does without one happens in their own; what is looked for, in `local`. */
  in?: string;
  /** Left out: in any, or said in none. */
  thread?: string;
}

export interface Sent {
  id: string;
  /** What the host said at the door. */
  status: 'accepted' | 'held' | 'answered' | 'duplicate' | 'refused';
  messageIds: readonly string[];
  /** Of a refusal. */
  code?: string;
  sentence?: string;
  /** Waits until everything that answers it has been said. */
  settled(): Promise<string>;
}

export interface Actor {
  name: string;
  /** The user id on a channel. */
  id(channel?: string): string;
  /** Resolves when the host has taken or refused it. `id`: to send one again. */
  says(
    text: string,
    where?: Where & { replyTo?: MessageFrame | CardFrame; id?: string; files?: readonly string[] },
  ): Promise<Sent>;
  /** Says it and waits for its end; what was said in that chat since, oldest first. */
  asks(text: string, where?: Where): Promise<string[]>;
  /** The button with that label; `where`: in another chat than the card's, as if it had been forwarded. Returns the short answer. */
  presses(card: CardFrame, label: string, where?: Where): Promise<string>;
  /** The same with data of one's own making. */
  pressesData(card: Pick<CardFrame, 'id'>, data: string, where?: Where): Promise<string>;
}

export interface Cast {
  user(name: string): Actor;
  owner: Actor;
  /** Waits for a message or card there whose text fits, from the beginning of this cast on; the newest. */
  seen(where: Where, text: RegExp): Promise<MessageFrame | CardFrame>;
  /** What was said there until now, without progress; cards too, by their text. */
  said(where: Where): string[];
  /** Waits for an open card there; the newest whose text fits. */
  card(where: Where, text?: RegExp): Promise<CardFrame>;
  /** The cards there that still have buttons. */
  openCards(where: Where): CardFrame[];
  /** Waits until that message is replaced by a text that fits. */
  edited(message: { id: string }, text?: RegExp): Promise<string>;
  frames: readonly ServerFrame[];
  close(): void;
}

/**
 * Watches every chat of every terminal there is. `watches`: only these, so that what is said elsewhere waits until somebody
 * comes. The host's end closes it; after a restart, open another one.
 */
export async function openCast(host: TestHost, options: { watches?: readonly Where[] } = {}): Promise<Cast> {
  const terminal = await host.terminal();
  const { frames } = terminal;
  const asked = options.watches ?? [{ in: '*' }, { channel: 'terminal-2', in: '*' }];
  for (const { channel, in: chat } of asked) {
    const { type } = await answer(terminal, { type: 'watch', id: randomUUID(), ...on(channel), ...(chat && { chat }) });
    if (type === 'refused' && options.watches) throw new Error(`There is no ${channel} to watch.`);
  }

  function user(name: string): Actor {
    const own = dmOf(name);
    const actor = (where: Where = {}) => ({
      user: name,
      chat: where.in ?? own,
      ...on(where.channel),
      ...(where.thread !== undefined && { thread: where.thread }),
    });
    async function says(text: string, where: Parameters<Actor['says']>[1] = {}): Promise<Sent> {
      const id = where.id ?? randomUUID();
      const replyTo = where.replyTo && { id: where.replyTo.id, text: where.replyTo.text };
      const more = { ...(replyTo && { replyTo }), ...(where.files && { files: [...where.files] }) };
      const frame = await answer(terminal, { type: 'message', id, text, ...actor(where), ...more });
      const settled = async () => {
        await until(() => terminal.outcome(id), 60_000);
        return terminal.outcome(id) ?? '';
      };
      if (frame.type === 'refused') {
        const { code, sentence } = frame;
        return { id, status: 'refused', messageIds: [], code, sentence, settled };
      }
      if (frame.type !== 'accepted') throw new Error(`${frame.type} is no answer to a message.`);
      const { held, answered, duplicate, messageIds } = frame;
      const status = held ? 'held' : answered ? 'answered' : duplicate ? 'duplicate' : 'accepted';
      return { id, status, messageIds, settled };
    }
    async function pressesData(card: { id: string }, data: string, where?: Where): Promise<string> {
      const frame = await answer(terminal, { type: 'press', id: randomUUID(), card: card.id, data, ...actor(where) });
      if (frame.type === 'pressed') return frame.text;
      throw new Error(frame.type === 'refused' ? frame.sentence : `${frame.type} is no answer to a press.`);
    }
    return {
      name,
      id: (channel = 'terminal') => `${channel}:${name}`,
      says,
      async asks(text, where = {}) {
        const from = frames.length;
        const sent = await says(text, where);
        if (sent.status === 'refused') throw new Error(sent.sentence);
        await sent.settled();
        const heard = spoken({ ...on(where.channel), in: where.in ?? own }, from);
        // What is said in no thread is for all of them; and there are channels without any.
        return heard.filter(({ thread = where.thread }) => thread === where.thread).map((frame) => frame.text);
      },
      presses(card, label, where) {
        const button = card.buttons.find((one) => one.label === label);
        const labels = card.buttons.map((one) => one.label).join(', ');
        if (!button) throw new Error(`The card has no button ${label}; it has ${labels}.`);
        return pressesData(card, button.data, { ...placeOf(card), ...where });
      },
      pressesData,
    };
  }

  const spoken = (where: Where, from = 0) =>
    frames
      .slice(from)
      .filter(isSpoken)
      .filter((frame) => isThere(frame, where));
  const texts = (where: Where) => spoken(where).map((frame) => frame.text);
  const replaced = (id: string) => frames.findLast((frame) => frame.type === 'edited' && frame.id === id);

  function openCards(where: Where): CardFrame[] {
    const cards = spoken(where).filter((frame) => frame.type === 'card');
    return cards.filter(({ id }) => {
      const edit = replaced(id);
      return edit?.type !== 'edited' || (edit.buttons ?? []).length > 0;
    });
  }

  /** Waits for it; fails with what was there instead. */
  async function wait<T>(what: string, find: () => T | undefined, where: Where): Promise<T> {
    await until(() => find() !== undefined).catch(() => undefined);
    const found = find();
    if (found !== undefined) return found;
    throw new Error(`${what} never came to ${JSON.stringify(where)}; there was ${JSON.stringify(texts(where))}.`);
  }

  return {
    user,
    owner: user('owner'),
    seen: (where, text) => wait(String(text), () => spoken(where).findLast((frame) => text.test(frame.text)), where),
    said: (where) => texts(where),
    card: (where, text = /^/) =>
      wait(`A card ${text}`, () => openCards(where).findLast((frame) => text.test(frame.text)), where),
    openCards,
    edited: (message, text = /^/) =>
      wait(
        `An edit of ${message.id}`,
        () => {
          const edit = replaced(message.id);
          return edit?.type === 'edited' && text.test(edit.text) ? edit.text : undefined;
        },
        {},
      ),
    frames,
    close: terminal.close,
  };
}

async function answer(terminal: Terminal, frame: ClientFrame): Promise<ServerFrame> {
  const from = terminal.frames.length;
  terminal.socket.write(`${JSON.stringify(frame)}\n`);
  const find = () => terminal.frames.slice(from).find((one) => isAnswer(one) && one.id === frame.id);
  await until(find);
  const found = find();
  if (!found) throw new Error('The host did not answer.');
  return found;
}

function isAnswer(
  frame: ServerFrame,
): frame is Extract<ServerFrame, { type: 'accepted' | 'refused' | 'pressed' | 'watching' }> {
  return ['accepted', 'refused', 'pressed', 'watching'].includes(frame.type);
}

function isSpoken(frame: ServerFrame): frame is MessageFrame | CardFrame {
  return frame.type === 'message' || frame.type === 'card';
}

function placeOf({ channel, chat = 'local', thread }: CardFrame): Where {
  return { ...on(channel), in: chat, ...(thread !== undefined && { thread }) };
}

function on(channel: string | undefined): { channel?: string } {
  return channel === undefined ? {} : { channel };
}

function isThere(frame: MessageFrame | CardFrame, where: Where): boolean {
  const { channel = 'terminal', chat = 'local', thread } = frame;
  const { channel: wanted = 'terminal', in: place = 'local' } = where;
  return channel === wanted && chat === place && (where.thread === undefined || thread === where.thread);
}

export interface CastChat {
  channel?: string;
  chat: string;
  engageMode?: 'pattern' | 'mention' | 'mention-sticky';
  unknownSenderPolicy?: 'strict' | 'request_approval' | 'public';
}

/** Makes chats, with the install's first agent in each (a DM: everything; a group: when it is mentioned). Beside a host, too. */
export function addChats(home: string, chats: readonly CastChat[]): void {
  change(home, (db, agent, now) => {
    const addChat = db.prepare(
      `INSERT INTO messaging_groups (id, channel_type, platform_id, name, is_group, unknown_sender_policy, created_at)
       VALUES (?, ?, ?, ?, ?, ?, ?)`,
    );
    const wire = db.prepare(
      `INSERT INTO messaging_group_agents (id, messaging_group_id, agent_group_id, engage_mode, engage_pattern, created_at)
       VALUES (?, ?, ?, ?, ?, ?)`,
    );
    for (const { channel = 'terminal', chat, engageMode, unknownSenderPolicy = 'strict' } of chats) {
      const isGroup = chat !== 'local' && !chat.startsWith('dm-');
      const mode = engageMode ?? (isGroup ? 'mention' : 'pattern');
      addChat.run(`mg-${channel}-${chat}`, channel, chat, chat, isGroup ? 1 : 0, unknownSenderPolicy, now);
      wire.run(`mga-${channel}-${chat}`, `mg-${channel}-${chat}`, agent, mode, mode === 'pattern' ? '.' : null, now);
    }
  });
}

/** Makes users (`terminal:ann`) members of the install's first agent. Beside a host, too. */
export function addMembers(home: string, users: readonly string[]): void {
  change(home, (db, agent, now) => {
    const addUser = db.prepare(
      'INSERT INTO users (id, kind, display_name, created_at) VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING',
    );
    const add = db.prepare('INSERT INTO agent_group_members (agent_group_id, user_id, added_at) VALUES (?, ?, ?)');
    for (const user of users) {
      const [kind = '', handle = ''] = user.split(':');
      addUser.run(user, kind, handle, now);
      add.run(agent, user, now);
    }
  });
}

type Central = ReturnType<typeof openCentral>;

function change(home: string, make: (db: Central, agent: string, now: string) => void): void {
  const db = openCentral({ file: join(home, 'data/v2.db'), backups: join(home, 'data/backups'), now: Date.now() });
  try {
    const agent = String(db.prepare('SELECT id FROM agent_groups ORDER BY uid_ordinal LIMIT 1').get()?.id);
    transaction(db, () => make(db, agent, new Date().toISOString()));
  } finally {
    db.close();
  }
}

/** What a scripted Discord holds: one server with a channel, a thread and a forum in it, people, and what they said. */

export const TOKEN = 'MTAwMDAwMDAwMDAwMDAwMDAw.Gfake0.scripted-token-of-the-fake-discord';
export const BOT = { id: '100000000000000001', username: 'Andy', global_name: null, bot: true };
export const GUILD = { id: '200000000000000001', name: 'Family' };
export const GENERAL = '300000000000000001';
export const THREAD = '300000000000000002';
export const FORUM = '300000000000000003';
/** Of a forum that is gone. */
export const ORPHAN = '300000000000000004';
export const ROLE = '400000000000000001';

export interface Person {
  id: string;
  username: string;
  global_name: string | null;
  bot?: boolean;
}

export interface FakeChannel {
  id: string;
  type: number;
  guild_id?: string;
  name?: string;
  parent_id?: string | null;
  last_message_id: string | null;
  recipients?: Person[];
}

export interface FakeMessage {
  id: string;
  channel_id: string;
  guild_id?: string;
  author: Person;
  content: string;
  timestamp: string;
  edited_timestamp: string | null;
  type: number;
  mentions: Person[];
  mention_roles: string[];
  attachments: { id: string; filename: string; size: number; url: string; content_type?: string }[];
  embeds: object[];
  components: { components: { custom_id: string; label: string }[] }[];
  flags: number;
  nonce?: string;
  [more: string]: unknown;
}

const EPOCH_MS = 1_420_070_400_000;

export function createWorld() {
  let count = 0n;
  let lastMs = 0;
  const channels = new Map<string, FakeChannel>();
  const messages: FakeMessage[] = [];
  const people = new Map<string, Person>();
  const files = new Map<string, Buffer>();

  /** Of this moment, each greater than the one before. */
  function snowflake(at = Date.now()): string {
    lastMs = Math.max(lastMs, at);
    count += 1n;
    return String((BigInt(lastMs - EPOCH_MS) << 22n) | (count & 0x3fffffn));
  }

  function person(name: string): Person {
    const known = people.get(name);
    if (known) return known;
    const made = { id: `5000000000000000${String(people.size + 10)}`, username: name, global_name: null };
    people.set(name, made);
    return made;
  }

  function direct(one: Person): FakeChannel {
    const id = `6${one.id.slice(1)}`;
    const known = channels.get(id);
    if (known) return known;
    const made = { id, type: 1, last_message_id: null, recipients: [one] };
    channels.set(id, made);
    return made;
  }

  const place = { guild_id: GUILD.id, last_message_id: null };
  for (const channel of [
    { id: GENERAL, type: 0, name: 'general', parent_id: null },
    { id: THREAD, type: 11, name: 'a topic', parent_id: GENERAL },
    { id: FORUM, type: 15, name: 'questions', parent_id: null },
    { id: ORPHAN, type: 11, name: 'left over', parent_id: null },
  ]) {
    channels.set(channel.id, { ...channel, ...place });
  }

  return {
    channels,
    messages,
    files,
    snowflake,
    person,
    knownPerson: (id: string) => [...people.values()].find((one) => one.id === id),
    direct,
    of: (channelId: string) => messages.filter(({ channel_id }) => channel_id === channelId),
    /** Says it; who is named in it is found by the text. */
    say(fields: Partial<FakeMessage> & { channel_id: string; author: Person; content: string }): FakeMessage {
      const channel = channels.get(fields.channel_id);
      if (!channel) throw new Error(`There is no channel ${fields.channel_id}.`);
      const named = [...fields.content.matchAll(/<@!?(\d+)>/g)].map(([, id]) => id);
      const everybody = [BOT, ...people.values()];
      const message: FakeMessage = {
        id: snowflake(),
        ...(channel.guild_id !== undefined && { guild_id: channel.guild_id }),
        timestamp: new Date().toISOString(),
        edited_timestamp: null,
        type: 0,
        mentions: everybody.filter(({ id }) => named.includes(id)),
        mention_roles: [...fields.content.matchAll(/<@&(\d+)>/g)].map(([, id]) => id ?? ''),
        attachments: [],
        embeds: [],
        components: [],
        flags: 0,
        ...fields,
      };
      messages.push(message);
      channel.last_message_id = message.id;
      return message;
    },
  };
}

export type World = ReturnType<typeof createWorld>;

import type { FakeGateway } from './gateway.ts';
import { BOT, type FakeMessage, FORUM, GUILD, type Person, type World } from './world.ts';

/** Discord's REST API, as far as a channel needs it; it refuses what Discord's documentation says it refuses. */

export class Refused extends Error {
  readonly status: number;
  readonly code: number;
  constructor(status: number, code: number, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

export interface Call {
  method: string;
  path: string;
  query: URLSearchParams;
  body: Record<string, unknown>;
  files: { name: string; content: Buffer }[];
}

export interface Pressed {
  id: string;
  token: string;
  at: number;
  acknowledged: boolean;
  answer: string | undefined;
}

const MAX_FILE = 10 * 1024 * 1024;
const NONCE_MS = 3 * 60_000;
const ACK_MS = 3_000;
const invalid = (what: string) => new Refused(400, 50_035, `Invalid Form Body: ${what}`);
const unknownChannel = () => new Refused(404, 10_003, 'Unknown Channel');
const unknownMessage = () => new Refused(404, 10_008, 'Unknown Message');

export function createRest(world: World, gateway: FakeGateway, url: () => string) {
  const state = {
    /** Flags of the application: it may read. */
    flags: 1 << 19,
    /** Channels that are gone, and some that the bot may not see. */
    gone: new Set<string>(),
    closed: new Set<string>(),
    /** The bot's roles. */
    roles: [] as string[],
    typing: [] as string[],
    reactions: [] as { message: string; emoji: string }[],
    presses: [] as Pressed[],
    /** Who was called by what the bot said. */
    pinged: [] as string[],
  };

  function channelOf(id: string | undefined) {
    const channel = world.channels.get(id ?? '');
    if (!channel || state.gone.has(channel.id)) throw unknownChannel();
    if (state.closed.has(channel.id)) throw new Refused(403, 50_001, 'Missing Access');
    return channel;
  }

  function answer(call: Call): unknown {
    const { method, path, body } = call;
    const [head, first, second, third, fourth, fifth] = path.split('/').slice(1);
    const route = `${method} ${head}/${second ?? ''}`;
    if (path === '/users/@me') return BOT;
    if (path === '/applications/@me') return { id: BOT.id, flags: state.flags };
    if (path === '/users/@me/guilds') return [GUILD];
    if (path === '/users/@me/channels' && method === 'POST') return openDirect(String(body.recipient_id));
    if (head === 'guilds') return guild(first, second, third);
    if (head === 'interactions' && third === 'callback') return acknowledge(first ?? '', second ?? '', body);
    if (head === 'webhooks') return followUp(second ?? '', body);
    if (route === 'GET channels/') return channelOf(first);
    if (route === 'POST channels/typing') {
      state.typing.push(channelOf(first).id);
      return undefined;
    }
    if (head === 'channels' && second === 'messages') return messages(call, first, third, fourth, fifth);
    throw new Refused(404, 0, '404: Not Found');
  }

  function guild(id: string | undefined, what: string | undefined, who: string | undefined): unknown {
    if (id !== GUILD.id) throw new Refused(404, 10_004, 'Unknown Guild');
    const own = [...world.channels.values()].filter((one) => one.guild_id === id && !state.gone.has(one.id));
    if (what === 'channels') return own.filter(({ type }) => type !== 11);
    if (what === 'threads') return { threads: own.filter(({ type }) => type === 11), members: [] };
    if (what === 'members' && who === BOT.id) return { user: BOT, roles: state.roles };
    throw new Refused(403, 50_001, 'Missing Access');
  }

  function openDirect(id: string): unknown {
    const person = world.knownPerson(id);
    if (!person) throw invalid('recipient_id');
    return world.direct(person);
  }

  function messages(call: Call, channelId?: string, id?: string, what?: string, emoji?: string): unknown {
    const { method, body } = call;
    const channel = channelOf(channelId);
    if (id === undefined) return method === 'POST' ? create(call, channel.id) : history(call.query, channel.id);
    const message = world.of(channel.id).find((one) => one.id === id);
    if (!message) throw unknownMessage();
    if (what === 'reactions' && method === 'PUT') {
      const plain = decodeURIComponent(emoji ?? '');
      if (!/\p{Extended_Pictographic}|^\w+:\d+$/u.test(plain)) throw new Refused(400, 10_014, 'Unknown Emoji');
      state.reactions.push({ message: id, emoji: plain });
      return undefined;
    }
    if (method !== 'PATCH') throw new Refused(405, 0, '405: Method Not Allowed');
    if (message.author.id !== BOT.id) throw new Refused(403, 50_005, 'Cannot edit a message authored by another user');
    checkWords(body);
    const changes = { content: String(body.content ?? message.content).trim(), ...componentsOf(body) };
    Object.assign(message, changes, { edited_timestamp: new Date().toISOString() });
    gateway.dispatch('MESSAGE_UPDATE', message);
    return message;
  }

  function history(query: URLSearchParams, channelId: string): FakeMessage[] {
    const limit = Number(query.get('limit') ?? '50');
    if (!(limit >= 1 && limit <= 100)) throw invalid('limit');
    const after = BigInt(query.get('after') ?? '0');
    const page = world
      .of(channelId)
      .filter(({ id }) => BigInt(id) > after)
      .slice(0, limit);
    // History has no server's number in it, and the newest first.
    return page.map(({ guild_id: _, nonce: __, ...message }) => message as FakeMessage).toReversed();
  }

  function create({ body, files }: Call, channelId: string): FakeMessage {
    if (channelId === FORUM) throw new Refused(400, 50_008, 'Cannot send messages in a non-text channel');
    checkWords(body);
    checkFiles(body, files);
    const { nonce } = body;
    if (nonce !== undefined && (typeof nonce !== 'string' || nonce.length > 25)) throw invalid('nonce');
    const content = String(body.content ?? '').trim();
    if (content === '' && files.length === 0) throw new Refused(400, 50_006, 'Cannot send an empty message');
    const recent = Date.now() - NONCE_MS;
    const same = world.messages.find((one) => one.nonce === nonce && Date.parse(one.timestamp) > recent);
    if (nonce !== undefined && body.enforce_nonce === true && same) return same;
    const reference = body.message_reference as { message_id?: string; fail_if_not_exists?: boolean } | undefined;
    const isThere = world.of(channelId).some(({ id }) => id === reference?.message_id);
    if (reference && !isThere && reference.fail_if_not_exists !== false) throw invalid('message_reference');
    notePings(content, body);
    const message = world.say({
      channel_id: channelId,
      author: BOT as Person,
      content,
      flags: Number(body.flags ?? 0),
      ...(typeof nonce === 'string' && { nonce }),
      ...componentsOf(body),
      attachments: files.map(({ name, content: bytes }) => keep(name, bytes)),
    });
    gateway.dispatch('MESSAGE_CREATE', message);
    return message;
  }

  function keep(filename: string, content: Buffer) {
    const id = world.snowflake();
    world.files.set(id, content);
    return { id, filename, size: content.length, url: `${url()}/attachments/${id}/${encodeURIComponent(filename)}` };
  }

  function notePings(content: string, body: Record<string, unknown>): void {
    const allowed = body.allowed_mentions as { parse?: string[]; replied_user?: boolean } | undefined;
    const may = (kind: string) => allowed?.parse === undefined || allowed.parse.includes(kind);
    if (may('everyone') && /@(everyone|here)/.test(content)) state.pinged.push('everyone');
    if (may('users')) state.pinged.push(...[...content.matchAll(/<@!?(\d+)>/g)].map(([, id]) => id ?? ''));
    if (may('roles')) state.pinged.push(...[...content.matchAll(/<@&(\d+)>/g)].map(([, id]) => id ?? ''));
    const { message_id: id } = (body.message_reference ?? {}) as { message_id?: string };
    const answered = world.messages.find((one) => one.id === id);
    if (answered && allowed?.replied_user !== false) state.pinged.push(answered.author.id);
  }

  function acknowledge(id: string, token: string, body: Record<string, unknown>): undefined {
    const press = state.presses.find((one) => one.id === id && one.token === token);
    if (!press || Date.now() - press.at > ACK_MS) throw new Refused(404, 10_062, 'Unknown interaction');
    if (press.acknowledged) throw new Refused(400, 40_060, 'Interaction has already been acknowledged.');
    if (![4, 5, 6].includes(Number(body.type))) throw invalid('type');
    press.acknowledged = true;
  }

  function followUp(token: string, body: Record<string, unknown>): object {
    const press = state.presses.find((one) => one.token === token);
    if (!press?.acknowledged) throw new Refused(404, 10_015, 'Unknown Webhook');
    checkWords(body);
    press.answer = String(body.content);
    return {};
  }

  return { state, answer, keep };
}

function checkWords({ content }: Record<string, unknown>): void {
  if (content !== undefined && (typeof content !== 'string' || content.length > 2_000)) throw invalid('content');
}

function checkFiles(body: Record<string, unknown>, files: Call['files']): void {
  if (files.length > 10) throw invalid('files');
  if (files.some(({ content }) => content.length > MAX_FILE))
    throw new Refused(413, 40_005, 'Request entity too large');
  const named = (body.attachments ?? []) as { id: number; filename: string }[];
  if (named.length !== files.length || named.some(({ id, filename }) => files[id]?.name !== filename)) {
    throw invalid('attachments');
  }
}

function componentsOf({ components }: Record<string, unknown>): Pick<FakeMessage, 'components'> | undefined {
  if (components === undefined) return undefined;
  const rows = components as FakeMessage['components'];
  const ids = new Set<string>();
  if (rows.length > 5) throw invalid('components');
  for (const { components: buttons } of rows) {
    if (buttons.length < 1 || buttons.length > 5) throw invalid('components');
    for (const { custom_id: id, label } of buttons) {
      if (!id || id.length > 100 || ids.has(id)) throw new Refused(400, 50_035, 'Component custom id');
      if (!label || label.length > 80) throw invalid('label');
      ids.add(id);
    }
  }
  return { components: rows };
}

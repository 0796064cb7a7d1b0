import { dmOf } from '../../channels/terminal/address.ts';
import type { Place } from './scenario.ts';
import { LISTENING, POLICIES } from './scenario.ts';
import type { Stage } from './stage.ts';

/**
 * Where scenarios are played one after the other: an agent with a folder of its own, two people who stay, and a group. What
 * else a scenario needs is made for it alone, so that none finds what another has left.
 */

export interface Lane {
  stage: Stage;
  agent: string;
  agentId: string;
  folder: string;
  /** Called at each beginning: from then on, other names are new ones. */
  begin(): Names;
}

/** What people and chats are called this time. */
export interface Names {
  user(name: string): string;
  chat(place: Place): { channel: string; in: string; thread?: string };
  agent(name: string): string;
  /** `{Ann}`, `{family}` and `{Andy}` in a text. */
  fill(text: string): string;
  /** All chats of this time, with their channels. */
  chats(): { channel: string; in: string }[];
  makeMember(who: string, second: boolean, agent?: string): Promise<void>;
  makeAdmin(who: string): Promise<void>;
  makeChat(place: Place, terms: readonly string[], agent?: string): Promise<void>;
  makeAgent(name: string): Promise<void>;
  /** Nobody has more rights than before. */
  end(): Promise<void>;
}

const STAYING = ['Ann', 'Bob', 'family', 'Andy'];
let count = 0;

export async function openLane(stage: Stage): Promise<Lane> {
  count += 1;
  const lane = count;
  const agent = `Andy${lane}`;
  await must(stage, 'groups', 'create', agent, '--provider', 'claude', '--timezone', 'Europe/Berlin');
  const [row] = stage.query('SELECT id, folder FROM agent_groups WHERE name = ?', agent);
  const staying = new Set<string>();
  return {
    stage,
    agent,
    agentId: String(row?.id),
    folder: String(row?.folder),
    begin() {
      count += 1;
      return namesOf(stage, agent, lane, count, staying);
    },
  };
}

function namesOf(stage: Stage, ownAgent: string, lane: number, time: number, staying: Set<string>): Names {
  const known = new Map<string, string>([['Andy', ownAgent]]);
  /** What is there in the database: members and chats, by channel. */
  const made = new Set<string>();
  const admins: string[] = [];
  const chats = new Map<string, { channel: string; in: string }>();
  const called = (name: string): string => {
    if (name === 'Owner') return 'owner';
    const found = known.get(name) ?? `${name.toLowerCase()}-${STAYING.includes(name) ? lane : `s${time}`}`;
    known.set(name, found);
    return found;
  };
  const once = async (key: string, name: string, make: () => Promise<void>) => {
    const set = STAYING.includes(name) ? staying : made;
    if (set.has(key)) return;
    set.add(key);
    await make();
  };
  const chatOf = ({ name, thread, second }: Place) => {
    const isOwn = /^[A-Z]/.test(name);
    const where = { channel: second ? 'terminal-2' : 'terminal', in: isOwn ? dmOf(called(name)) : called(name) };
    if (name !== 'Owner') chats.set(`${where.channel} ${where.in}`, where);
    return { ...where, ...(thread !== undefined && { thread }) };
  };
  return {
    user: called,
    agent: (name) => known.get(name) ?? `${name}S${time}`,
    chat: chatOf,
    fill: (text) => text.replaceAll(/\{([A-Za-z][\w-]*)\}/g, (all, name: string) => known.get(name) ?? all),
    chats: () => [...chats.values()],
    async makeMember(who, second, agent) {
      const id = `${second ? 'terminal-2' : 'terminal'}:${called(who)}`;
      await once(`user ${id}`, who, () => must(stage, 'users', 'create', id, '--display-name', called(who)));
      await once(`member ${id} ${agent}`, agent === undefined ? who : agent, () =>
        must(stage, 'members', 'add', id, agent === undefined ? ownAgent : (known.get(agent) ?? agent)),
      );
    },
    async makeAdmin(who) {
      const id = `terminal:${called(who)}`;
      await must(stage, 'roles', 'grant', id, 'admin', '--group', ownAgent);
      admins.push(id);
    },
    async end() {
      for (const id of admins) await must(stage, 'roles', 'revoke', id, 'admin', '--group', ownAgent);
    },
    async makeChat(place, terms, agent) {
      const { channel, in: chat } = chatOf(place);
      const isOwn = /^[A-Z]/.test(place.name);
      const policy = terms.flatMap((term) => POLICIES.get(term) ?? [])[0] ?? 'strict';
      const listening = terms.flatMap((term) => Object.entries(LISTENING.get(term) ?? {}));
      await once(`chat ${channel} ${chat}`, place.name, async () => {
        const name = isOwn ? called(place.name) : chat;
        const flags = ['--name', name, '--unknown-sender-policy', policy, ...(isOwn ? [] : ['--is-group'])];
        await must(stage, 'messaging-groups', 'create', channel, chat, ...flags);
      });
      await once(`wiring ${channel} ${chat} ${agent}`, agent === undefined ? place.name : 'new', async () => {
        const flags = listening.flatMap(([name, value]) => (value === true ? [`--${name}`] : [`--${name}`, value]));
        const to = agent === undefined ? ownAgent : (known.get(agent) ?? agent);
        await must(stage, 'wirings', 'create', `${channel}/${chat}`, to, ...flags);
      });
    },
    async makeAgent(name) {
      const given = `${name}S${time}`;
      known.set(name, given);
      await must(stage, 'groups', 'create', given, '--provider', 'claude', '--timezone', 'Europe/Berlin');
    },
  };
}

async function must(stage: Stage, ...words: readonly string[]): Promise<void> {
  const { ok, text } = await stage.ncl(words);
  if (!ok) throw new Error(`ncl ${words.join(' ')}: ${text}`);
}

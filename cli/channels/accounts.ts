import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { By } from '../../admin/directory/index.ts';
import type { ChannelTools, HostView, Result } from '../../admin/view.ts';
import { NAME, settingsFile } from '../../src/channels/settings.ts';
import { lookupOf, type Row } from '../lookup/index.ts';
import { type Tested, tryAccount, within } from './try-account.ts';

/** What `ncl channels` does on the host. */

const OWN = /^terminal(-\d+)?$/;

export interface Attaching {
  instance: string;
  channel: string;
  source: string | null;
  /** What was proposed is taken, whether or not it works. */
  untested: boolean;
}

/** With the settings that were proposed for it, if there are any. The same once more starts it anew. */
export async function attach(
  { channels }: HostView,
  { instance, channel, source, untested }: Attaching,
  by: By,
  now: number,
): Promise<Result<Tested>> {
  const { instances, change, supervisor } = channels;
  if (!NAME.test(instance) || !NAME.test(channel)) return refuse('NC_USAGE', 'That is no name of a channel.');
  const known = instances.get(instance);
  if (OWN.test(instance) || (channels.adapter(instance) && !known)) {
    return refuse('NC_EXISTS', `The channel ${instance} is the host's own.`);
  }
  if (known && known.channel !== channel) {
    return refuse('NC_EXISTS', `${instance} is an account of ${known.channel}. Choose another name with --as.`);
  }
  const account = { instance, channel, source, enabled: true };
  // Loaded here: every command loads this file, and most need none of it.
  const proposed = (await import('./proposed.ts')).createProposed(channels, account);
  try {
    const twin = await proposed.twin();
    if (twin !== undefined) return refuse('NC_EXISTS', `The account ${twin} has these credentials: give each its own.`);
    const tried = known && !untested ? await proposed.test() : undefined;
    const isWorse = tried?.ok === false;
    if (isWorse && (await tryAccount(channels, account)).ok) return { ok: true, data: { ...tried, kept: true } };
    const done = change(by, now, (note) => {
      if (known) instances.renew(instance, source);
      else instances.add(account, now);
      note({ action: known ? 'channel.changed' : 'channel.added', subject: instance, detail: { channel, source } });
      return { ok: true, data: null };
    });
    if (!done.ok) return done;
    proposed.keep();
    await supervisor.follow(instance);
    return { ok: true, data: isWorse ? tried : await tryAccount(channels, account) };
  } finally {
    proposed.forget();
  }
}

export async function test(channels: ChannelTools, instance: string): Promise<Result<Tested>> {
  const row = channels.instances.get(instance);
  return row ? { ok: true, data: await tryAccount(channels, row) } : unknown(instance);
}

export async function remove({ channels }: HostView, instance: string, by: By, now: number): Promise<Result<null>> {
  if (!channels.instances.get(instance)) return unknown(instance);
  const done = channels.change(by, now, (note) => {
    channels.instances.remove(instance);
    note({ action: 'channel.removed', subject: instance });
    return { ok: true, data: null };
  });
  if (!done.ok) return done;
  await channels.supervisor.follow(instance);
  rmSync(settingsFile(channels.folder, instance), { force: true });
  rmSync(join(channels.folder, instance), { recursive: true, force: true });
  return done;
}

export async function enable(
  { channels }: HostView,
  instance: string,
  enabled: boolean,
  by: By,
  now: number,
): Promise<Result<null>> {
  if (!channels.instances.get(instance)) return unknown(instance);
  const done = channels.change(by, now, (note) => {
    channels.instances.enable(instance, enabled);
    note({ action: enabled ? 'channel.enabled' : 'channel.disabled', subject: instance });
    return { ok: true, data: null };
  });
  if (done.ok) await channels.supervisor.follow(instance);
  return done;
}

export interface KnownChat {
  platformId: string;
  name: string | null;
  isGroup: boolean;
  /** Nobody else can speak there. */
  speaker?: { id: string; name: string };
  /** The bot was there, and is no more. */
  left: boolean;
  /** Agents that listen there. */
  agents: unknown;
}

/** What the platform tells of, and what is known from before. */
export async function chats(view: HostView, instance: string): Promise<Result<KnownChat[]>> {
  if (!view.channels.instances.get(instance)) return unknown(instance);
  const listing = view.channels.adapter(instance)?.listChats?.();
  const told = listing ? await within(listing).catch(() => []) : [];
  const known = rowsOf(view, instance);
  const of = (platformId: string) => known.find((row) => row.platformId === platformId);
  const isTold = new Set(told.map(({ platformId }) => platformId));
  const others = known.filter((row) => !isTold.has(String(row.platformId)));
  return {
    ok: true,
    data: [
      ...told.map((chat) => {
        const row = of(chat.platformId);
        return { ...chat, left: isLeft(row), agents: row?.agents ?? [] };
      }),
      ...others.map((row) => ({
        platformId: String(row.platformId),
        name: typeof row.name === 'string' ? row.name : null,
        isGroup: row.isGroup === true,
        left: isLeft(row),
        agents: row.agents,
      })),
    ],
  };
}

function isLeft(row: Row | undefined): boolean {
  return typeof row?.leftAt === 'string';
}

export async function wire(
  view: HostView,
  { instance, chat, agent }: { instance: string; chat: string; agent: string | undefined },
  by: By,
  now: number,
): Promise<Result<{ id: string; destination: string }>> {
  const there = await chats(view, instance);
  if (!there.ok) return there;
  const named = there.data.filter(({ platformId, name }) => platformId === chat || name === chat);
  if (named.length > 1) return refuse('NC_AMBIGUOUS', `More than one chat is called ${chat}: use its id.`);
  const adapter = view.channels.adapter(instance);
  if (named.length === 0 && !(adapter?.isChatId?.(chat) ?? adapter !== undefined)) {
    const detail = `${instance} knows no chat ${JSON.stringify(chat.slice(0, 80))}: \`ncl channels chats ${instance}\` shows those that it knows.`;
    return refuse('NC_NOT_FOUND', detail);
  }
  const { platformId = chat, name = null, speaker } = named[0] ?? {};
  // In doubt a group: there an agent waits until it is called, and who is alone with it calls it with every word.
  const isGroup = named[0]?.isGroup ?? adapter?.isGroup?.(platformId) ?? true;
  const agents = lookupOf(view).list('group', { limit: 2 }, by.scope).rows;
  const agentGroupId = agent ?? (agents.length === 1 ? String(agents[0]?.id) : undefined);
  if (agentGroupId === undefined) return refuse('NC_USAGE', 'There is more than one agent: say which with --agent.');
  const known = rowsOf(view, instance).find((row) => row.platformId === platformId);
  const input = { channelType: instance, platformId, isGroup, ...(name !== null && { name }) };
  const made = known
    ? { ok: true as const, data: { id: String(known.id) } }
    : view.directory.createChat(input, by, now);
  if (!made.ok) return made;
  const wired = view.directory.wire({ messagingGroupId: made.data.id, agentGroupId }, by, now);
  const admitted = wired.ok && speaker ? admit(view, speaker, agentGroupId, by, now) : wired;
  return admitted.ok ? wired : admitted;
}

/** As a member, unless they are one. */
function admit(
  { directory }: HostView,
  speaker: { id: string; name: string },
  agentGroupId: string,
  by: By,
  now: number,
): Result<unknown> {
  const made = directory.createUser(speaker.id, speaker.name, by, now);
  if (!made.ok && made.code !== 'NC_EXISTS') return made;
  const added = directory.addMember(speaker.id, agentGroupId, by, now);
  return added.ok || added.code === 'NC_EXISTS' ? { ok: true, data: null } : added;
}

function rowsOf(view: HostView, instance: string): Row[] {
  return lookupOf(view).list('chat', { where: { channelType: instance }, limit: 10_000 }, null).rows;
}

export function unknown(instance: string): Result<never> {
  return refuse(
    'NC_NOT_FOUND',
    `There is no account ${JSON.stringify(instance.slice(0, 40))}: see \`ncl channels list\`.`,
  );
}

function refuse(code: 'NC_USAGE' | 'NC_EXISTS' | 'NC_NOT_FOUND' | 'NC_AMBIGUOUS', detail: string): Result<never> {
  return { ok: false, code, detail };
}

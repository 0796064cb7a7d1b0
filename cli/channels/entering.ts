import { setTimeout } from 'node:timers/promises';
import { rememberDm } from '../../admin/approvals/reach.ts';
import type { By } from '../../admin/directory/index.ts';
import { ownerOn, type Person } from '../../admin/people/pairing.ts';
import { welcome } from '../../admin/people/welcome.ts';
import type { HostView, Result } from '../../admin/view.ts';
import { ensureUser } from '../../src/people/roles.ts';
import { lookupOf } from '../lookup/index.ts';
import { test, unknown, wire } from './accounts.ts';

/** How the owner of this install comes into an account. */

export type Entrance =
  /** It doesn't work as it is. */
  | { kind: 'closed'; sentence: string }
  /** Nobody is paired there. */
  | { kind: 'none' }
  | { kind: 'known'; owner: Person }
  /** Whoever opens it is the owner there. */
  | { kind: 'link'; login: string }
  /** Whoever sends a code is: how to, with `<code>` where it stands. */
  | { kind: 'code'; meet: string };

const OWNER = 'owner';
const READY_MS = 5_000;
const LOOK_MS = 50;

/** A channel with a login of its own is entered by it: its owner is known from then on, and greeted. */
export async function enter(view: HostView, instance: string, by: By, now: number): Promise<Result<Entrance>> {
  const { instances, supervisor } = view.channels;
  const row = instances.get(instance);
  if (!row) return unknown(instance);
  const tested = await test(view.channels, instance);
  if (!tested.ok) return tested;
  const { ok, sentence, meet } = tested.data;
  if (!ok) return { ok: true, data: { kind: 'closed', sentence } };
  const { plugin, context } = await supervisor.open(row);
  const owner = ownerOn(view.lookup.db, instance);
  if (plugin.login) {
    const admitted = owner ? { ok: true as const } : await admit(view, instance, by, now);
    return admitted.ok
      ? { ok: true, data: { kind: 'link', login: await plugin.login(context, OWNER) } }
      : { ok: false, code: admitted.code, ...(admitted.detail !== undefined && { detail: admitted.detail }) };
  }
  if (owner) return { ok: true, data: { kind: 'known', owner } };
  return { ok: true, data: meet === undefined ? { kind: 'none' } : { kind: 'code', meet } };
}

/** The first chat of the user that its login is for. */
async function admit(view: HostView, instance: string, by: By, now: number): Promise<Result<null>> {
  const { lookup, channels, directory } = view;
  const id = `${instance}:${OWNER}`;
  const chat = await chatOf(view, instance, id);
  if (chat === undefined) return { ok: false, code: 'NC_CHANNEL', detail: `${instance} has no chat of its owner yet.` };
  const agent = lookupOf(view).list('group', { limit: 1 }, null).rows[0]?.id;
  if (agent === undefined) return { ok: false, code: 'NC_NOT_FOUND', detail: 'There is no agent yet.' };
  const wired = await wire(view, { instance, chat, agent: String(agent) }, by, now);
  if (!wired.ok && wired.code !== 'NC_EXISTS') return wired;
  ensureUser(lookup.db, id, 'Owner', now);
  const granted = directory.grantRole({ userId: id, role: 'owner', agentGroupId: null }, by, now);
  if (!granted.ok && granted.code !== 'NC_EXISTS') return granted;
  return channels.change(by, now, () => {
    rememberDm(lookup.db, id, { channelType: instance, platformId: chat }, now);
    const listens = lookup.db.prepare(
      `SELECT w.agent_group_id, w.messaging_group_id FROM messaging_group_agents w
       JOIN messaging_groups g ON g.id = w.messaging_group_id WHERE g.channel_type = ? AND g.platform_id = ? LIMIT 1`,
    );
    const there = listens.get(instance, chat);
    if (there) welcome(lookup.db, String(there.agent_group_id), String(there.messaging_group_id), now);
    return { ok: true, data: null };
  });
}

/** An account that was just taken into use is on its way. */
async function chatOf(view: HostView, instance: string, user: string): Promise<string | undefined> {
  const end = performance.now() + READY_MS;
  for (; performance.now() < end; await setTimeout(LOOK_MS)) {
    const told = (await view.channels.adapter(instance)?.listChats?.()) ?? [];
    const own = told.find(({ speaker }) => speaker?.id === user);
    if (own) return own.platformId;
  }
  return undefined;
}

export interface Unfinished {
  instance: string;
  channel: string;
  /** Why. */
  sentence: string;
}

/** Accounts into which nobody has come yet: since they don't work, or nobody was paired. */
export async function unfinished(view: HostView): Promise<Unfinished[]> {
  const rows = view.channels.instances.list().filter((row) => row.enabled && !ownerOn(view.lookup.db, row.instance));
  const looked = await Promise.all(
    rows.map(async ({ instance, channel }) => {
      const tested = await test(view.channels, instance);
      const { ok, sentence, meet } = tested.ok ? tested.data : { ok: true, sentence: '', meet: undefined };
      if (!ok) return { instance, channel, sentence };
      return meet === undefined ? undefined : { instance, channel, sentence: 'Nobody is paired with it yet.' };
    }),
  );
  return looked.filter((one) => one !== undefined);
}

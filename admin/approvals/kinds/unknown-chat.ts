import type { DatabaseSync } from 'node:sqlite';
import { z } from 'zod';
import type { InboundEvent } from '../../../src/channels/adapter.ts';
import { getAgentGroup, listAgentGroups } from '../../../src/groups/agent-groups.ts';
import { ensureUser, type Roles } from '../../../src/people/roles.ts';
import type { By, Directory } from '../../directory/index.ts';
import type { Result } from '../../view.ts';
import { inline, quote } from '../card.ts';
import type { Kind, Performed } from '../deciding.ts';
import type { NewApproval, Option } from '../table.ts';
import { chatOf, isUnknown, originOf, warningsOf, whoOf } from './event.ts';

/** Somebody addresses the bot in a chat where no agent listens. */

const UNKNOWN_CHAT = 'unknown-chat';

/** So many agents can be chosen; the first of them by a button. */
const MAX_AGENTS = 40;
const FIRST_AGENTS = 8;

const Chat = z.object({
  channelType: z.string(),
  platformId: z.string(),
  name: z.string().exactOptional(),
  isGroup: z.boolean(),
});
type Chat = z.infer<typeof Chat>;
const sender = { userId: z.string(), userName: z.string() };
const Action = z.discriminatedUnion('do', [
  z.object({ do: z.literal('wire'), chat: Chat, ...sender, agentGroupId: z.string() }),
  z.object({ do: z.literal('create'), chat: Chat, ...sender }),
  z.object({ do: z.literal('deny'), chat: Chat }),
]);

export function createUnknownChat(
  db: DatabaseSync,
  roles: Roles,
  directory: Pick<Directory, 'createAgentGroup' | 'createChat' | 'updateChat' | 'wire' | 'addMember'>,
): Kind & { isDenied(event: InboundEvent): boolean } {
  const find = db.prepare('SELECT id, denied_at FROM messaging_groups WHERE channel_type = ? AND platform_id = ?');
  const wired = db.prepare(
    `SELECT 1 FROM messaging_group_agents w JOIN messaging_groups m ON m.id = w.messaging_group_id
     WHERE m.channel_type = ?1 AND m.platform_id = ?2 AND (?3 IS NULL OR w.agent_group_id = ?3)`,
  );

  function ensureChat({ channelType, platformId, ...chat }: Chat, by: By, now: number): Result<{ id: string }> {
    const found = find.get(channelType, platformId);
    if (found) return { ok: true, data: { id: String(found.id) } };
    return directory.createChat({ channelType, platformId, ...chat, unknownSenderPolicy: 'request_approval' }, by, now);
  }

  function wire(
    action: { chat: Chat; userId: string; userName: string },
    agentId: string,
    by: By,
    now: number,
  ): Performed {
    const { chat, userId, userName } = action;
    const made = ensureChat(chat, by, now);
    if (!made.ok) return made;
    const isThere = wired.get(chat.channelType, chat.platformId, agentId) !== undefined;
    const done = isThere ? made : directory.wire({ messagingGroupId: made.data.id, agentGroupId: agentId }, by, now);
    if (!done.ok) return done;
    ensureUser(db, userId, userName, now);
    const added = isUnknown(roles, userId, agentId) ? directory.addMember(userId, agentId, by, now) : undefined;
    if (added && !added.ok) return added;
    const agent = getAgentGroup(db, agentId)?.name ?? agentId;
    const listens = `${agent} listens here from now on${chat.isGroup ? ', when it is mentioned' : ''}.`;
    const isDenied = roles.standing(userId, agentId) === 'denied';
    const talk = isDenied ? 'is still refused by it: `ncl users undeny`' : 'may talk to it';
    return { ok: true, data: `${agent} listens there now, and ${inline(userName)} ${talk}.`, say: listens };
  }

  return {
    kind: UNKNOWN_CHAT,
    isDenied: ({ channelType, platformId }) => (find.get(channelType, platformId)?.denied_at ?? null) !== null,
    perform(raw, { id }, actor, now, name) {
      const action = Action.parse(raw);
      const by = { actor, scope: null, detail: { approval: id } };
      if (action.do === 'wire') return wire(action, action.agentGroupId, by, now);
      if (action.do === 'create') {
        const created = directory.createAgentGroup({ name: name ?? '' }, by, now);
        return created.ok ? wire(action, created.data.id, by, now) : created;
      }
      const made = ensureChat(action.chat, by, now);
      const denied = made.ok ? directory.updateChat(made.data.id, { denied: true }, by, now) : made;
      return denied.ok ? { ok: true, data: 'No agent listens there, and nobody is asked again.' } : denied;
    },
    overtaken({ channel_type, platform_id }) {
      if (find.get(channel_type, platform_id)?.denied_at) return 'denied';
      return wired.get(channel_type, platform_id, null) ? 'approved' : undefined;
    },
  };
}

export function chatAbout({ channelType, platformId }: InboundEvent) {
  return { kind: UNKNOWN_CHAT, subject: JSON.stringify([channelType, platformId]) };
}

const OTHERS: Readonly<Record<string, string>> = {
  request_approval: 'For each of the others there you are asked when they write to it.',
  strict: 'None of the others there may talk to it.',
  public: 'Everybody else there may talk to it, too: that is how this chat is set.',
};

export function chatRequest(db: DatabaseSync, event: InboundEvent): NewApproval {
  const { channelType, platformId, isGroup, chatName, senderId: userId, senderName } = event;
  const called = chatName ?? (isGroup ? '' : senderName);
  const chat: Chat = { channelType, platformId, isGroup, ...(inline(called) && { name: inline(called) }) };
  const action = { chat, userId, userName: senderName.slice(0, 200) };
  const agents = listAgentGroups(db);
  const choices = agents.slice(0, MAX_AGENTS).map(
    (agent): Option => ({
      label: inline(agent.name, 40),
      does: 'approve',
      action: { do: 'wire', ...action, agentGroupId: agent.id },
    }),
  );
  const name = inline(senderName);
  const more = agents.length - choices.length;
  return {
    ...chatAbout(event),
    agentGroupId: null,
    sessionId: null,
    requestedBy: userId,
    origin: originOf(event),
    title: isGroup
      ? `${name} wants an agent in ${inline(chatName ?? platformId)}`
      : `${name} wants to talk to an agent`,
    body: [
      `${whoOf(event)} wrote in ${chatOf(event)}, where no agent listens:`,
      quote(event.text),
      ...warningsOf(event),
      '',
      `An agent, or a new one: it listens there${isGroup ? ' when it is mentioned' : ''}, ${name} becomes its member, and what waits is answered.${isGroup ? ` ${OTHERS[policyOf(db, event)] ?? ''}` : ''}`,
      'Refuse: no agent listens there, and nobody is asked again.',
      ...(more > 0 ? [`There are ${more} more agents: \`ncl wirings create\` takes any of them.`] : []),
    ].join('\n'),
    options: [
      ...choices.slice(0, FIRST_AGENTS),
      { label: 'A new agent', does: 'name', action: { do: 'create', ...action } },
      { label: 'Refuse', does: 'deny', action: { do: 'deny', chat } },
      ...choices.slice(FIRST_AGENTS),
    ],
  };
}

/** A chat may be known from before; a new one asks. */
function policyOf(db: DatabaseSync, { channelType, platformId }: InboundEvent): string {
  const row = db
    .prepare('SELECT unknown_sender_policy FROM messaging_groups WHERE channel_type = ? AND platform_id = ?')
    .get(channelType, platformId);
  return String(row?.unknown_sender_policy ?? 'request_approval');
}

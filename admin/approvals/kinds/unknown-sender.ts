import type { DatabaseSync } from 'node:sqlite';
import { z } from 'zod';
import type { InboundEvent } from '../../../src/channels/adapter.ts';
import { getAgentGroup } from '../../../src/groups/agent-groups.ts';
import { ensureUser, type Roles } from '../../../src/people/roles.ts';
import type { Wiring } from '../../../src/routing/session-key.ts';
import type { Directory } from '../../directory/index.ts';
import { inline, quote } from '../card.ts';
import type { Kind } from '../deciding.ts';
import type { NewApproval } from '../table.ts';
import { chatOf, isUnknown, originOf, warningsOf, whoOf } from './event.ts';

/** A stranger wants to talk to an agent. */

const UNKNOWN_SENDER = 'unknown-sender';

const Action = z.object({
  do: z.enum(['admit', 'deny']),
  userId: z.string(),
  userName: z.string(),
  agentGroupId: z.string(),
});

export function createUnknownSender(
  db: DatabaseSync,
  roles: Roles,
  directory: Pick<Directory, 'addMember' | 'denySender'>,
): Kind {
  return {
    kind: UNKNOWN_SENDER,
    perform(raw, { id }, actor, now) {
      const action = Action.parse(raw);
      const { userId, agentGroupId } = action;
      const name = inline(action.userName);
      const agent = getAgentGroup(db, agentGroupId)?.name ?? agentGroupId;
      const by = { actor, scope: null, detail: { approval: id } };
      if (action.do === 'deny') {
        const denied = directory.denySender(userId, agentGroupId, by, now);
        return denied.ok
          ? { ok: true, data: `${agent} doesn't hear ${name} any more, and nobody is asked again.` }
          : denied;
      }
      if (roles.standing(userId, agentGroupId) === 'denied') {
        return { ok: false, code: 'NC_FORBIDDEN', detail: `${name} was refused meanwhile.` };
      }
      ensureUser(db, userId, action.userName, now);
      const added = isUnknown(roles, userId, agentGroupId)
        ? directory.addMember(userId, agentGroupId, by, now)
        : undefined;
      if (added && !added.ok) return added;
      return { ok: true, data: `${name} may talk to ${agent} now.`, say: `${name} may talk to ${agent} now.` };
    },
    overtaken({ requestedBy, agentGroupId }) {
      const standing = roles.standing(requestedBy ?? '', agentGroupId ?? '');
      if (standing === 'unknown') return undefined;
      return standing === 'denied' ? 'denied' : 'approved';
    },
  };
}

export function senderRequest(db: DatabaseSync, event: InboundEvent, wiring: Wiring): NewApproval {
  const { agentGroupId } = wiring;
  const agent = getAgentGroup(db, agentGroupId)?.name ?? agentGroupId;
  const name = inline(event.senderName);
  const action = { userId: event.senderId, userName: event.senderName.slice(0, 200), agentGroupId };
  return {
    ...senderAbout(event, wiring),
    agentGroupId,
    sessionId: null,
    requestedBy: event.senderId,
    origin: originOf(event),
    title: `${name} wants to talk to ${agent}`,
    body: [
      `${whoOf(event)} wrote to ${agent} in ${chatOf(event)}:`,
      quote(event.text),
      ...warningsOf(event),
      '',
      `Allow: ${name} becomes a member of ${agent}, in every chat where it listens, and what waits is answered.`,
      `Refuse: ${agent} doesn't hear ${name} any more, and nobody is asked again.`,
    ].join('\n'),
    options: [
      { label: 'Allow', does: 'approve', action: { do: 'admit', ...action } },
      { label: 'Refuse', does: 'deny', action: { do: 'deny', ...action } },
    ],
  };
}

/** One for this stranger and this agent, wherever they write to it. */
export function senderAbout({ senderId }: InboundEvent, { agentGroupId }: Wiring) {
  return { kind: UNKNOWN_SENDER, subject: `${agentGroupId} ${senderId}` };
}

import { showFields } from '../../src/log/human.ts';
import { capital, type Line, type Row, type Teller } from './story.ts';

/** The audit log's entries as sentences. */

/** `%` is the subject. What isn't here is told by its name. */
export const DEEDS: Readonly<Record<string, string>> = {
  'approval.requested': 'asked for approval %',
  'approval.asked': 'showed approval %',
  'approval.nobody': 'found nobody who can be asked about approval %',
  'approval.naming': 'allowed approval %, with a name still to be said',
  'approval.approved': 'allowed approval %',
  'approval.denied': 'refused approval %',
  'approval.expired': 'let approval % expire',
  'approval.failed': 'allowed approval %, and it could not be done',
  'backup.restored': 'put the backup of % in the place of what was there',
  'audit.broken': 'found that the audit log was not the one that it had written',
  'channel.added': 'added the account % of a channel',
  'channel.changed': 'gave the account % of a channel its settings anew',
  'channel.removed': 'removed the account % of a channel',
  'channel.enabled': 'switched the account % of a channel on',
  'channel.disabled': 'switched the account % of a channel off',
  'chat.created': 'made the chat % known',
  'chat.updated': 'changed the chat %',
  'chat.deleted': 'deleted the chat %',
  'credential.used': 'used the credential of %',
  'destination.added': 'gave a destination to %',
  'destination.removed': 'took a destination from %',
  'group.created': 'made the agent %',
  'group.updated': 'changed the settings of %',
  'group.deleted': 'deleted the agent %',
  'group.restarted': 'restarted %',
  'mcp-server.added': 'added an MCP server to %',
  'mcp-server.removed': 'removed an MCP server from %',
  'member.added': 'made % a member',
  'member.removed': 'removed the member %',
  'mount.added': 'mounted a folder for %',
  'mount.refused': 'left out a folder for %',
  'mount.removed': 'took a mounted folder from %',
  'ncl.refused': 'was refused a command',
  'owner-code.made': 'made a code for the first owner',
  'owner-code.used': 'became owner by the code',
  'owner-code.burnt': 'said the code where others see it, which ended it',
  'owner-code.guessed': 'guessed codes on %',
  'role.granted': 'gave a role to %',
  'role.revoked': 'took a role from %',
  'segment.dropped': 'dropped the audit log up to segment %, which was old',
  'sender.denied': 'refused % for good',
  'sender.undenied': 'took back the refusal of %',
  'session.quarantined': 'put the mailbox file of % aside, since it broke the rules',
  'session.reset': 'began session % anew',
  'session.stopped': 'stopped session %',
  'session.updated': 'changed the model of session %',
  'skill.left-out': 'left out a skill for %',
  'budget.set': 'set the budget of %',
  'budget.unset': 'took back the budget of %',
  'task.created': 'planned task %',
  'task.updated': 'changed task %',
  'task.paused': 'let task % rest',
  'task.resumed': 'let task % go on',
  'task.run': 'let task % run at once',
  'task.cancelled': 'ended task %',
  'user.created': 'made the user % known',
  'user.updated': 'changed the user %',
  'user.deleted': 'deleted the user %',
  'wiring.created': 'let an agent listen: %',
  'wiring.updated': 'changed on which terms an agent listens: %',
  'wiring.deleted': 'ended that an agent listens: %',
};

const MOST = 50;

/** What is recorded of an id, as subject or in the details: the newest, oldest first. */
export function entriesAbout(teller: Teller, id: string): Line[] {
  const rows = teller.all(
    `SELECT at, actor, action, subject, detail FROM audit_log
     WHERE (subject = ?1 OR instr(detail, ?2) > 0)
       AND segment NOT IN (SELECT segment FROM audit_segments WHERE dropped_at IS NOT NULL)
     ORDER BY seq DESC LIMIT ${MOST}`,
    id,
    JSON.stringify(id),
  );
  return rows.reverse().map((row) => ({ at: String(row.at), text: sentenceOf(teller, row) }));
}

function sentenceOf(teller: Teller, { actor, action, subject, detail }: Row): string {
  const name = subjectOf(teller, String(action), String(subject));
  const [what = '', done = ''] = String(action).replaceAll('-', ' ').split('.');
  const deed = DEEDS[String(action)] ?? `did what is called ${what} ${done}: %`;
  const more = detailOf(teller, String(detail));
  const who = teller.who(actor);
  const whom = name === who && String(action).startsWith('role.') ? 'themselves' : name;
  return `${capital(who)} ${deed.replace('%', () => whom)}${more === '' ? '' : ` (${more})`}.`;
}

function subjectOf(teller: Teller, action: string, subject: string): string {
  const what = action.split('.')[0];
  if (what === 'budget') return subject === 'all' ? 'all agents' : teller.agent(subject);
  if (['group', 'mcp-server', 'destination', 'mount', 'credential', 'skill'].includes(what ?? ''))
    return teller.agent(subject);
  if (['member', 'role', 'sender', 'user'].includes(what ?? '')) return teller.who(subject);
  if (what === 'chat') return teller.chatById(subject);
  return what === 'wiring' ? teller.wiring(subject) : subject;
}

function detailOf(teller: Teller, json: string): string {
  const detail: unknown = JSON.parse(json);
  if (typeof detail !== 'object' || detail === null) return '';
  const { agentGroupId, messagingGroupId, ...rest } = {
    agentGroupId: undefined,
    messagingGroupId: undefined,
    ...detail,
  };
  const named = {
    ...(agentGroupId !== undefined && agentGroupId !== null && { agent: teller.agent(agentGroupId) }),
    ...(messagingGroupId !== undefined && { chat: teller.chatById(messagingGroupId) }),
  };
  return showFields({ ...named, ...rest });
}

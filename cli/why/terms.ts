import type { Row, Teller } from './story.ts';

/** A wiring's terms as sentences. */

export const WIRINGS = `SELECT w.*, m.channel_type, m.platform_id, m.unknown_sender_policy FROM messaging_group_agents w
  JOIN messaging_groups m ON m.id = w.messaging_group_id`;

export function termsOf(teller: Teller, wiring: Row): string[] {
  const name = teller.agent(wiring.agent_group_id);
  const priority = Number(wiring.priority) === 0 ? '' : `, with priority ${wiring.priority}`;
  return [
    `${name} listens there (wiring ${wiring.id}${priority}) and answers ${whatEngages(wiring)}.`,
    `${whoMay(wiring)} may talk to it. What is not for it is ${wiring.ignored_message_policy === 'accumulate' ? 'kept, and given along when it is addressed next' : 'dropped'}.`,
    ...(wiring.exclusive === 1 ? ['What it answers is for it alone: agents with a lower priority do not get it.'] : []),
  ];
}

function whatEngages({ engage_mode: mode, engage_pattern: pattern }: Row): string {
  if (mode === 'pattern') return pattern === '.' ? 'everything' : `what matches ${JSON.stringify(pattern)}`;
  const addressed = 'what mentions it, calls it by its name, or answers it';
  return mode === 'mention' ? addressed : `${addressed}, and in that thread what follows`;
}

function whoMay({ sender_scope: scope, unknown_sender_policy: policy }: Row): string {
  if (policy === 'public' && scope === 'all') return 'Everybody who is not refused';
  return policy === 'request_approval'
    ? 'Owners, admins and its members, and of others those that are allowed when asked about,'
    : 'Owners, admins and its members';
}

/** Why a message that went to an agent did. */
export function whyTaken({ engage_mode: mode, engage_pattern: pattern }: Row, name: string): string {
  if (mode === 'pattern')
    return pattern === '.'
      ? `${name} answers everything there`
      : `it matches ${JSON.stringify(pattern)}, for which ${name} listens there`;
  const addressed = `it mentioned ${name}, called it by its name, or answered it`;
  return mode === 'mention' ? addressed : `${addressed}, or something before it in that thread had`;
}

/** What a user is to an agent, and by whom. */
export function standingOf(teller: Teller, userId: unknown, agentGroupId: unknown): string {
  const [user, agent] = [String(userId), String(agentGroupId)];
  const role = teller.get(
    `SELECT role, granted_by, granted_at FROM user_roles WHERE user_id = ?1 AND (agent_group_id IS NULL OR agent_group_id = ?2)
     ORDER BY role DESC LIMIT 1`,
    user,
    agent,
  );
  if (role) return `is ${role.role}${by(teller, role.granted_by, role.granted_at)}`;
  const ids = [user, agent] as const;
  const member = teller.get('SELECT * FROM agent_group_members WHERE user_id = ? AND agent_group_id = ?', ...ids);
  if (member) return `is a member of ${teller.agent(agent)}${by(teller, member.added_by, member.added_at)}`;
  const denied = teller.get('SELECT * FROM denied_senders WHERE user_id = ? AND agent_group_id = ?', ...ids);
  if (denied) return `was refused for good${by(teller, denied.denied_by, denied.denied_at)}`;
  return `is not known to ${teller.agent(agent)}`;
}

export function by(teller: Teller, who: unknown, at: unknown): string {
  return `${who ? `, by ${teller.who(who)}` : ''}, since ${String(at).slice(0, 10)}`;
}

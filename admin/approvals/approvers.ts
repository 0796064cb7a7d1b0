/** Who is asked, and in which order. Pure. */

export interface Grant {
  userId: string;
  role: 'owner' | 'admin';
  /** NULL: everywhere. */
  agentGroupId: string | null;
}

/**
 * Admins of the agent group, then admins of everything, then owners; in each class those on the channel that it came from
 * first, and else as they stand in `grants`. Where no agent is concerned yet, nobody is its admin. `speaker`: who asked the agent
 * for it; where they may decide it themselves, nobody else needs to be asked first.
 */
export function approversFor(
  grants: readonly Grant[],
  agentGroupId: string | null,
  channelType: string | null,
  speaker: string | null = null,
): readonly string[] {
  const classes: ((grant: Grant) => boolean)[] = [
    (grant) => grant.role === 'admin' && grant.agentGroupId !== null && grant.agentGroupId === agentGroupId,
    (grant) => grant.role === 'admin' && grant.agentGroupId === null,
    (grant) => grant.role === 'owner',
  ];
  // People are the same on all accounts of a platform: `telegram`, `telegram-work`.
  const isNear = ({ userId }: Grant) =>
    channelType === channelOf(userId) || channelType?.startsWith(`${channelOf(userId)}-`) === true;
  const order = classes.flatMap((belongs) => {
    const members = grants.filter(belongs);
    return [...members.filter(isNear), ...members.filter((grant) => !isNear(grant))];
  });
  const users = order.map(({ userId }) => userId);
  return [...new Set(speaker !== null && users.includes(speaker) ? [speaker, ...users] : users)];
}

/** Of a user id, `<channel>:<handle>`. */
export function channelOf(userId: string): string {
  return userId.slice(0, userId.indexOf(':'));
}

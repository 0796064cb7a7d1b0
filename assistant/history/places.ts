/** Where something was said to an agent, from wide to narrow: all of it, a chat, a thread of it. Pure. */
export type Place = readonly [agentGroupId: string, channelType?: string, platformId?: string, threadId?: string];

/** What a search may find: anything, or what was said in one of these. */
export interface Within {
  places: readonly Place[] | null;
  /** Also what was said in sessions that were reset, which agents have forgotten. */
  forgotten: boolean;
}

interface Said {
  agent_group_id: string;
  channel_type: string | null;
  platform_id: string | null;
  thread_id: string | null;
}

export function keyOf(place: Place): string {
  return JSON.stringify(place);
}

/** The keys of all places that hold it. Said outside of a thread, it is in the thread without a name. */
export function keysOf({ agent_group_id, channel_type, platform_id, thread_id }: Said): string[] {
  if (channel_type === null || platform_id === null) return [keyOf([agent_group_id])];
  const chat = [agent_group_id, channel_type, platform_id] as const;
  return [keyOf([agent_group_id]), keyOf(chat), keyOf([...chat, thread_id ?? ''])];
}

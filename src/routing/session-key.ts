import type { InboundEvent } from '../channels/adapter.ts';
import type { Terms } from './decide.ts';

/** One agent in one chat, on these terms. */
export interface Wiring extends Terms {
  id: string;
  messagingGroupId: string;
  agentGroupId: string;
  /** What its agent is called there. */
  assistantName: string;
  sessionMode: 'shared' | 'per-thread' | 'agent-shared';
  engagePattern: string | null;
  /** When it engages, those of a lower priority don't. */
  exclusive: boolean;
}

/** The key of the session that a message belongs to. */
export function sessionKey(
  wiring: Pick<Wiring, 'sessionMode' | 'messagingGroupId'>,
  event: Pick<InboundEvent, 'threadId' | 'isGroup'>,
  channelHasThreads: boolean,
): { messagingGroupId: string | null; threadId: string | null } {
  if (wiring.sessionMode === 'agent-shared') return { messagingGroupId: null, threadId: null };
  const perThread = wiring.sessionMode === 'per-thread' || (channelHasThreads && event.isGroup);
  return {
    messagingGroupId: wiring.messagingGroupId,
    threadId: channelHasThreads && perThread ? event.threadId : null,
  };
}

import type { InboundEvent } from '../channels/adapter.ts';

/** Whether a wiring is meant by a message. Pure. */

export interface Wiring {
  id: string;
  messagingGroupId: string;
  agentGroupId: string;
  sessionMode: 'shared' | 'per-thread' | 'agent-shared';
  engageMode: 'pattern' | 'mention' | 'mention-sticky';
  engagePattern: string | null;
}

export type Engagement = { engaged: true } | { engaged: false; reason: string };

/** `.` is always; any other pattern is refused rather than run without a time limit. */
export function engages(wiring: Wiring, event: Pick<InboundEvent, 'isMention'>): Engagement {
  if (wiring.engageMode === 'pattern') {
    return wiring.engagePattern === '.' ? { engaged: true } : { engaged: false, reason: 'pattern-unsupported' };
  }
  return event.isMention ? { engaged: true } : { engaged: false, reason: 'not-mentioned' };
}

/** The key of the session that a message belongs to. */
export function sessionKey(
  wiring: Wiring,
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

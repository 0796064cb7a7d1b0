import type { Origin } from '@nanoclaw/protocol';
import type { InboundEvent } from '../../../src/channels/adapter.ts';
import type { Roles } from '../../../src/people/roles.ts';
import { isUnverified } from '../../people/unverified.ts';
import { inline } from '../card.ts';

/** What the kinds for strangers say of a message. */

export function originOf({ channelType, platformId, threadId }: InboundEvent): Origin {
  return { channel_type: channelType, platform_id: platformId, thread_id: threadId };
}

export function whoOf({ senderName, senderId }: InboundEvent): string {
  return `${inline(senderName)} (${inline(senderId, 80)})`;
}

/** Lines of a card: what is to be known before somebody is let in. */
export function warningsOf({ senderId }: InboundEvent): string[] {
  if (!isUnverified(senderId)) return [];
  return [
    '',
    '⚠️ Nobody vouches for this sender: anybody could have written under that name. Whoever does so again is let in, too.',
  ];
}

export function chatOf({ channelType, platformId, chatName, isGroup }: InboundEvent): string {
  return isGroup ? `the group ${inline(chatName ?? platformId)} on ${channelType}` : `a direct chat on ${channelType}`;
}

export function isUnknown(roles: Roles, userId: string, agentGroupId: string): boolean {
  return roles.standing(userId, agentGroupId) === 'unknown';
}

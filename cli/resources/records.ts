import type { Command } from '../definition.ts';
import { ago, listCommand, shown } from './resource.ts';

/** What the host notes by itself. */

const userDms = listCommand({
  name: 'user-dms',
  kind: 'user-dm',
  summary: 'The chat in which somebody can be reached alone, where one is known',
  none: 'Nobody was written to alone yet.',
  agents: 'read',
  onlyGlobal: true,
  columns: [
    { head: 'USER', of: 'userId' },
    { head: 'NAME', of: 'user' },
    { head: 'CHANNEL', of: 'channelType' },
    { head: 'CHAT', of: 'platformId' },
    { head: 'FOUND', of: (row) => ago(row.resolvedAt) },
  ],
  filters: [
    { name: 'user', value: 'user', ref: 'user', column: 'userId', description: 'only this one', also: ['user-id'] },
    { name: 'channel-type', value: 'channel', description: 'only on that channel' },
  ],
});

const droppedMessages = listCommand({
  name: 'dropped-messages',
  kind: 'dropped-message',
  summary: 'How many messages no agent took, by chat and reason',
  none: 'Every message was taken so far.',
  agents: 'read',
  onlyGlobal: true,
  columns: [
    { head: 'CHANNEL', of: 'channelType' },
    { head: 'CHAT', of: (row) => shown(row.platformId === '*' ? 'all others' : row.platformId) },
    { head: 'REASON', of: 'reason' },
    { head: 'COUNT', of: 'count' },
    { head: 'LAST', of: (row) => ago(row.lastSeen) },
    { head: 'FROM', of: 'sampleSender' },
  ],
  filters: [
    { name: 'channel-type', value: 'channel', description: 'only on that channel' },
    { name: 'platform-id', value: 'chat', description: 'only in the chat that the platform calls so' },
    { name: 'reason', value: 'reason', description: 'only for that reason' },
  ],
});

export const records: readonly Command[] = [userDms, droppedMessages];

import { type Command, changeCommand, textOf } from '../definition.ts';
import {
  choiceOf,
  deleteCommand,
  getCommand,
  listCommand,
  positionalOf,
  type Subject,
  shown,
  YES_NO,
  yesNoOf,
} from './resource.ts';

export const CHAT = {
  name: 'messaging-groups',
  kind: 'chat',
  word: 'chat',
  also: ['id', 'messaging-group', 'messaging-group-id'],
} as const satisfies Subject;
const POLICIES = ['strict', 'request_approval', 'public'] as const;

const policy = {
  name: 'unknown-sender-policy',
  value: 'policy',
  choices: POLICIES,
  description: 'what becomes of somebody whom nobody knows: dropped, asked about, taken',
} as const;

const list = listCommand({
  name: 'messaging-groups',
  kind: 'chat',
  summary: 'The chats, on all channels',
  none: 'There is no chat yet.',
  agents: 'read',
  columns: [
    { head: 'ID', of: 'id' },
    { head: 'CHANNEL', of: 'channelType' },
    { head: 'CHAT', of: 'platformId' },
    { head: 'NAME', of: 'name' },
    { head: 'KIND', of: (row) => `${row.isGroup ? 'group' : 'direct'}${row.leftAt ? ', left' : ''}` },
    { head: 'STRANGERS', of: (row) => (row.deniedAt ? 'refused' : shown(row.unknownSenderPolicy)) },
    { head: 'AGENTS', of: 'agents' },
  ],
  filters: [
    { name: 'channel-type', value: 'channel', description: 'only those on that channel' },
    { name: 'platform-id', value: 'id', description: 'only the one that the platform calls so' },
    { name: 'name', value: 'name', description: 'only those of that name' },
    { name: 'is-group', value: 'answer', choices: YES_NO, description: 'only groups, or only direct chats' },
    policy,
  ],
});

const create = changeCommand({
  name: 'messaging-groups create',
  summary: 'Make a chat known before anybody has written there',
  positionals: [
    { name: 'channel-type', description: 'its channel, such as telegram', required: true },
    { name: 'platform-id', description: "the platform's own id of it", required: true },
  ],
  flags: [
    { name: 'name', value: 'name', description: 'what people call it' },
    { name: 'is-group', description: 'more than two may write there' },
    { ...policy, description: `${policy.description}; strict at first` },
  ],
  handle(view, args, { by, now }) {
    const name = textOf(args, 'name');
    const unknownSenderPolicy = choiceOf(args, policy.name, POLICIES);
    return view.directory.createChat(
      {
        channelType: textOf(args, 'channel-type') ?? '',
        platformId: textOf(args, 'platform-id') ?? '',
        isGroup: args['is-group'] === true,
        ...(name !== undefined && { name }),
        ...(unknownSenderPolicy && { unknownSenderPolicy }),
      },
      by,
      now,
    );
  },
  show: ({ id }) => `The chat is known: ${id}. \`ncl wirings create ${id} <agent>\` lets an agent listen there.`,
});

const update = changeCommand({
  name: 'messaging-groups update',
  summary: 'Change what a chat is called, and who may be heard there',
  positionals: [positionalOf(CHAT)],
  flags: [
    { name: 'name', value: 'name', description: 'what people call it' },
    policy,
    { name: 'denied', value: 'answer', choices: YES_NO, description: 'whether to never ask again about this chat' },
  ],
  handle(view, args, { by, now }) {
    const name = textOf(args, 'name');
    const unknownSenderPolicy = choiceOf(args, policy.name, POLICIES);
    const denied = yesNoOf(args, 'denied');
    const changes = {
      ...(name !== undefined && { name }),
      ...(unknownSenderPolicy && { unknownSenderPolicy }),
      ...(denied !== undefined && { denied }),
    };
    return view.directory.updateChat(textOf(args, 'chat') ?? '', changes, by, now);
  },
  show: () => 'Done.',
});

const remove = deleteCommand(
  CHAT,
  'The chat',
  'Forget a chat with its sessions, messages and wirings',
  (directory, id, by, now) => directory.deleteChat(id, by, now),
);

export const chats: readonly Command[] = [list, getCommand(CHAT, 'One chat'), create, update, remove];

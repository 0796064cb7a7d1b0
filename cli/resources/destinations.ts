import { type Command, changeCommand, textOf } from '../definition.ts';
import { GROUP } from './groups.ts';
import { listCommand, positionalOf, shown } from './resource.ts';

const group = { ...positionalOf(GROUP), also: GROUP.also.slice(1) } as const;
const name = { name: 'name', description: 'how the agent calls it', required: true, also: ['local-name'] } as const;

const list = listCommand({
  name: 'destinations',
  kind: 'destination',
  summary: 'Where each agent may send to, and under which name',
  none: 'No agent has destinations: each can only answer where it was asked.',
  agents: 'read',
  columns: [
    { head: 'AGENT', of: 'agent' },
    { head: 'NAME', of: 'name' },
    { head: 'TYPE', of: (row) => (row.targetType === 'agent' ? 'agent' : 'chat') },
    { head: 'TARGET', of: 'target' },
    { head: 'TARGET ID', of: (row) => shown(row.targetId) },
  ],
  filters: [
    { ...group, required: false, value: 'group', column: 'agentGroupId' },
    {
      name: 'target',
      value: 'target',
      description: 'only those that lead there',
      ref: 'target',
      column: 'targetId',
      also: ['target-id'],
    },
    { name: 'target-type', value: 'type', choices: ['channel', 'agent'], description: 'only chats, or only agents' },
  ],
});

const add = changeCommand({
  name: 'destinations add',
  summary: 'Let an agent send to a chat or to another agent',
  positionals: [
    group,
    name,
    {
      name: 'target',
      description: 'the chat or agent: id or name',
      required: true,
      ref: 'target',
      also: ['target-id'],
    },
  ],
  handle: (view, args, { by, now }) =>
    view.directory.addDestination(
      textOf(args, 'group') ?? '',
      textOf(args, 'name') ?? '',
      textOf(args, 'target') ?? '',
      by,
      now,
    ),
  show: (added) => `It may send there from now on, as “${added.name}”.`,
});

const remove = changeCommand({
  name: 'destinations remove',
  summary: 'Let it send there no more; where it is asked it can always answer',
  positionals: [group, name],
  handle: (view, args, { by, now }) =>
    view.directory.removeDestination(textOf(args, 'group') ?? '', textOf(args, 'name') ?? '', by, now),
  show: () => 'Done.',
});

export const destinations: readonly Command[] = [list, add, remove];

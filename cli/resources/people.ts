import type { By, Grant } from '../../admin/directory/index.ts';
import type { HostView, Result } from '../../admin/view.ts';
import { type Arguments, type Command, changeCommand, type Flag, type Positional, textOf } from '../definition.ts';
import { GROUP } from './groups.ts';
import {
  choiceOf,
  deleteCommand,
  type Filter,
  getCommand,
  listCommand,
  positionalOf,
  type Subject,
  shown,
} from './resource.ts';

const USER = { name: 'users', kind: 'user', word: 'user', also: ['id'] } as const satisfies Subject;
const ROLES = ['owner', 'admin'] as const;

const user = { ...positionalOf(USER), also: ['user-id'] } as const;
const refused = { ...positionalOf({ ...USER, kind: 'denial' }), also: ['user-id'] } as const;
const group = { ...positionalOf(GROUP), also: GROUP.also.slice(1) } as const;
const byUser: Filter = { ...user, required: false, value: 'user', column: 'userId' };
const byGroup: Filter = { ...group, required: false, value: 'group', column: 'agentGroupId' };

const usersList = listCommand({
  name: 'users',
  kind: 'user',
  summary: 'Everybody who is known, on all channels',
  none: 'Nobody is known yet.',
  agents: 'read',
  columns: [
    { head: 'ID', of: 'id' },
    { head: 'NAME', of: 'displayName' },
    { head: 'ROLES', of: 'roles' },
    { head: 'SINCE', of: 'createdAt' },
  ],
  filters: [
    { name: 'kind', value: 'channel', description: 'only those on that channel' },
    { name: 'display-name', value: 'name', description: 'only those of that name' },
  ],
});

const usersCreate = changeCommand({
  name: 'users create',
  summary: 'Make somebody known before they have written',
  positionals: [{ name: 'id', description: '<channel>:<handle>, such as telegram:123456', required: true }],
  flags: [{ name: 'display-name', value: 'name', description: 'what they are called', also: ['name'] }],
  handle(view, args, { by, now }) {
    const id = textOf(args, 'id') ?? '';
    const done = view.directory.createUser(id, textOf(args, 'display-name') ?? null, by, now);
    return done.ok ? { ok: true, data: { id } } : done;
  },
  show: ({ id }) => `${id} is known.`,
});

const usersUpdate = changeCommand({
  name: 'users update',
  summary: 'Change what somebody is called',
  positionals: [positionalOf(USER)],
  flags: [{ name: 'display-name', value: 'name', required: true, description: 'what they are called', also: ['name'] }],
  handle: (view, args, { by, now }) =>
    view.directory.renameUser(textOf(args, 'user') ?? '', textOf(args, 'display-name') ?? '', by, now),
  show: () => 'Done.',
});

const usersDelete = deleteCommand(
  USER,
  'The user',
  'Forget somebody with all rights; what they said stays where it was said',
  (directory, id, by, now) => directory.deleteUser(id, by, now),
  { rehearsed: true },
);

type Between = (directory: HostView['directory'], ...of: [string, string, By, number]) => Result<null>;

/** What is between somebody and an agent. */
function between(name: string, summary: string, done: string, change: Between, who: Positional = user): Command {
  return changeCommand({
    name,
    summary,
    positionals: [who, group],
    handle(view, args, { by, now }) {
      const [userId, agentGroupId] = [textOf(args, 'user') ?? '', textOf(args, 'group') ?? ''];
      const changed = change(view.directory, userId, agentGroupId, by, now);
      return changed.ok ? { ok: true, data: { user: userId, group: agentGroupId } } : changed;
    },
    show: (of) => `${of.user} ${done}.`,
  });
}

const rolesList = listCommand({
  name: 'roles',
  kind: 'role',
  summary: 'Who owns this install, and who looks after which agents',
  none: 'Nobody has a role.',
  agents: 'read',
  columns: [
    { head: 'USER', of: 'userId' },
    { head: 'NAME', of: 'user' },
    { head: 'ROLE', of: 'role' },
    { head: 'OF', of: (row) => shown(row.agent ?? 'everything') },
    { head: 'GRANTED', of: 'grantedAt' },
    { head: 'BY', of: 'grantedBy' },
  ],
  filters: [
    byUser,
    byGroup,
    { name: 'role', value: 'role', choices: ROLES, description: 'only those who have that role' },
  ],
});

const role = { name: 'role', description: 'owner or admin', required: true } as const;
const ofGroup: Flag = {
  ...group,
  required: false,
  value: 'group',
  description: 'only of this agent; of everything at first',
};

function roleCommand(name: string, summary: string, verb: 'grantRole' | 'revokeRole', done: string): Command {
  return changeCommand({
    name,
    summary,
    positionals: [user, role],
    flags: [ofGroup],
    handle(view, args, { by, now }) {
      const grant = readGrant(args);
      if (!grant.ok) return grant;
      const changed = view.directory[verb](grant.data, by, now);
      return changed.ok ? grant : changed;
    },
    show: ({ userId, role: given }) => `${userId} is ${done} an ${given}.`,
  });
}

function readGrant(args: Arguments): Result<Grant> {
  const given = choiceOf(args, 'role', ROLES);
  if (!given) return { ok: false, code: 'NC_USAGE', detail: 'A role is owner or admin.' };
  return {
    ok: true,
    data: { userId: textOf(args, 'user') ?? '', role: given, agentGroupId: textOf(args, 'group') ?? null },
  };
}

const membersList = listCommand({
  name: 'members',
  kind: 'member',
  summary: 'Who may talk to which agent without any privilege',
  none: 'No agent has members.',
  agents: 'read',
  columns: [
    { head: 'USER', of: 'userId' },
    { head: 'NAME', of: 'user' },
    { head: 'AGENT', of: 'agent' },
    { head: 'ADDED', of: 'addedAt' },
    { head: 'BY', of: 'addedBy' },
  ],
  filters: [byUser, byGroup],
});

const denialsList = listCommand({
  name: 'users denials',
  kind: 'denial',
  summary: 'Who was refused, and by which agent they are not heard',
  none: 'Nobody was refused.',
  agents: 'read',
  columns: [
    { head: 'USER', of: 'userId' },
    { head: 'NAME', of: 'user' },
    { head: 'AGENT', of: 'agent' },
    { head: 'DENIED', of: 'deniedAt' },
    { head: 'BY', of: 'deniedBy' },
  ],
  filters: [{ ...byUser, ...refused, required: false }, byGroup],
});

export const people: readonly Command[] = [
  usersList,
  getCommand(USER, 'One user with all roles'),
  usersCreate,
  usersUpdate,
  usersDelete,
  between(
    'users deny',
    'Never hear somebody with an agent, whatever its chats allow',
    'is not heard any more',
    (all, ...of) => all.denySender(...of),
  ),
  between(
    'users undeny',
    'Take that back',
    'may be heard again, as any stranger',
    (all, ...of) => all.undenySender(...of),
    refused,
  ),
  denialsList,
  rolesList,
  roleCommand('roles grant', 'Make somebody an owner, or an admin of one agent or of all', 'grantRole', 'now'),
  roleCommand('roles revoke', 'Take a role away', 'revokeRole', 'no longer'),
  membersList,
  between('members add', 'Let somebody talk to an agent', 'is a member', (all, ...of) => all.addMember(...of)),
  between('members remove', 'Let somebody talk to an agent no more', 'is no member any more', (all, ...of) =>
    all.removeMember(...of),
  ),
];

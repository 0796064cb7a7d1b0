import { join } from 'node:path';
import { type Command, changeCommand, textOf } from '../definition.ts';
import { requireProvider } from '../require-provider.ts';
import { choiceOf, deleteCommand, getCommand, listCommand, positionalOf, type Subject, shown } from './resource.ts';

const root = join(import.meta.dirname, '..', '..');

export const GROUP = {
  name: 'groups',
  kind: 'group',
  word: 'group',
  also: ['id', 'agent-group', 'agent-group-id'],
} as const satisfies Subject;
export const SCOPES = ['disabled', 'group', 'global'] as const;

const list = listCommand({
  name: 'groups',
  kind: 'group',
  summary: 'The agent groups',
  none: 'There is no agent yet: `ncl init-first-agent` makes one.',
  agents: 'read',
  columns: [
    { head: 'ID', of: 'id' },
    { head: 'NAME', of: 'name' },
    { head: 'FOLDER', of: 'folder' },
    { head: 'PROVIDER', of: (row) => shown(row.provider || 'default') },
    { head: 'MODEL', of: (row) => shown(row.model ?? 'default') },
    { head: 'EGRESS', of: 'egress' },
    { head: 'NCL', of: 'cliScope' },
  ],
  filters: [
    { name: 'name', value: 'name', description: 'only the one of that name' },
    { name: 'provider', value: 'name', description: 'only those with that model harness' },
    { name: 'cli-scope', value: 'scope', choices: SCOPES, description: 'only those that may do that much with ncl' },
  ],
});

const create = changeCommand({
  name: 'groups create',
  summary: 'Make an agent group: a folder, a memory and a persona of its own',
  positionals: [{ name: 'name', description: 'what it is called', required: true }],
  flags: [
    { name: 'folder', value: 'name', description: 'below groups/; made of the name at first' },
    { name: 'provider', value: 'name', description: "the model harness; the first agent's at first" },
    { name: 'timezone', value: 'zone', description: "such as Europe/Berlin; the first agent's at first" },
    { name: 'cli-scope', value: 'scope', choices: SCOPES, description: 'what it may do with ncl; group at first' },
  ],
  ready: async (args) => {
    const provider = textOf(args, 'provider');
    return provider === undefined ? undefined : requireProvider(root, process.cwd(), provider);
  },
  handle(view, args, { by, now }) {
    const name = textOf(args, 'name') ?? '';
    const folder = textOf(args, 'folder');
    const provider = textOf(args, 'provider');
    const timezone = textOf(args, 'timezone');
    const cliScope = choiceOf(args, 'cli-scope', SCOPES);
    return view.directory.createAgentGroup(
      {
        name,
        ...(folder !== undefined && { folder }),
        ...(provider !== undefined && { provider }),
        ...(timezone !== undefined && { timezone }),
        ...(cliScope && { cliScope }),
      },
      by,
      now,
    );
  },
  show: ({ id, folder }) =>
    `The agent is there: ${id}, in groups/${folder}. \`ncl wirings create <chat> ${id}\` lets it listen in a chat.`,
});

const update = changeCommand({
  name: 'groups update',
  summary: 'Give an agent group another name; what it runs with is changed by `groups config update`',
  positionals: [positionalOf(GROUP)],
  flags: [{ name: 'name', value: 'name', required: true, description: 'its new name' }],
  handle: (view, args, { by, now }) =>
    view.directory.renameAgentGroup(textOf(args, 'group') ?? '', textOf(args, 'name') ?? '', by, now),
  show: () => 'Done.',
});

const remove = deleteCommand(
  GROUP,
  'The agent',
  'Remove an agent group with its sessions, messages, wirings and files',
  (directory, id, by, now) => directory.deleteAgentGroup(id, by, now),
);

const restart = changeCommand({
  name: 'groups restart',
  summary: "End the agent's sandboxes; they start again with their next message. From inside: only the own one",
  positionals: [positionalOf(GROUP)],
  flags: [
    { name: 'rebuild', description: 'make its image anew first, where the sandbox driver has one' },
    { name: 'message', value: 'text', description: 'what those that run read first when they are back, at once' },
  ],
  handle(view, args, { by, now, caller }) {
    const message = textOf(args, 'message');
    const only = {
      ...(caller.kind === 'agent' && { sessionId: caller.sessionId }),
      ...(message !== undefined && { message }),
    };
    const done = view.directory.restartAgentGroup(textOf(args, 'group') ?? '', only, by, now);
    const { driver } = view.status();
    return done.ok
      ? { ok: true, data: { ...done.data, rebuilt: false, rebuild: args.rebuild === true, driver } }
      : done;
  },
  show: ({ sessions, rebuild, driver }) =>
    [
      sessions === 0
        ? 'None of its sandboxes runs.'
        : `Restarted: ${sessions} ${sessions === 1 ? 'sandbox' : 'sandboxes'}.`,
      ...(rebuild
        ? [`There is no image to rebuild with the driver ${driver}: each start takes what this checkout has.`]
        : []),
    ].join('\n'),
});

export const groups: readonly Command[] = [
  list,
  getCommand(GROUP, 'One agent group with what it runs with'),
  create,
  update,
  remove,
  restart,
];

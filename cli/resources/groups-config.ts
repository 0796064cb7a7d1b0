import { HISTORY_SCOPES } from '../../admin/directory/history-scopes.ts';
import type { ConfigChanges, McpServer } from '../../admin/directory/index.ts';
import type { Result } from '../../admin/view.ts';
import { type Arguments, type Command, changeCommand, hostCommand, textOf } from '../definition.ts';
import { lookupOf, type Row } from '../lookup/index.ts';
import type { Look } from '../screen.ts';
import { pairs } from '../table.ts';
import { GROUP, SCOPES } from './groups.ts';
import { modelChanges, modelFlags, providerReady } from './model-flags.ts';
import { choiceOf, positionalOf, rowOf, shown } from './resource.ts';

const EGRESS = ['public', 'none'] as const;
const LATER = "takes effect at the sandbox's next start; `ncl groups restart` does it now.";

const get = hostCommand({
  name: 'groups config get',
  summary: "An agent group's configuration",
  agents: 'read',
  positionals: [positionalOf(GROUP)],
  handle: (view, args, call) => rowOf(view, GROUP, args, call),
  show,
});

const update = changeCommand<Row>({
  name: 'groups config update',
  summary: 'Change it: its name and its model from the next message on, the rest from the next start of a sandbox on',
  positionals: [positionalOf(GROUP)],
  flags: [
    ...modelFlags('the model harness: claude, demo; or `default`'),
    { name: 'assistant-name', value: 'name', description: 'what the agent is called' },
    { name: 'timezone', value: 'zone', description: 'such as Europe/Berlin' },
    { name: 'max-messages-per-prompt', value: 'count', description: 'how many messages it reads at once: 1 to 100' },
    { name: 'egress', value: 'rule', choices: EGRESS, description: 'what of the network the agent reaches' },
    {
      name: 'egress-allow',
      value: 'hosts',
      description: 'private hosts that it may reach all the same, as host or host:port, with commas; or `none`',
    },
    {
      name: 'history',
      value: 'scope',
      choices: HISTORY_SCOPES,
      description: 'what it finds when it searches in what was said: the same thread, the same chat, or all its chats',
    },
    { name: 'cli-scope', value: 'scope', choices: SCOPES, description: 'what it may do with ncl; never for agents' },
    { name: 'instructions', value: 'text', description: "what it is told beside what every agent is; '' for nothing" },
    {
      name: 'skills',
      value: 'names',
      description: 'its skills: automatic (general ones and those of its channels), all, none, or names with commas',
    },
  ],
  ready: providerReady,
  handle(view, args, call) {
    const changes = readChanges(args);
    const done = view.directory.updateConfig(textOf(args, 'group') ?? '', changes, call.by, call.now);
    const row = done.ok ? rowOf(view, GROUP, args, call) : done;
    if (!row.ok || changes.timezone === undefined) return row;
    const where = { agentGroupId: String(row.data.id) };
    const live = lookupOf(view)
      .list('task', { where }, call.by.scope)
      .rows.filter(({ status, timezone }) => /active|paused/.test(String(status)) && timezone !== row.data.timezone);
    return { ok: true, data: live.length > 0 ? { ...row.data, tasksElsewhere: live.length } : row.data };
  },
  show: ({ tasksElsewhere, ...row }, look) => {
    const told = [show(row, look), '', `Its name and model count from the next message on. The rest ${LATER}`];
    if (Number(tasksElsewhere) > 0)
      told.push(
        `Its tasks stay in the zone in which they were made: ${tasksElsewhere} of them in another one. \`ncl tasks update <task> --timezone <zone>\` moves one.`,
      );
    return told.join('\n');
  },
});

const server = { name: 'name', value: 'name', required: true, description: 'what the server is called' } as const;

const addServer = changeCommand({
  name: 'groups config add-mcp-server',
  summary: 'Give the agent a tool server, which runs in its sandbox with its rights and no others',
  positionals: [positionalOf(GROUP)],
  flags: [
    server,
    { name: 'command', value: 'program', required: true, description: 'what is run, inside the sandbox' },
    { name: 'args', value: 'json', description: 'its arguments, as a JSON list of texts' },
    {
      name: 'env',
      value: 'json',
      description: 'its environment, as a JSON object of texts; no secrets: the agent can read it',
    },
    { name: 'instructions', value: 'text', description: 'for the agent: what its tools are for' },
  ],
  handle(view, args, { by, now }) {
    const read = readServer(args);
    if (!read.ok) return read;
    const name = textOf(args, 'name') ?? '';
    const done = view.directory.addMcpServer(textOf(args, 'group') ?? '', name, read.data, by, now);
    return done.ok ? { ok: true, data: { name, ...read.data } } : done;
  },
  show: ({ name, command, args }) => [`${name} is added: ${[command, ...args].join(' ')}`, `It ${LATER}`].join('\n'),
});

const removeServer = changeCommand({
  name: 'groups config remove-mcp-server',
  summary: 'Take a tool server away',
  positionals: [positionalOf(GROUP)],
  flags: [server],
  handle: (view, args, { by, now }) =>
    view.directory.removeMcpServer(textOf(args, 'group') ?? '', textOf(args, 'name') ?? '', by, now),
  show: () => ['The server is removed.', `That ${LATER}`].join('\n'),
});

export const groupsConfig: readonly Command[] = [get, update, addServer, removeServer];

function readChanges(args: Arguments): ConfigChanges {
  const assistantName = textOf(args, 'assistant-name');
  const timezone = textOf(args, 'timezone');
  const most = textOf(args, 'max-messages-per-prompt');
  const egress = choiceOf(args, 'egress', EGRESS);
  const allow = textOf(args, 'egress-allow');
  const history = choiceOf(args, 'history', HISTORY_SCOPES);
  const cliScope = choiceOf(args, 'cli-scope', SCOPES);
  const [instructions, skills] = [textOf(args, 'instructions'), textOf(args, 'skills')];
  return {
    ...modelChanges(args),
    ...(assistantName !== undefined && { assistantName }),
    ...(timezone !== undefined && { timezone }),
    ...(most !== undefined && { maxMessagesPerPrompt: Number(most) }),
    ...(egress && { egress }),
    ...(allow !== undefined && { egressAllow: allow === 'none' ? [] : allow.split(',').map((host) => host.trim()) }),
    ...(history && { history }),
    ...(cliScope && { cliScope }),
    ...(instructions !== undefined && { instructions }),
    ...(skills !== undefined && { skills }),
  };
}

function readServer(given: Arguments): Result<McpServer> {
  const args = readJson(textOf(given, 'args') ?? '[]');
  if (!Array.isArray(args) || !args.every((one) => typeof one === 'string')) {
    return { ok: false, code: 'NC_USAGE', detail: '--args is a JSON list of texts, such as ["--port", "80"].' };
  }
  const env = readJson(textOf(given, 'env') ?? '{}');
  const entries = typeof env === 'object' && env !== null && !Array.isArray(env) ? Object.entries(env) : undefined;
  if (!entries?.every((entry): entry is [string, string] => typeof entry[1] === 'string')) {
    return { ok: false, code: 'NC_USAGE', detail: '--env is a JSON object of texts, such as {"LEVEL": "info"}.' };
  }
  const [command = '', instructions] = [textOf(given, 'command'), textOf(given, 'instructions')];
  return { ok: true, data: { command, args, env: Object.fromEntries(entries), ...(instructions && { instructions }) } };
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function show(row: Row, look: Look): string {
  const servers = Object.keys(typeof row.mcpServers === 'object' && row.mcpServers !== null ? row.mcpServers : {});
  return pairs(
    [
      ['id', shown(row.id)],
      ['name', shown(row.name)],
      ['folder', `groups/${row.folder}`],
      ['provider', shown(row.provider || 'default')],
      ['model', shown(row.model ?? 'default')],
      ['effort', shown(row.effort ?? 'default')],
      ['assistant-name', shown(row.assistantName)],
      ['timezone', shown(row.timezone)],
      ['max-messages-per-prompt', shown(row.maxMessagesPerPrompt)],
      ['egress', shown(row.egress)],
      ['egress-allow', Array.isArray(row.egressAllow) && row.egressAllow.length > 0 ? shown(row.egressAllow) : 'none'],
      ['history', shown(row.history)],
      ['cli-scope', shown(row.cliScope)],
      ['skills', shown(row.skills)],
      ['mcp-servers', servers.length > 0 ? servers.join(', ') : 'none'],
      ['instructions', shown(row.instructions || 'none')],
    ],
    look,
  );
}

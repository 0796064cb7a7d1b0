import { join } from 'node:path';
import type { GroupChanges, GroupRow, HostView, Result } from '../../src/admin-view.ts';
import { type Arguments, hostCommand, textOf } from '../definition.ts';
import { requireProvider } from '../require-provider.ts';
import type { Look } from '../screen.ts';
import { pairs } from '../table.ts';

const root = join(import.meta.dirname, '..', '..');
const EFFORTS = ['low', 'medium', 'high', 'xhigh', 'max'] as const;
const EGRESS = ['public', 'none'] as const;
/** A host or address, with a port or without; what else it must be is the relay's rule. */
const ALLOWED = /^[A-Za-z0-9_.:*/[\]-]{1,255}$/;

const group = { name: 'group', description: "the group's id or name", required: true } as const;

export const groupsConfigGet = hostCommand({
  name: 'groups config get',
  summary: "An agent group's configuration",
  positionals: [group],
  handle: (view, args) => find(view, textOf(args, 'group') ?? ''),
  show,
});

export const groupsConfigUpdate = hostCommand({
  name: 'groups config update',
  summary: 'Change it, from the next start of a sandbox on',
  positionals: [group],
  flags: [
    { name: 'provider', value: 'name', description: 'the model harness: claude, demo' },
    { name: 'model', value: 'name', description: "the provider's name of it, or `default`" },
    { name: 'effort', value: 'level', choices: [...EFFORTS, 'default'], description: 'how hard it thinks' },
    { name: 'assistant-name', value: 'name', description: 'what the agent is called' },
    { name: 'egress', value: 'rule', choices: EGRESS, description: 'what of the network the agent reaches' },
    {
      name: 'egress-allow',
      value: 'hosts',
      description: 'private hosts that it may reach all the same, as host or host:port, with commas; or `none`',
    },
  ],
  async handle(view, args) {
    const changes = readChanges(args);
    if (!changes.ok) return changes;
    const { provider } = changes.data;
    const note = provider && (await requireProvider(root, process.cwd(), provider));
    const updated = view.updateGroup(textOf(args, 'group') ?? '', changes.data);
    return updated.ok ? { ok: true, data: { ...updated.data, ...(note && { note }) } } : updated;
  },
  show: (row: GroupRow & { note?: string }, look) =>
    [show(row, look), '', "It takes effect at the sandbox's next start; `ncl restart` does it now.", row.note ?? '']
      .join('\n')
      .trimEnd(),
});

function find(view: HostView, idOrName: string): Result<GroupRow> {
  const groups = view.groups();
  const byId = groups.find(({ id }) => id === idOrName);
  const matches = byId ? [byId] : groups.filter(({ name, folder }) => name === idOrName || folder === idOrName);
  const [first] = matches;
  if (!first) return { ok: false, code: 'NC_NOT_FOUND', detail: '`ncl groups list` shows the groups.' };
  return matches.length === 1 ? { ok: true, data: first } : { ok: false, code: 'NC_AMBIGUOUS' };
}

function readChanges(args: Arguments): Result<GroupChanges> {
  const provider = textOf(args, 'provider');
  const model = textOf(args, 'model');
  const effort = textOf(args, 'effort');
  const assistantName = textOf(args, 'assistant-name');
  const egress = EGRESS.find((one) => one === args.egress);
  const allow = textOf(args, 'egress-allow');
  const egressAllow = allow === 'none' ? [] : allow?.split(',').map((host) => host.trim());
  if (egressAllow?.some((host) => !ALLOWED.test(host))) return usage('--egress-allow has hosts with commas between.');
  if (provider !== undefined && !/^[a-z0-9][a-z0-9-]{0,63}$/.test(provider))
    return usage('That is no name of a provider.');
  if (assistantName !== undefined && !/^[^\p{C}]{1,64}$/u.test(assistantName)) {
    return usage('A name has 1 to 64 characters and no control characters.');
  }
  const changes: GroupChanges = {
    ...(provider && { provider }),
    ...(model && { model: model === 'default' ? null : model }),
    ...(effort && { effort: EFFORTS.find((one) => one === effort) ?? null }),
    ...(assistantName && { assistantName }),
    ...(egress && { egress }),
    ...(egressAllow && { egressAllow }),
  };
  return Object.keys(changes).length > 0 ? { ok: true, data: changes } : usage('There is nothing to change.');
}

function usage(detail: string): Result<never> {
  return { ok: false, code: 'NC_USAGE', detail };
}

function show(row: GroupRow, look: Look): string {
  return pairs(
    [
      ['id', row.id],
      ['name', row.name],
      ['folder', `groups/${row.folder}`],
      ['provider', row.provider],
      ['model', row.model ?? 'default'],
      ['effort', row.effort ?? 'default'],
      ['assistant-name', row.assistantName],
      ['timezone', row.timezone],
      ['egress', row.egress],
      ['egress-allow', row.egressAllow.join(', ') || 'none'],
    ],
    look,
  );
}

import type { Caller, HostView } from '../admin/view.ts';
import type { Arguments, Command } from './definition.ts';
import { lookupOf } from './lookup/index.ts';

/** What somebody is shown who has to allow what an agent wants to do with `ncl`: all of it. */
export function describeRequest(
  view: HostView,
  caller: Extract<Caller, { kind: 'agent' }>,
  command: Command,
  args: Arguments,
  outcome: string,
): { subject: string; title: string; body: string } {
  const group = lookupOf(view).get('group', caller.agentGroupId, null);
  const name = String(group?.assistantName ?? caller.agentGroupId);
  const speakers = caller.speakers.map((id) => {
    const called = lookupOf(view).get('user', id, null)?.displayName;
    return typeof called === 'string' ? `${called} (${id})` : id;
  });
  const body = [
    commandLine(view, command, args),
    `For: ${speakers.length === 0 ? 'nobody, by itself' : speakers.join(', ')}`,
    '',
    'What it would say:',
    // What is in it may be the agent's own words.
    ...outcome.split('\n').map((line) => `> ${line}`),
  ];
  return {
    subject: JSON.stringify([caller.agentGroupId, command.name, Object.entries(args).sort()]),
    title: `${name} wants to do: ncl ${command.name}`,
    body: body.join('\n'),
  };
}

/** As it is typed, with names beside the ids. */
function commandLine(view: HostView, command: Command, args: Arguments): string {
  const { positionals = [], flags = [] } = command;
  const shown = (ref: (typeof positionals)[number]['ref'], value: string) => {
    const kinds = ref === 'target' ? (['chat', 'group'] as const) : ref === undefined ? [] : ([ref] as const);
    const called = kinds
      .map((kind) => nameOf(lookupOf(view).get(kind, value, null)))
      .find((name) => name !== undefined);
    return called === undefined ? quoted(value) : `${quoted(value)} [${called}]`;
  };
  const words = [
    ...positionals.flatMap(({ name, ref }) => (typeof args[name] === 'string' ? [shown(ref, args[name])] : [])),
    ...flags.flatMap(({ name, ref }) => {
      const value = args[name];
      if (value === undefined) return [];
      return [value === true ? `--${name}` : `--${name} ${shown(ref, value)}`];
    }),
  ];
  return ['ncl', command.name, ...words].join(' ');
}

function nameOf(row: Readonly<Record<string, unknown>> | undefined): string | undefined {
  if (!row) return undefined;
  const given = row.name ?? row.displayName ?? (row.agent && row.chat ? `${row.agent} in ${row.chat}` : row.agent);
  if (typeof given === 'string') return given;
  return typeof row.channelType === 'string' ? `${row.channelType}/${row.platformId}` : undefined;
}

function quoted(value: string): string {
  return /^[\p{L}\p{N}_:./@+-]+$/u.test(value) ? value : JSON.stringify(value);
}

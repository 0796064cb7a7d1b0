import type { HostView, Result } from '../../admin/view.ts';
import { type Command, hostCommand, textOf } from '../definition.ts';
import { ago, listCommand, positionalOf, rowOf, type Subject, shown, showRow } from './resource.ts';

const APPROVAL = { name: 'approvals', kind: 'approval', word: 'approval', also: ['id'] } as const satisfies Subject;
const STATUSES = ['pending', 'naming', 'approved', 'denied', 'expired', 'failed'] as const;

const list = listCommand({
  name: 'approvals',
  kind: 'approval',
  summary: 'What waits, or waited, for the word of somebody who may allow it',
  none: 'Nothing waits for anybody.',
  agents: 'read',
  columns: [
    { head: 'ID', of: 'id' },
    { head: 'STATUS', of: 'status' },
    { head: 'KIND', of: 'kind' },
    { head: 'WHAT', of: 'title' },
    { head: 'ASKED', of: (row) => ago(row.createdAt) },
    { head: 'DECIDED BY', of: (row) => shown(row.decidedBy) },
  ],
  filters: [
    { name: 'status', value: 'status', choices: STATUSES, description: 'only those in that state' },
    { name: 'kind', value: 'kind', description: 'only those of that kind' },
  ],
});

const get = hostCommand({
  name: 'approvals get',
  summary: 'One of them, with all of what it says',
  agents: 'read',
  positionals: [positionalOf(APPROVAL)],
  handle: (view, args, call) => rowOf(view, APPROVAL, args, call),
  show: (row, look) => showRow({ ...row, options: numbered(row.options) }, look),
});

function numbered(options: unknown): string {
  return Array.isArray(options) ? options.map((label, at) => `${at + 1}. ${shown(label)}`).join('\n') : '';
}

const approve = hostCommand({
  name: 'approvals approve',
  summary: 'Allow it: exactly what it says, once',
  positionals: [
    positionalOf(APPROVAL),
    { name: 'option', description: 'the number of what is chosen, from 1 on, where there is more than one' },
  ],
  flags: [{ name: 'name', value: 'name', description: 'for what is to be called something' }],
  handle(view, args) {
    const option = textOf(args, 'option');
    if (option !== undefined && !/^[1-9]\d{0,2}$/.test(option)) {
      return { ok: false, code: 'NC_USAGE', detail: 'An option is a number, as `ncl approvals get` shows them.' };
    }
    const name = textOf(args, 'name');
    return decide(view, {
      id: textOf(args, 'approval') ?? '',
      option: option === undefined ? 'approve' : Number(option) - 1,
      ...(name !== undefined && { name }),
    });
  },
  show: ({ outcome }) => outcome,
});

const deny = hostCommand({
  name: 'approvals deny',
  summary: 'Refuse it',
  positionals: [positionalOf(APPROVAL)],
  handle: (view, args) => decide(view, { id: textOf(args, 'approval') ?? '', option: 'deny' }),
  show: ({ outcome }) => outcome,
});

async function decide(
  view: HostView,
  choice: Parameters<HostView['decide']>[0],
): Promise<Result<{ id: string; outcome: string }>> {
  const { ok, text } = await view.decide(choice);
  return ok ? { ok, data: { id: choice.id, outcome: text } } : { ok, code: 'NC_NOT_DONE', detail: text };
}

export const approvals: readonly Command[] = [list, get, approve, deny];

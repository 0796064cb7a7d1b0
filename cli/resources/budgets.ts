import type { Result } from '../../admin/view.ts';
import { inWords, PERIODS, UNITS } from '../../assistant/usage/amounts.ts';
import type { ListedBudget, Which } from '../../assistant/usage/changes.ts';
import type { Budget } from '../../assistant/usage/decide.ts';
import {
  type Arguments,
  type Call,
  type Command,
  changeCommand,
  type Flag,
  hostCommand,
  textOf,
} from '../definition.ts';
import { table } from '../table.ts';
import { choiceOf } from './resource.ts';

/** What agents may spend. Agents see their own, and ask for a change. */

const WHICH: readonly Flag[] = [
  { name: 'agent', value: 'group', ref: 'group', description: "this agent's; inside a sandbox, its own at first" },
  { name: 'all', description: 'of all agents together' },
  { name: 'period', value: 'period', choices: PERIODS, description: 'a day at first; task: each run of a task' },
  {
    name: 'unit',
    value: 'unit',
    choices: UNITS,
    description: 'usd at first; tokens, for a provider that reports no money',
  },
];

const list = hostCommand<ListedBudget[]>({
  name: 'budgets list',
  summary: 'What agents may spend, and what they have spent of it',
  agents: 'read',
  handle: (view, _args, { by }) => view.usage.budgets.list(by),
  show(all, look) {
    if (all.length === 0) return 'There is no budget.';
    const rows = all.map(({ agent, period, unit, amount, spent, isDefault }) => [
      agent ?? 'all together',
      period === 'task' ? 'run of a task' : period,
      amount === null ? 'no limit' : inWords(amount, unit),
      spent === null ? '–' : inWords(spent, unit),
      isDefault ? 'default' : 'set',
    ]);
    return table(['AGENT', 'PERIOD', 'BUDGET', 'SPENT', 'FROM'], rows, look);
  },
});

const set = changeCommand<Budget>({
  name: 'budgets set',
  summary: 'Say what an agent, or all of them, may spend; 0 is nothing, none is no limit. It counts at once',
  positionals: [{ name: 'amount', description: 'such as 20 or 2.50, or none', required: true }],
  flags: WHICH,
  handle(view, args, call) {
    const which = whichOf(args, call);
    if (!which.ok) return which;
    const amount = textOf(args, 'amount') ?? '';
    // Without a unit, no limit is none of that period.
    const inTokens: Which = { ...which.data, unit: 'tokens' };
    if (
      amount.toLowerCase() === 'none' &&
      args.unit === undefined &&
      isSet(view.usage.budgets.list(call.by), inTokens)
    ) {
      const tokens = view.usage.budgets.set(inTokens, amount, call.by, call.now);
      if (!tokens.ok) return tokens;
    }
    return view.usage.budgets.set(which.data, amount, call.by, call.now);
  },
  show: ({ period, unit, amount, agentGroupId }) =>
    `${agentGroupId === null ? 'All agents together' : 'The agent'} may spend ${
      amount === null ? 'without a limit' : inWords(amount, unit)
    } for each ${period === 'task' ? 'run of a task' : period} now.`,
});

const unset = changeCommand<Which>({
  name: 'budgets unset',
  summary: 'Back to the default: $10 a day for each agent, and no other limit',
  flags: WHICH,
  handle(view, args, call) {
    const which = whichOf(args, call);
    return which.ok ? view.usage.budgets.unset(which.data, call.by, call.now) : which;
  },
  show: () => 'It is back to the default.',
});

export const budgets: readonly Command[] = [list, set, unset];

function isSet(listed: Result<ListedBudget[]>, { agentGroupId, period, unit }: Which): boolean {
  if (!listed.ok) return false;
  return listed.data.some((one) => one.agentGroupId === agentGroupId && one.period === period && one.unit === unit);
}

function whichOf(args: Arguments, { caller }: Call): Result<Which> {
  const ofAll = args.all === true;
  const own = caller.kind === 'agent' && !ofAll ? caller.agentGroupId : undefined;
  const agentGroupId = textOf(args, 'agent') ?? own;
  if (ofAll === (agentGroupId !== undefined)) {
    return { ok: false, code: 'NC_USAGE', detail: 'Say whose it is: --agent <group>, or --all.' };
  }
  const period = choiceOf(args, 'period', PERIODS) ?? 'day';
  return {
    ok: true,
    data: { agentGroupId: agentGroupId ?? null, period, unit: choiceOf(args, 'unit', UNITS) ?? 'usd' },
  };
}

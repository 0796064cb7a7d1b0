import type { Session } from '../../src/db/sessions.ts';
import type { Roles } from '../../src/people/roles.ts';
import type { CommandContext } from '../../src/router.ts';
import type { Wiring } from '../../src/routing/session-key.ts';
import { inTokens, inUsd, inWords, PERIODS, type Period, UNITS, type Unit } from './amounts.ts';
import type { BudgetChanges, Which } from './changes.ts';
import { budgetsOf, type Spent } from './decide.ts';
import type { Standings } from './standing.ts';
import type { Table } from './table.ts';
import { capital, nameOf } from './words.ts';

/** `/usage` and `/budget`. Who is shown what is in `docs/people.md`: a chat's own figures are its own, the agent's are for its admins. */

export interface ChatCommandsParts {
  roles: Pick<Roles, 'mayAdminister' | 'mayAdministerAll'>;
  table: Table;
  standings: Standings;
  changes: BudgetChanges;
}

export interface ChatCommands {
  /** Inside a transaction, as the next one. `session`: the conversation that it is asked in, if there is one. */
  usage(wiring: Wiring, context: CommandContext, session: Session | undefined): string;
  budget(wiring: Wiring, context: Asking): string;
}

type Asking = Pick<CommandContext, 'now'> & { event: Pick<CommandContext['event'], 'text' | 'senderId'> };

const HOW =
  'Write /budget 20 for a day, /budget month 200, /budget task 2, and /budget all 50 for all agents together. Amounts are dollars, or tokens: /budget 1000000 tokens. /budget none is no limit, /budget default what counts where nothing is set.';

export function createChatCommands({ roles, table, standings, changes }: ChatCommandsParts): ChatCommands {
  function budgetsText(agentGroupId: string, withAll: boolean): string {
    const known = standings.get(agentGroupId)?.standings ?? [];
    const lines = budgetsOf(agentGroupId, table.budgets())
      .filter((budget) => withAll || budget.agentGroupId !== null)
      .map((budget) => {
        const { amount, unit } = budget;
        if (amount === null) return `${capital(nameOf(budget))} has no limit.`;
        const spent = known.find((each) => sameBudget(each, budget))?.spent;
        const used = spent === undefined ? '' : `, ${inWords(spent, unit)} of it spent`;
        return `${capital(nameOf(budget))}: ${inWords(amount, unit)}${used}.`;
      });
    return [...new Set(lines)].join('\n');
  }

  function isSet(which: Which): boolean {
    return table.budgets().some((budget) => sameBudget(budget, which));
  }

  return {
    usage(wiring, { event }, session) {
      const mayAll = roles.mayAdministerAll(event.senderId);
      const may = roles.mayAdminister(event.senderId, wiring.agentGroupId);
      const isShared = wiring.sessionMode === 'agent-shared';
      const lines: string[] = [];
      const agent = standings.get(wiring.agentGroupId);
      if (may && agent) {
        const { day, month } = agent.spent;
        lines.push(`Today: ${spentText(day)}. This month: ${spentText(month)}.`);
      }
      if (session && (may || !isShared)) {
        const { turns, ...spent } = table.spentIn(session.id);
        lines.push(`This conversation: ${spentText(spent)} in ${turns} ${turns === 1 ? 'turn' : 'turns'}.`);
      }
      if (may) lines.push(budgetsText(wiring.agentGroupId, mayAll));
      if (lines.length > 0) return lines.join('\n');
      return isShared && session
        ? `Others share this conversation: only admins of ${wiring.assistantName} see what it costs.`
        : 'Nothing has been spent on this conversation yet.';
    },
    budget(wiring, { event, now }) {
      const given = read(event.text);
      const { senderId } = event;
      const may = given?.ofAll ? roles.mayAdministerAll(senderId) : roles.mayAdminister(senderId, wiring.agentGroupId);
      if (!may) {
        return given?.ofAll
          ? 'Only owners and admins of everything may set a budget for all agents.'
          : `Only admins of ${wiring.assistantName} see and set its budget.`;
      }
      if (!given) return `I don't understand that. ${HOW}`;
      if ('problem' in given) return given.problem;
      const { amount, ofAll, period, unit } = given;
      if (amount === undefined) {
        return `${budgetsText(wiring.agentGroupId, roles.mayAdministerAll(senderId))}\n${HOW}`;
      }
      const which: Which = { agentGroupId: ofAll ? null : wiring.agentGroupId, period, unit };
      const by = { actor: senderId, scope: null };
      // Without a unit, all of that period is meant.
      const meant = given.isUnitGiven ? [which] : UNITS.map((each) => ({ ...which, unit: each }));
      if (amount === 'default') {
        for (const each of meant.filter((one) => isSet(one))) changes.unset(each, by, now);
        return `Back to the default.\n${budgetsText(wiring.agentGroupId, roles.mayAdministerAll(senderId))}`;
      }
      const isNone = amount === 'none';
      const others = isNone ? meant.filter((one) => one.unit !== unit && isSet(one)) : [];
      for (const other of others) changes.set(other, amount, by, now);
      const set = changes.set(which, amount, by, now);
      if (!set.ok) return set.detail ?? 'That was not possible.';
      if (set.data.amount === null) return `${capital(nameOf(which))} has no limit any more.`;
      const spent = standings.get(wiring.agentGroupId)?.spent;
      const what = period === 'task' ? 'No task is run' : 'Nothing is done';
      const nothing = set.data.amount === 0 ? ` ${what} until that is raised.` : '';
      const isOwn = !ofAll && period !== 'task' && spent !== undefined;
      const used = isOwn ? ` ${inWords(spent[period][unit], unit)} of it spent.` : '';
      return `${capital(nameOf(which))} is ${inWords(set.data.amount, unit)} now.${nothing || used}`;
    },
  };
}

function sameBudget(a: Which, b: Which): boolean {
  return a.agentGroupId === b.agentGroupId && a.period === b.period && a.unit === b.unit;
}

function spentText({ usd, tokens }: Spent): string {
  return usd > 0 || tokens === 0 ? `${inUsd(usd)} (${inTokens(tokens)} tokens)` : `${inTokens(tokens)} tokens`;
}

const UNIT_WORDS: ReadonlyMap<string, Unit> = new Map([
  ['usd', 'usd'],
  ['dollar', 'usd'],
  ['$', 'usd'],
  ['token', 'tokens'],
]);

interface Given {
  ofAll: boolean;
  period: Period;
  unit: Unit;
  isUnitGiven: boolean;
  /** As it was typed; undefined: it is only asked for. */
  amount: string | undefined;
}

/** `/budget [all] [day|month|task] [<amount>|none|default [usd|tokens]]`. What comes after a name is left out: `@Bea`. */
function read(text: string): Given | { ofAll: boolean; problem: string } | undefined {
  const words = text
    .trim()
    .split(/\s+/)
    .slice(1)
    .filter((word) => !word.startsWith('@'))
    .map((word) => word.toLowerCase());
  const ofAll = words[0] === 'all' && words.shift() !== undefined;
  const period = PERIODS.find((each) => each === words[0]);
  if (period) words.shift();
  const [, before, after] = /^(?:([€£¥])?[\d.]+([€£¥])?)$/.exec(words[0] ?? '') ?? [];
  const [amount, given = before ?? after, ...rest] = words;
  if (rest.length > 0) return undefined;
  const unit = given === undefined ? 'usd' : UNIT_WORDS.get(given.replace(/s$/, ''));
  if (!unit) return { ofAll, problem: `Budgets are in dollars or in tokens, not in “${given?.slice(0, 40)}”. ${HOW}` };
  return { ofAll, period: period ?? 'day', unit, isUnitGiven: given !== undefined, amount };
}

import type { DatabaseSync } from 'node:sqlite';
import { type Change, mayTouch, mayTouchAll, missing, OUT_OF_SCOPE, refuse } from '../../admin/directory/change.ts';
import type { By } from '../../admin/directory/index.ts';
import type { Result } from '../../admin/view.ts';
import { getAgentGroup, listAgentGroups } from '../../src/groups/agent-groups.ts';
import { readAmount } from './amounts.ts';
import { type Budget, budgetsOf } from './decide.ts';
import type { Standings } from './standing.ts';
import type { Table } from './table.ts';

/** Budgets, as people set them. Each change is one transaction with its entry in the audit log. */

export type Which = Pick<Budget, 'agentGroupId' | 'period' | 'unit'>;

export interface ListedBudget extends Budget {
  /** The agent's name; null: of all agents. */
  agent: string | null;
  /** In its running period; null: it counts each run for itself. */
  spent: number | null;
}

export interface BudgetChanges {
  list(by: By): Result<ListedBudget[]>;
  /** `amount` as it was typed; `none`: no limit. */
  set(which: Which, amount: string, by: By, now: number): Result<Budget>;
  /** Back to what counts where nothing is set. */
  unset(which: Which, by: By, now: number): Result<Which>;
}

export interface ChangesParts {
  db: DatabaseSync;
  table: Table;
  standings: Standings;
  change: Change;
  /** Also inside a transaction. */
  changed(): void;
}

export function createBudgetChanges({ db, table, standings, change, changed }: ChangesParts): BudgetChanges {
  function refusal({ agentGroupId }: Which, by: By) {
    if (agentGroupId === null) return mayTouchAll(by) ? undefined : OUT_OF_SCOPE;
    const isThere = mayTouch(by, agentGroupId) && getAgentGroup(db, agentGroupId) !== undefined;
    return isThere ? undefined : missing('agent', agentGroupId);
  }

  function spentOf(budget: Budget, agentGroupId: string): number | null {
    const found = standings.get(agentGroupId)?.standings.find((each) => same(each, budget));
    return found?.spent ?? null;
  }

  return {
    list(by) {
      const set = table.budgets();
      const agents = listAgentGroups(db).filter(({ id }) => mayTouch(by, id));
      const own = agents.flatMap(({ id, name }) =>
        budgetsOf(id, set)
          .filter(({ agentGroupId }) => agentGroupId !== null)
          .map((budget) => ({ ...budget, agent: name, spent: spentOf(budget, id) })),
      );
      const [first] = agents;
      const all = mayTouchAll(by) ? set.filter(({ agentGroupId }) => agentGroupId === null) : [];
      return {
        ok: true,
        data: [
          ...own,
          ...all.map((budget) => ({ ...budget, agent: null, spent: first ? spentOf(budget, first.id) : null })),
        ],
      };
    },
    set: (which, written, by, now) =>
      change(by, now, (note) => {
        const refused = refusal(which, by);
        if (refused) return refused;
        const read = readAmount(written, which.unit);
        if (!read.ok) return refuse('NC_USAGE', read.problem);
        const { amount } = read;
        table.set({ ...which, amount }, by.actor, now);
        table.tellAgain(which);
        note({ action: 'budget.set', subject: which.agentGroupId ?? 'all', detail: { ...detailOf(which), amount } });
        changed();
        return { ok: true, data: { ...which, amount, isDefault: false } };
      }),
    unset: (which, by, now) =>
      change(by, now, (note) => {
        const refused = refusal(which, by);
        if (refused) return refused;
        if (!table.unset(which)) return refuse('NC_NOT_FOUND', 'That budget is not set.');
        table.tellAgain(which);
        note({ action: 'budget.unset', subject: which.agentGroupId ?? 'all', detail: detailOf(which) });
        changed();
        return { ok: true, data: which };
      }),
  };
}

function detailOf({ period, unit }: Which) {
  return { period, unit };
}

function same(a: Which, b: Which): boolean {
  return a.agentGroupId === b.agentGroupId && a.period === b.period && a.unit === b.unit;
}

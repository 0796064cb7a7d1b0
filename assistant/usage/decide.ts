import type { Period, Unit } from './amounts.ts';

/** Which budget is used up, and which soon will be: pure. */

export interface Budget {
  /** null: of all agents together. */
  agentGroupId: string | null;
  period: Period;
  unit: Unit;
  /** null: no limit. */
  amount: number | null;
  isDefault: boolean;
}

export interface Spent {
  usd: number;
  tokens: number;
}

/** A budget with what has been spent of it. */
export interface Standing extends Budget {
  amount: number;
  spent: number;
}

/** What an agent may spend in a day where nobody has said otherwise: enough for a day of work, too little to hurt. */
export const DEFAULT_DAY_USD = 10;
const NEARLY = 0.8;
/** What ends last is told first. */
const ORDER: readonly Period[] = ['month', 'day', 'task'];

/** Those that count for an agent, the default among them where nothing is set. */
export function budgetsOf(agentGroupId: string, set: readonly Budget[]): Budget[] {
  const own = set.filter((each) => each.agentGroupId === agentGroupId || each.agentGroupId === null);
  const isSet = own.some((each) => each.agentGroupId !== null && each.period === 'day' && each.unit === 'usd');
  return isSet ? own : [...own, defaultOf(agentGroupId)];
}

export function defaultOf(agentGroupId: string): Budget {
  return { agentGroupId, period: 'day', unit: 'usd', amount: DEFAULT_DAY_USD, isDefault: true };
}

/** `spent`: undefined for what isn't asked about. */
export function standings(
  budgets: readonly Budget[],
  spent: (budget: Budget) => Spent | undefined,
): readonly Standing[] {
  return budgets.flatMap((budget) => {
    const { amount } = budget;
    const found = amount === null ? undefined : spent(budget);
    return amount === null || !found ? [] : [{ ...budget, amount, spent: found[budget.unit] }];
  });
}

/** Of nothing, nothing may be spent. */
export function usedUp(all: readonly Standing[]): Standing | undefined {
  return all
    .filter(({ spent, amount }) => spent >= amount)
    .toSorted((a, b) => ORDER.indexOf(a.period) - ORDER.indexOf(b.period))[0];
}

export function nearlyUsedUp(all: readonly Standing[]): Standing[] {
  return all.filter(({ spent, amount }) => amount > 0 && spent >= amount * NEARLY && spent < amount);
}

import { inWords, suggestion } from './amounts.ts';
import type { Budget, Standing } from './decide.ts';
import { endOf } from './periods.ts';

/** Budgets in sentences: pure. */

const TIMES = { day: 'today', month: 'this month', task: 'one run of a task' } as const;

/** Said by the agent itself. */
export function nameOf({ agentGroupId, period }: Pick<Budget, 'agentGroupId' | 'period'>): string {
  return `${agentGroupId === null ? 'the budget of all agents' : 'my budget'} for ${TIMES[period]}`;
}

/** `at midnight (Europe/Berlin), or when an owner or admin raises it: /budget 20`. */
export function nextOf(standing: Standing, now: number, timezone: string): string {
  const { agentGroupId, period, amount, spent, unit } = standing;
  const who = agentGroupId === null ? 'an owner' : 'an owner or admin';
  const raise = `when ${who} raises it: ${commandOf(standing)}`;
  // Of nothing there is as little tomorrow.
  if (amount === 0 || period === 'task') return raise;
  if (period === 'day') return `at midnight (${timezone}), or ${raise}`;
  const first = new Intl.DateTimeFormat('en-GB', { timeZone: timezone, day: 'numeric', month: 'long' });
  return `on ${first.format(endOf(period, now, timezone))}, or ${raise}`;

  function commandOf({ agentGroupId: of }: Standing): string {
    const words = ['/budget', ...(of === null ? ['all'] : []), ...(period === 'day' ? [] : [period])];
    return [...words, suggestion(amount, spent, unit), ...(unit === 'tokens' ? ['tokens'] : [])].join(' ');
  }
}

export function heldText(standing: Standing, now: number, timezone: string): string {
  const why = capital(nameOf(standing));
  return `⏸️ ${why} is used up. What was asked waits; I go on ${nextOf(standing, now, timezone)}`;
}

export function endedText(standing: Standing, now: number, timezone: string): string {
  const done = 'What was done until then stays done.';
  const next = standing.period === 'task' ? `More is done ${nextOf(standing, now, timezone)}` : undefined;
  const why = `⏸️ I stopped in the middle: ${nameOf(standing)} is used up. ${done}`;
  return `${why} ${next ?? `I go on with what is asked ${nextOf(standing, now, timezone)}`}`;
}

export function leftOutText(task: string, standing: Standing, now: number, timezone: string): string {
  return `⏸️ The task “${task}” is left out: ${nameOf(standing)} is used up. I go on ${nextOf(standing, now, timezone)}`;
}

/** For owners; `name`: the agent's. */
export function nearlyText(name: string, { agentGroupId, period, unit, amount, spent }: Standing): string {
  const whose = agentGroupId === null ? 'All agents together have' : `${name} has`;
  return `⚠️ ${whose} spent ${inWords(spent, unit)} of ${inWords(amount, unit)} for ${TIMES[period]}. At the end of it, work stops.`;
}

export function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

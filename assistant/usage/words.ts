import { inWords, suggestion } from './amounts.ts';
import type { Budget, Standing } from './decide.ts';
import { endOf } from './periods.ts';

/** Budgets in sentences: pure. */

/** Where it is nothing. */
const TIMES_OF_NOTHING = { day: 'today', month: 'this month', task: 'on a run of a task' } as const;
const TIMES = { day: 'today', month: 'this month', task: 'one run of a task' } as const;

/** Said by the agent itself. */
export function nameOf({ agentGroupId, period }: Pick<Budget, 'agentGroupId' | 'period'>): string {
  return `${agentGroupId === null ? 'the budget of all agents' : 'my budget'} for ${TIMES[period]}`;
}

/** `my budget for today is used up`, in the words of `who`: the agent's own, or of whoever speaks of it. */
export function usedUpText(standing: Standing, who: 'I' | 'it' = 'I'): string {
  const { agentGroupId, amount, period } = standing;
  if (amount === 0) {
    return `${agentGroupId === null ? 'all agents' : who} may spend nothing ${TIMES_OF_NOTHING[period]}`;
  }
  return `${who === 'I' ? nameOf(standing) : nameOf(standing).replace(/^my/, 'its')} is used up`;
}

/** For the owner; `name`: the agent's. */
export function waitsText(name: string, standing: Standing, now: number, timezone: string): string {
  const { agentGroupId, period, unit, amount, spent } = standing;
  const whose = agentGroupId === null ? 'all agents' : name;
  const times = TIMES[period];
  const why =
    amount === 0
      ? `${agentGroupId === null ? 'All agents' : name} may spend nothing ${TIMES_OF_NOTHING[period]}`
      : `The budget of ${whose} for ${times} is used up (${inWords(spent, unit)} of ${inWords(amount, unit)})`;
  const until = untilOf(standing, now, timezone);
  const words = [
    'ncl budgets set',
    suggestion(amount, spent, unit),
    agentGroupId === null ? '--all' : `--agent ${quotedName(name)}`,
  ];
  if (period !== 'day') words.push(`--period ${period}`);
  if (unit === 'tokens') words.push('--unit tokens');
  return `${why}: what is asked waits${until === undefined ? '' : ` until ${until}`}. \`${words.join(' ')}\` raises it.`;
}

function quotedName(name: string): string {
  return /^[\w-]+$/.test(name) ? name : JSON.stringify(name);
}

/** When the next period begins; undefined: that is of no use, since of nothing there is as little then. */
function untilOf({ amount, period }: Standing, now: number, timezone: string): string | undefined {
  if (amount === 0 || period === 'task') return undefined;
  if (period === 'day') return `midnight (${timezone})`;
  const first = new Intl.DateTimeFormat('en-GB', { timeZone: timezone, day: 'numeric', month: 'long' });
  return first.format(endOf(period, now, timezone));
}

/** `at midnight (Europe/Berlin), or when an owner or admin raises it: /budget 20`. */
export function nextOf(standing: Standing, now: number, timezone: string): string {
  const { agentGroupId, period, amount, spent, unit } = standing;
  const who = agentGroupId === null ? 'an owner' : 'an owner or admin';
  const raise = `when ${who} raises it: ${commandOf(standing)}`;
  const until = untilOf(standing, now, timezone);
  return until === undefined ? raise : `${period === 'day' ? 'at' : 'on'} ${until}, or ${raise}`;

  function commandOf({ agentGroupId: of }: Standing): string {
    const words = ['/budget', ...(of === null ? ['all'] : []), ...(period === 'day' ? [] : [period])];
    return [...words, suggestion(amount, spent, unit), ...(unit === 'tokens' ? ['tokens'] : [])].join(' ');
  }
}

export function heldText(standing: Standing, now: number, timezone: string): string {
  return `⏸️ ${capital(usedUpText(standing))}. What was asked waits; I go on ${nextOf(standing, now, timezone)}`;
}

export function endedText(standing: Standing, now: number, timezone: string): string {
  const done = 'What was done until then stays done.';
  const next = standing.period === 'task' ? `More is done ${nextOf(standing, now, timezone)}` : undefined;
  const why = `⏸️ I stopped in the middle: ${usedUpText(standing)}. ${done}`;
  return `${why} ${next ?? `I go on with what is asked ${nextOf(standing, now, timezone)}`}`;
}

export interface LeftOutTask {
  name: string;
  recurs: boolean;
}

export function leftOutText({ name, recurs }: LeftOutTask, standing: Standing, now: number, timezone: string): string {
  const what = recurs ? 'is left out' : 'waits';
  return `⏸️ The task “${name}” ${what}: ${usedUpText(standing)}. I go on ${nextOf(standing, now, timezone)}`;
}

/** For owners; `name`: the agent's. */
export function nearlyText(name: string, { agentGroupId, period, unit, amount, spent }: Standing): string {
  const whose = agentGroupId === null ? 'All agents together have' : `${name} has`;
  return `⚠️ ${whose} spent ${inWords(spent, unit)} of ${inWords(amount, unit)} for ${TIMES[period]}. At the end of it, work stops.`;
}

export function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

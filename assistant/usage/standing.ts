import { isoTime } from '@nanoclaw/protocol';
import { type Budget, budgetsOf, type Spent, type Standing, standings, usedUp } from './decide.ts';
import { dayOf, daysOf, endOf } from './periods.ts';
import type { Table } from './table.ts';

/** What each agent has spent of what it may, kept in memory: the tables are asked when something has changed. */

interface Agent {
  timezone: string;
  /** The day for which this is. */
  day(): string;
  isOver(now: number): boolean;
  spent: { day: Spent; month: Spent };
  standings: readonly Standing[];
}

export interface Standings {
  /** Asks again for that agent, or for all. */
  refresh(now: number, agentGroupId?: string): void;
  /** A day has ended, or the clock was set back before its beginning. */
  isOver(now: number): boolean;
  agents(): Iterable<[id: string, agent: Readonly<Agent>]>;
  get(agentGroupId: string): Readonly<Agent> | undefined;
  usedUp(agentGroupId: string): Standing | undefined;
  /** The budget of one run, where `messageId` has used it up. */
  runUsedUp(agentGroupId: string, messageId: string): Standing | undefined;
}

/** With a day more at each end, for any time zone. */
const LONGEST_MONTH_MS = 33 * 86_400_000;
const NOTHING: Spent = { usd: 0, tokens: 0 };

export function createStandings(table: Table): Standings {
  const agents = new Map<string, Agent>();
  let budgets: readonly Budget[] = [];

  function read(id: string, timezone: string, now: number): Agent {
    const calendar = createCalendar(now, timezone);
    const spent = table.hasSpent(id, isoTime(now - LONGEST_MONTH_MS).slice(0, 10))
      ? { day: table.spent(id, daysOf('day', calendar.day())), month: table.spent(id, daysOf('month', calendar.day())) }
      : { day: NOTHING, month: NOTHING };
    return { timezone, ...calendar, spent, standings: [] };
  }

  /** Of all agents, each by its own days. */
  function sum(period: 'day' | 'month'): Spent {
    return [...agents.values()].reduce(
      (all, { spent }) => ({ usd: all.usd + spent[period].usd, tokens: all.tokens + spent[period].tokens }),
      NOTHING,
    );
  }

  function judge(): void {
    const all = { day: sum('day'), month: sum('month') };
    for (const [id, agent] of agents) {
      agent.standings = standings(budgetsOf(id, budgets), ({ period, agentGroupId }) =>
        period === 'task' ? undefined : (agentGroupId === null ? all : agent.spent)[period],
      );
    }
  }

  return {
    refresh(now, only) {
      budgets = table.budgets();
      const there = table.agents();
      const ids = new Set(there.map(({ id }) => id));
      for (const id of agents.keys()) if (!ids.has(id)) agents.delete(id);
      for (const { id, timezone } of there) {
        if (only === undefined || only === id || !agents.has(id)) agents.set(id, read(id, timezone, now));
      }
      judge();
    },
    isOver: (now) => [...agents.values()].some((agent) => agent.isOver(now)),
    agents: () => agents,
    get: (id) => agents.get(id),
    usedUp: (id) => usedUp(agents.get(id)?.standings ?? []),
    runUsedUp(id, messageId) {
      const ofRuns = budgetsOf(id, budgets).filter(({ period }) => period === 'task');
      return ofRuns.length === 0 ? undefined : usedUp(standings(ofRuns, () => table.spentOn(messageId)));
    },
  };
}

/** Not asked where nothing was spent, and nobody waits: V8's calendar takes 20 ms of a start, and some MB. */
function createCalendar(now: number, timezone: string): Pick<Agent, 'day' | 'isOver'> {
  let known: { day: string; end: number } | undefined;
  return {
    day() {
      known ??= { day: dayOf(now, timezone), end: endOf('day', now, timezone) };
      return known.day;
    },
    isOver: (at) => at < now || (known !== undefined && at >= known.end),
  };
}

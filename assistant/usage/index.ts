import type { DatabaseSync } from 'node:sqlite';
import { createChange } from '../../admin/directory/change.ts';
import type { By } from '../../admin/directory/index.ts';
import type { Audit } from '../../src/audit/index.ts';
import { getAgentGroup } from '../../src/groups/agent-groups.ts';
import type { Spending } from '../../src/spending.ts';
import type { FiringParts } from '../tasks/firing.ts';
import { type BudgetChanges, createBudgetChanges } from './changes.ts';
import { type ChatCommands, type ChatCommandsParts, createChatCommands } from './commands.ts';
import { createFigures, type Line, type Query } from './figures.ts';
import { createGuard, type GuardParts } from './guard.ts';
import { createStandings } from './standing.ts';
import { createTable } from './table.ts';
import { createTelling, type TellingParts } from './telling.ts';
import { usedUpText, waitsText } from './words.ts';

/** What agents spend: booked by turn, shown to those who may see it, and kept within budgets. */

export interface UsageParts
  extends Omit<GuardParts, 'standings' | 'telling'>,
    Omit<TellingParts, 'table'>,
    Pick<ChatCommandsParts, 'roles'> {
  db: DatabaseSync;
  audit: Audit;
}

/** For `ncl`. */
export interface UsageTools {
  figures(query: Query, by: By): Line[];
  budgets: BudgetChanges;
}

export interface Usage extends Spending {
  tools: UsageTools;
  commands: ChatCommands;
  /** Inside a transaction: why a task can't run now, where that is so. */
  leavesOut: FiringParts['leavesOut'];
  /** Of what may be spent, what keeps agents from working: a sentence each. */
  problems(now: number): string[];
  look(now: number): void;
  stop(): void;
}

/** One that hasn't cost anything yet: its budget is used up where that is nothing. */
const NO_RUN = '';

export function createUsage(parts: UsageParts): Usage {
  const { db } = parts;
  const table = createTable(db);
  const standings = createStandings(table);
  const telling = createTelling({ ...parts, table });
  const guard = createGuard({ ...parts, standings, telling });
  const budgets = createBudgetChanges({
    db,
    table,
    standings,
    change: createChange(db, parts.audit),
    changed: guard.changed,
  });
  return {
    report(session, figures, about, now) {
      table.book(session, figures, about, now);
      guard.spent(session, figures.soFar === true);
    },
    isHeld: guard.isHeld,
    limit: guard.limit,
    look: guard.look,
    stop: guard.stop,
    problems(now) {
      const texts = [...standings.agents()].flatMap(([id, { timezone }]) => {
        const why = standings.usedUp(id);
        return why ? [waitsText(getAgentGroup(db, id)?.name ?? id, why, now, timezone)] : [];
      });
      // What all together may spend keeps each of them.
      return [...new Set(texts)];
    },
    leavesOut({ agentGroupId, name, schedule }, place, now) {
      const waits = standings.usedUp(agentGroupId);
      const why = waits ?? standings.runUsedUp(agentGroupId, NO_RUN);
      if (!why) return undefined;
      return {
        why: usedUpText(why, 'it'),
        isWaiting: waits !== undefined && !schedule.recurs,
        tell: () => telling.leftOut(agentGroupId, place, { name, recurs: schedule.recurs }, why, standings, now),
      };
    },
    tools: { figures: createFigures(db), budgets },
    commands: createChatCommands({ ...parts, table, standings, changes: budgets }),
  };
}

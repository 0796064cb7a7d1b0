import type { DatabaseSync } from 'node:sqlite';
import type { Activities } from '../../src/activity.ts';
import type { ContainerRunner } from '../../src/container-runner.ts';
import { transaction } from '../../src/db/group-commit.ts';
import type { Messages, OpenMessage } from '../../src/db/messages.ts';
import type { Session, Sessions } from '../../src/db/sessions.ts';
import type { Drafting } from '../../src/drafting.ts';
import type { Logger } from '../../src/log/index.ts';
import type { Spending } from '../../src/spending.ts';
import { type Effects, noEffects } from '../../src/take-over/index.ts';
import type { Standing } from './decide.ts';
import type { Standings } from './standing.ts';
import type { Telling } from './telling.ts';

/** Keeps agents within their budgets: what comes waits, and a turn that goes on beyond is ended. */

export interface GuardParts {
  db: DatabaseSync;
  messages: Messages;
  sessions: Pick<Sessions, 'get'>;
  activity: Pick<Activities, 'get'>;
  runner: Pick<ContainerRunner, 'list' | 'stop'>;
  drafts(): Pick<Drafting, 'close'>;
  standings: Standings;
  telling: Telling;
  /** Inside a transaction: a run ends without an answer. */
  endRun(messageId: string, why: string, now: number): void;
  perform(session: Session, effects: Effects): void;
  publish(sessionId: string): void;
  wake(sessionId: string): void;
  log: Pick<Logger, 'info' | 'error'>;
}

export interface Guard extends Pick<Spending, 'isHeld' | 'limit'> {
  /** That agent's figures have changed; `goesOn`: a turn of this session, which runs. */
  spent(session: Session, goesOn: boolean): void;
  /** What may be spent has changed. */
  changed(): void;
  /** Now and then. */
  look(now: number): void;
  stop(): void;
}

/** Its harness reports what the turn has cost, and its last words to the log. */
const GRACE_MS = 2_000;

export function createGuard(parts: GuardParts): Guard {
  const { db, messages, sessions, activity, runner, standings, telling, log } = parts;
  const closed = new Map<string, Standing>();
  /** What sandboxes had been shown when their agent's budget was used up. */
  const limits = new Map<string, number>();
  /** Agents whose figures are to be read again; `all`: everything is. */
  const dirty = new Set<string>();
  const goOn = new Set<string>();
  let isScheduled = false;
  let isStopped = false;

  function soon(): void {
    if (isScheduled) return;
    isScheduled = true;
    setImmediate(() => {
      isScheduled = false;
      look(Date.now());
    });
  }

  function refresh(now: number): void {
    if (dirty.has(ALL) || standings.isOver(now)) standings.refresh(now);
    else if (dirty.size > 0) for (const id of dirty) standings.refresh(now, id);
    else return;
    dirty.clear();
    for (const [id] of standings.agents()) {
      const why = standings.usedUp(id);
      if (why) close(id, why);
      else if (closed.delete(id)) open(id, now);
    }
    for (const id of closed.keys()) if (!standings.get(id)) closed.delete(id);
    telling.nearly(standings, now);
  }

  function close(id: string, why: Standing): void {
    if (!closed.has(id)) {
      log.info('budget used up', {
        agent: id,
        period: why.period,
        unit: why.unit,
        amount: why.amount,
        spent: why.spent,
      });
      for (const { sessionId, agentGroupId } of runner.list()) {
        // Other than what comes now, it may be at what it has been shown: that is not taken back.
        if (agentGroupId === id) limits.set(sessionId, sessions.get(sessionId)?.hostSeq ?? 0);
      }
    }
    closed.set(id, why);
  }

  function open(id: string, now: number): void {
    log.info('budget open again', { agent: id });
    for (const sessionId of limits.keys()) {
      if (sessions.get(sessionId)?.agentGroupId !== id) continue;
      limits.delete(sessionId);
      parts.publish(sessionId);
    }
    for (const sessionId of messages.dueSessions(now)) {
      if (sessions.get(sessionId)?.agentGroupId === id) parts.wake(sessionId);
    }
  }

  function heldBy(session: Session): OpenMessage[] {
    const held = activity.get(session.id)?.held;
    return messages.open(session.id).filter(({ id, trigger }) => trigger && held?.has(id));
  }

  function endTurn(session: Session, why: Standing, now: number): void {
    const held = heldBy(session);
    // It has ended by itself meanwhile.
    if (held.length === 0 && !activity.get(session.id)?.jobs.size) return;
    const effects = noEffects();
    transaction(db, () => {
      parts.drafts().close(session, now, effects, held);
      for (const message of held) {
        if (!messages.settle(session.id, message.id, 'completed', 'notice', now)) continue;
        effects.settled.push({ ...message, messageId: message.id, outcome: 'notice' });
        parts.endRun(message.id, 'its budget was used up', now);
      }
      const last = held.at(-1);
      if (last) effects.deliver.push(telling.ended(session, last, why, standings, now));
      effects.changed = true;
    });
    log.info('turn ended by its budget', { session: session.id, messages: held.map(({ id }) => id) });
    parts.perform(session, effects);
    runner
      .stop(session.id, GRACE_MS, 'budget')
      .catch((error: unknown) => log.error('a sandbox did not end', { session: session.id, error }));
  }

  function endTurns(now: number): void {
    for (const id of goOn) {
      goOn.delete(id);
      const session = sessions.get(id);
      if (!session) continue;
      const run = heldBy(session).find(({ kind }) => kind === 'task');
      const why = closed.get(session.agentGroupId) ?? (run && standings.runUsedUp(session.agentGroupId, run.id));
      if (why) endTurn(session, why, now);
    }
  }

  /** Whatever goes wrong, the next look tries again. */
  function look(now: number): void {
    if (isStopped) return;
    try {
      refresh(now);
      endTurns(now);
      if (closed.size > 0) telling.waiting(closed, standings, isBegun, now);
    } catch (error) {
      log.error('budgets were not looked at', { error });
    }
  }

  /** What a sandbox is at, or is going to be, needs no word. */
  function isBegun(sessionId: string, messageId: string, seq: number): boolean {
    return activity.get(sessionId)?.held.has(messageId) === true || (runs(sessionId) && seq <= limit(sessionId));
  }

  function runs(sessionId: string): boolean {
    return runner.list().some((each) => each.sessionId === sessionId && each.phase !== 'stopping');
  }

  function limit(sessionId: string): number {
    // A sandbox may be older than this host, which doesn't know what that had been shown.
    if (isHeld(sessionId) && !limits.has(sessionId)) limits.set(sessionId, sessions.get(sessionId)?.hostSeq ?? 0);
    return limits.get(sessionId) ?? Number.POSITIVE_INFINITY;
  }

  function isHeld(sessionId: string): boolean {
    if (closed.size === 0) return false;
    const agent = sessions.get(sessionId)?.agentGroupId;
    if (agent === undefined) return false;
    if (!standings.get(agent)) meet(agent);
    return closed.has(agent);
  }

  /** One that has just been made: what all together may spend is its limit, too. */
  function meet(id: string): void {
    standings.refresh(Date.now(), id);
    const why = standings.usedUp(id);
    if (why) close(id, why);
  }

  standings.refresh(Date.now());
  dirty.add(ALL);
  for (const [id] of standings.agents()) {
    const why = standings.usedUp(id);
    if (why) closed.set(id, why);
  }

  return {
    isHeld,
    limit,
    spent(session, goesOn) {
      dirty.add(session.agentGroupId);
      if (goesOn) goOn.add(session.id);
      // Its last figures: the answer is on its way.
      else goOn.delete(session.id);
      soon();
    },
    changed() {
      dirty.add(ALL);
      telling.changed();
      soon();
    },
    look,
    stop() {
      isStopped = true;
    },
  };
}

/** No agent's id. */
const ALL = '';

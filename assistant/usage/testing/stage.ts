import assert from 'node:assert/strict';
import { isoTime } from '@nanoclaw/protocol';
import { createActivities } from '../../../src/activity.ts';
import { createAudit } from '../../../src/audit/index.ts';
import { transaction } from '../../../src/db/group-commit.ts';
import { createMessages } from '../../../src/db/messages.ts';
import type { Session } from '../../../src/db/sessions.ts';
import { createRoles } from '../../../src/people/roles.ts';
import type { Figures } from '../../../src/spending.ts';
import { createTakeOver } from '../../../src/take-over/index.ts';
import type { Install } from '../../../test/support/central.ts';
import { createUsage, type Usage } from '../index.ts';

/** What agents spend, on a real central database, at times that the test chooses, with sandboxes that are only said to run. */

export const T = Date.parse('2027-02-10T11:00:00Z');
export const DAY = 86_400_000;
export const owner = { actor: 'terminal:owner', scope: null };
const place = { channel_type: 'terminal', platform_id: 'local', thread_id: null };

export function stage(install: Install) {
  const { db, sessions, deliveries, agentId } = install;
  const activity = createActivities(() => 0);
  const running = new Map<string, string>();
  const stopped: string[] = [];
  const woken: string[] = [];
  const published: string[] = [];
  const told: string[] = [];
  const runs: string[] = [];
  let usage: Usage;
  const messages = createMessages(db, (id) => usage.isHeld(id));
  const takeOver = createTakeOver({ db, messages, deliveries, sessions, spending: () => usage });
  const start = () =>
    createUsage({
      db,
      audit: createAudit(db),
      messages,
      sessions,
      roles: createRoles(db),
      takeOver,
      activity,
      runner: {
        list: () =>
          [...running].map(([sessionId, agentGroupId]) => ({
            sessionId,
            agentGroupId,
            startedAt: 0,
            phase: 'running',
          })),
        async stop(id, _grace, why) {
          assert.equal(why, 'budget');
          if (running.delete(id)) stopped.push(id);
        },
      },
      drafts: () => ({ close() {} }),
      endRun: (id) => void runs.push(id),
      perform() {},
      publish: (id) => void published.push(id),
      wake: (id) => void woken.push(id),
      deliver() {},
      tellOwner: (text) => void told.push(text),
      log: { info() {}, error: (text, fields) => assert.fail(`${text} ${JSON.stringify(fields)}`) },
    });
  usage = start();
  const session = transaction(db, () => install.newSession());
  let count = 0;
  return {
    session,
    stopped,
    woken,
    published,
    told,
    runs,
    messages,
    takeOver,
    get usage() {
      return usage;
    },
    restart() {
      usage.stop();
      usage = start();
    },
    ask(of: Session = session, kind: 'chat' | 'task' = 'chat', thread: string | null = null): string {
      const now = T;
      count += 1;
      const id = `m${count}`;
      const common = { timestamp: isoTime(now), trigger: true, ...place, thread_id: thread };
      transaction(db, () =>
        messages.addInbound(
          { id, sessionId: of.id, kind, content: { text: 'x', sender: 'A', prompt: 'x' }, ...common },
          now,
        ),
      );
      return id;
    },
    spend(
      costUsd: number | undefined,
      more: Partial<Figures> = {},
      now = T,
      about: string | null = null,
      of = session,
    ) {
      const figures: Figures = { action: 'usage', provider: 'claude', inputTokens: 10, outputTokens: 5, ...more };
      transaction(db, () => usage.report(of, { ...figures, ...(costUsd !== undefined && { costUsd }) }, about, now));
      usage.look(now);
    },
    /** A sandbox that has taken these up. */
    takesUp(ids: readonly string[]) {
      running.set(session.id, agentId);
      activity.started(session.id, 0);
      const acks = ids.map((id) => ({
        message_id: id,
        status: 'processing' as const,
        status_changed: '',
        error: null,
      }));
      activity.seen(session.id, {
        messages: [],
        acks,
        phase: { phase: 'turn', updated_at: '' },
        tools: [],
        more: false,
      });
    },
    set(amount: string, period: 'day' | 'month' | 'task' = 'day', ofAll = false, now = T) {
      const which = { agentGroupId: ofAll ? null : agentId, period, unit: 'usd' as const };
      const set = usage.tools.budgets.set(which, amount, owner, now);
      usage.look(now);
      return set;
    },
    said: () =>
      db
        .prepare("SELECT content FROM messages WHERE direction = 'out' ORDER BY rowid")
        .all()
        .map((row) => String(JSON.parse(String(row.content)).text)),
    [Symbol.dispose]: () => usage.stop(),
    rows: () => db.prepare('SELECT * FROM usage ORDER BY id').all(),
  };
}

import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { copyCheckout } from './checkout.ts';
import { drive, type Result } from './drive.ts';
import { createTemplate } from './install.ts';
import { planOf } from './plan.ts';
import { playAll } from './series.ts';

/** The harness is worth something only if it notices what would break the promise. */

interface Mutation {
  name: string;
  file: string;
  text: string;
  by: string;
  /** Where a run must be cut for it to show. */
  point: string;
  /** What the harness is to say. */
  says: RegExp;
}

const MUTATIONS: readonly Mutation[] = [
  {
    name: 'the runner completes a message when it takes it up, not with the answer',
    file: 'container/agent-runner/src/turn/desk.ts',
    text: "for (const row of triggers) tx.ack(row.id, 'processing');",
    by: "for (const row of triggers) tx.ack(row.id, 'completed');",
    point: 'runner.taken',
    says: /its outcome is silence/,
  },
  {
    name: 'the host notes “sent” where it should note “sending”',
    file: 'src/delivery/attempt.ts',
    text: 'deliveries.sending(delivery.messageId, Date.now())',
    by: 'deliveries.sent(delivery.messageId, undefined, Date.now())',
    point: 'delivery.sending',
    says: /noted as sent, and never said/,
  },
  {
    name: 'after a start, the host forgets what was being sent',
    file: 'src/db/deliveries.ts',
    text: "SET status = 'queued', unknowns = unknowns + 1",
    by: "SET status = 'sent', unknowns = unknowns + 1",
    point: 'delivery.sending',
    says: /noted as sent, and never said/,
  },
  {
    name: 'the runner writes an answer without its acknowledgement',
    file: 'container/agent-runner/src/turn/desk.ts',
    text: "for (const row of rows) tx.ack(row.id, 'completed');\n        this.#bookIn(tx);",
    by: 'this.#bookIn(tx);',
    point: 'takeover.committed',
    says: /replies were said|left pending/,
  },
];

/** A message that is never settled is what a mutation comes to at worst: enough time for one that is. */
const REST_MS = 8_000;

describe('deliberate mistakes are noticed', { timeout: 300_000 }, () => {
  const checkout = copyCheckout();
  const template = createTemplate();
  after(() => {
    checkout[Symbol.dispose]();
    template[Symbol.dispose]();
  });
  const options = { template, code: checkout.folder };
  const play = (seed: number, point: string, restMs?: number): Promise<Result> =>
    drive(planOf(seed, point), { ...options, ...(restMs && { restMs }) });

  test('the copy as it is passes the same runs', async () => {
    const points = MUTATIONS.map(({ point }) => point);
    const results = await playAll([0, 1, 2, 3], 2, (index) => play(1, points[index] ?? ''));
    for (const { plan, problems, reached } of results) {
      assert.deepEqual(problems, [], plan.point.name);
      assert.ok(reached.includes(plan.point.name), plan.point.name);
    }
  });

  for (const { name, file, text, by, point, says } of MUTATIONS) {
    test(name, async () => {
      const undo = checkout.replace(file, text, by);
      try {
        const found: string[] = [];
        for (let seed = 1; seed <= 3 && found.length === 0; seed += 1)
          found.push(...(await play(seed, point, REST_MS)).problems);
        assert.match(found.join('\n'), says);
      } finally {
        undo();
      }
    });
  }
});

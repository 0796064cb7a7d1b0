import assert from 'node:assert/strict';
import { copyFileSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { until } from '../support/until.ts';
import { copyCheckout } from './copy.ts';
import { startRig } from './rig.ts';

/** The clock is set under a running host, while a turn runs, a message waits for its next try, and an answer for its. */

const HOUR_MS = 3_600_000;
const RETRY_MS = 8_000;

describe('the clock is set', { concurrency: 2 }, () => {
  for (const [name, offset] of [
    ['forwards', HOUR_MS],
    ['backwards', -HOUR_MS],
  ] as const) {
    test(`by an hour ${name}: no sandbox is ended, what waits keeps its distance, nothing is lost`, async () => {
      using checkout = copyCheckout();
      const runner = join(checkout.code, 'container/agent-runner/src');
      copyFileSync(join(import.meta.dirname, 'clock.ts'), join(runner, 'clock.ts'));
      const main = readFileSync(join(runner, 'index.ts'), 'utf8');
      writeFileSync(join(runner, 'index.ts'), `import './clock.ts';\n${main}`);
      await using rig = await startRig({
        code: checkout.code,
        node: ['--import', join(runner, 'clock.ts')],
        environment: { NANOCLAW_RETRY_MS: String(RETRY_MS) },
        chats: ['turn', 'retry', 'delivery', 'idle'],
      });
      const attempts: number[] = [];
      let isSet = false;
      rig.platform.answer(({ text }) => {
        if (!text.includes('parcel')) return undefined;
        attempts.push(Date.now());
        if (attempts.length > 1) return undefined;
        // At the worst moment: the host notes the next try by the new clock, before it has seen that it is another.
        writeFileSync(join(runner, 'clock.new'), String(offset));
        renameSync(join(runner, 'clock.new'), join(runner, 'clock.offset'));
        isSet = true;
        return { status: 'failed', retryable: true, error: 'x', retryAfterMs: 8_000 };
      });
      await rig.end(rig.platform.send('idle', 'hello'));
      const turn = rig.platform.send('turn', 'run sleep 6; echo finished');
      const retry = rig.platform.send('retry', 'run [ -e died ] || { touch died; kill -9 $PPID; sleep 20; }; date');
      await until(() => rig.message(retry)?.tries === 1);
      const delivery = rig.platform.send('delivery', 'run echo parcel');
      await until(() => isSet);
      const setAt = Date.now();
      await until(() => rig.host.log().includes('the clock was set'));
      assert.ok(Date.now() - setAt < 4_000, 'noticed in time');

      for (const event of [turn, retry, delivery]) assert.equal((await rig.end(event)).outcome, 'reply');
      const said = rig.since(retry);
      const answered = (said.at(-1)?.afterMs ?? 0) - (said[0]?.afterMs ?? 0);
      assert.ok(answered > RETRY_MS - 1_500 && answered < RETRY_MS + 10_000, `tried again after ${answered} ms`);
      const [first = 0, second = 0] = attempts;
      assert.ok(second - first > 6_500 && second - first < 18_000, `sent again after ${second - first} ms`);
      assert.equal((await rig.end(rig.platform.send('idle', 'run echo later'))).outcome, 'reply');
      const ends = rig.host
        .log()
        .split('\n')
        .filter((line) => line.includes('sandbox ended'));
      assert.equal(ends.length, 1, `only the one that was killed: ${ends.join('\n')}`);
      for (const chat of ['turn', 'delivery']) assert.equal(rig.platform.said(chat).length, 1);
    });
  }
});

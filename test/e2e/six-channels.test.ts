import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runSix } from './six-channels/run.ts';
import { unnoticed } from './six-channels/tampering.ts';

const SEED = 5;
const MESSAGES = 150;

test(`six channels at once, ${MESSAGES} messages each: every reply once, in its chat and thread, in order`, {
  timeout: 280_000,
}, async (t) => {
  let missed: string[] | undefined;
  const { problems, seconds, disturbances, again, repeats } = await runSix({
    seed: SEED,
    messages: MESSAGES,
    async look(db, written) {
      missed = await unnoticed(db, written);
    },
  });
  t.diagnostic(
    `${disturbances} disturbances, ${again} sent again, ${repeats} marked repeats, ${Math.round(seconds)} s`,
  );
  assert.deepEqual(problems, []);
  assert.deepEqual(missed, [], 'the ledger would not have noticed');
});

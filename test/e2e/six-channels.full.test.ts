import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runSix } from './six-channels/run.ts';

const SEED = 55;
const MESSAGES = 1_000;

test(`six channels at once, ${MESSAGES} messages each: every reply once, in its chat and thread, in order`, {
  timeout: 1_800_000,
}, async (t) => {
  const { problems, seconds, disturbances, again, repeats } = await runSix({ seed: SEED, messages: MESSAGES });
  t.diagnostic(
    `${disturbances} disturbances, ${again} sent again, ${repeats} marked repeats, ${Math.round(seconds)} s`,
  );
  assert.deepEqual(problems, []);
});

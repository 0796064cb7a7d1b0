import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fillHistory } from '../../bench/history/fill.ts';
import { createStage } from './testing/stage.ts';

/** The bench with fewer messages, and limits that a busy machine keeps: of what would be slow with many, none is. */

const MESSAGES = 8_000;
const MOST_MS = 2_000;

test(`with ${MESSAGES} messages each kind of search is quick, and the host goes on meanwhile`, async () => {
  await using stage = createStage();
  const { busy, quiet, rare } = fillHistory(stage.install, MESSAGES);
  assert.equal((await stage.finds(rare, {})).length, 1);
  let turns = 0;
  const count = setInterval(() => {
    turns += 1;
  }, 1);
  for (const [words, sessionId] of [
    ['w1', busy],
    ['w1', quiet],
    ['w1 w2 w3', busy],
    ['"w1 w2"', busy],
    ['w12*', busy],
    ['w40 w900 w5000', busy],
    ['nothing', busy],
  ] as const) {
    const begun = performance.now();
    const found = await stage.finds(words, { sessionId }, { limit: 100 });
    assert.ok(performance.now() - begun < MOST_MS, words);
    assert.ok(found.length <= 100);
  }
  const [all, until] = [{}, { to: '2100-01-01' }].map((more) => stage.finds('w40', { sessionId: busy }, more));
  assert.deepEqual(await until, await all, 'a time that ends is read in pieces');
  clearInterval(count);
  assert.ok(turns > 0);
});

import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { cutAfter, message, say, stall, text, tool } from '../../../test/fakes/messages-api/index.ts';
import { Meter } from './meter.ts';
import { costOf, learn } from './rates.ts';
import { Rig, scenario } from './test-rig.ts';

const usage = { input_tokens: 1_000, output_tokens: 2_000, cache_read_input_tokens: 3_000 };
const begins = (id: string, parent: string | null = null) => ({
  type: 'stream_event',
  parent_tool_use_id: parent,
  event: { type: 'message_start', message: { id, model: 'claude-sonnet-x', usage: { ...usage, output_tokens: 1 } } },
});
const ends = (stop: string, parent: string | null = null) => ({
  type: 'stream_event',
  parent_tool_use_id: parent,
  event: { type: 'message_delta', delta: { stop_reason: stop }, usage: { output_tokens: 2_000 } },
});

test('each answer counts once, however often it is told of; a subagent counts, too', () => {
  const meter = new Meter();
  meter.began('push-1');
  assert.equal(meter.hear(begins('a')), undefined);
  const first = meter.hear(ends('tool_use'));
  assert.deepEqual(
    first?.type === 'usage' && [first.turn, first.soFar, first.inputTokens, first.outputTokens, first.cacheReadTokens],
    ['push-1', true, 1_000, 2_000, 3_000],
  );
  const said = { type: 'assistant', message: { id: 'a', model: 'claude-sonnet-x', usage } };
  assert.equal(meter.hear(said), undefined, 'nothing new');
  const helper = { ...said, parent_tool_use_id: 't1', message: { ...said.message, id: 'b' } };
  const second = meter.hear(helper);
  assert.equal(second?.type === 'usage' && second.outputTokens, 4_000);
  assert.equal(meter.hear(begins('c')), undefined);
  assert.equal(meter.hear(ends('end_turn')), undefined, 'the figures of the turn come now');
  assert.ok((meter.reckoned()?.type ?? '') === 'usage');
  meter.over();
  assert.equal(meter.reckoned(), undefined);
  for (const strange of [null, 'x', { type: 'assistant', message: { id: 'a' } }, begins('x').event]) {
    assert.equal(meter.hear(strange), undefined);
  }
});

test('a model costs what its family does, until the harness has said what it costs', () => {
  const tokens = { input: 1_000_000, output: 100_000, cacheRead: 1_000_000, cacheWrite: 400_000 };
  assert.ok(Math.abs(costOf('claude-haiku-9', tokens) - 2.1) < 1e-9);
  assert.ok(costOf('claude-opus-9', tokens) > costOf('claude-sonnet-9', tokens));
  const told = { inputTokens: 10, outputTokens: 2, cacheReadInputTokens: 0, cacheCreationInputTokens: 0 };
  learn({ 'claude-haiku-9[1m]': { ...told, costUSD: 0.00004 }, 'claude-haiku-8': { ...told, costUSD: 0 } });
  assert.ok(Math.abs(costOf('claude-haiku-9', tokens) - 4.2) < 1e-9);
  assert.ok(Math.abs(costOf('claude-haiku-8', tokens) - 2.1) < 1e-9);
});

let rig: Rig;
beforeEach(async () => {
  rig = await Rig.start();
});
afterEach(() => rig.close());

scenario('a turn tells what it has cost so far, and at its end what it cost', async () => {
  const talk = await rig.converse();
  rig.api.script(
    { ...message(text('I look.'), tool('Bash', { command: 'echo hi' })), usage },
    { ...say('It is hi.'), usage },
  );
  talk.query.push('a', 'what is it?');
  await talk.outcome(1);
  const [soFar, final] = talk.of('usage');
  assert.deepEqual([soFar?.turn, soFar?.soFar, soFar?.inputTokens, soFar?.outputTokens], ['a', true, 1_000, 2_000]);
  assert.deepEqual(
    [final?.turn, final?.soFar, final?.inputTokens, final?.outputTokens],
    ['a', undefined, 2_000, 4_000],
  );
  const ratio = (soFar?.costUsd ?? 0) / (final?.costUsd ?? 1);
  assert.ok(ratio > 0.1 && ratio < 2.5, `reckoned, not known: ${ratio}`);
  rig.api.script({ ...message(tool('Bash', { command: 'true' })), usage }, { ...say('Again.'), usage });
  talk.query.push('b', 'and again');
  await talk.outcome(2);
  const [, , again, all] = talk.of('usage');
  assert.ok(Math.abs((again?.costUsd ?? 0) * 2 - (all?.costUsd ?? 0)) < 1e-6, 'it has learned the price');
});

scenario('what a turn that is given up had cost is told', async () => {
  const talk = await rig.converse({ env: { CLAUDE_STREAM_IDLE_TIMEOUT_MS: '4000' } });
  rig.api.script({ ...message(tool('Bash', { command: 'true' })), usage }, stall(), cutAfter('x'));
  talk.query.push('a', 'go');
  await talk.outcome(1);
  assert.ok(talk.of('usage').some(({ turn, outputTokens }) => turn === 'a' && outputTokens === 2_000));
});

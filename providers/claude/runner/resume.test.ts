import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach } from 'node:test';
import { gate, message, promptTooLong, say, serverError, text } from '../../../test/fakes/messages-api/index.ts';
import { harnessPids, heldTools, Rig, scenario } from './test-rig.ts';

let rig: Rig;
beforeEach(async () => {
  rig = await Rig.start();
});
afterEach(() => rig.close());

const lastRequest = (): string => JSON.stringify(rig.api.messages.at(-1)?.messages);

scenario('a harness killed in mid-turn: all that was open is handed back, and the conversation goes on', async () => {
  const held = heldTools(rig);
  const talk = await rig.converse({ tools: held.tools });
  rig.api.script(say('I remember 42.'), held.reply, say('It was 42.'));
  talk.query.push('a', 'remember 42');
  await talk.outcome(1);
  talk.query.push('b', 'work');
  await talk.tool('start', 'Bash');
  talk.query.push('c', 'and this');
  for (const pid of harnessPids()) process.kill(pid, 'SIGKILL');
  await talk.outcome(2);
  assert.deepEqual(talk.outcomes[1], { ids: ['b', 'c'], error: 'crash' });
  assert.equal(talk.of('error')[0]?.retryable, true);
  await talk.tool('end', 'Bash');
  held.release();
  talk.query.push('b2', 'what was it?');
  await talk.outcome(3);
  assert.deepEqual(talk.outcomes[2], { ids: ['b2'], text: 'It was 42.' });
  assert.match(lastRequest(), /remember 42.*what was it/s);
});

scenario('another query goes on from a continuation, with an addendum of its own', async () => {
  const first = await rig.converse({ addendum: '# You are Andy, first' });
  rig.api.script(say('noted'), say('still noted'));
  first.query.push('a', 'my colour is blue');
  await first.outcome(1);
  await first.end();
  const second = await rig.converse({ continuation: first.continuation, addendum: '# You are Andy, second' });
  second.query.push('b', 'which colour?');
  await second.outcome(1);
  assert.deepEqual(second.outcomes, [{ ids: ['b'], text: 'still noted' }]);
  assert.match(lastRequest(), /my colour is blue.*noted.*which colour/s);
  const system = JSON.stringify(rig.api.messages.at(-1)?.system);
  assert.ok(system.includes('Andy, second') && !system.includes('Andy, first'));
  const costs = [first, second].map((talk) => talk.of('usage')[0]?.costUsd);
  assert.equal(costs[0], costs[1], 'a turn costs what it costs, not the sum since the beginning');
});

scenario('a continuation whose transcript is gone is told as lost, then all works afresh', async () => {
  const first = await rig.converse();
  rig.api.script(say('noted'), say('who are you?'));
  first.query.push('a', 'remember me');
  await first.outcome(1);
  await first.end();
  rmSync(join(rig.home, '.claude', 'projects'), { recursive: true });
  const second = await rig.converse({ continuation: first.continuation });
  second.query.push('b', 'remember?');
  await second.outcome(1);
  const [lost] = second.of('error');
  assert.deepEqual([lost?.class, lost?.retryable, lost?.continuationLost, lost?.ids], ['crash', true, true, ['b']]);
  second.query.push('b', 'remember?');
  await second.outcome(2);
  assert.deepEqual(second.outcomes[1], { ids: ['b'], text: 'who are you?' });
  assert.notEqual(second.continuation, first.continuation);
});

const SHORT = 'Summarised, but it was short already: there were about 120 tokens.';

scenario('/compact makes the conversation shorter and is answered with what it did', async () => {
  const talk = await rig.converse();
  rig.api.script(say('one'), say('<summary>We counted.</summary>'), say('two'));
  talk.query.push('a', 'count');
  await talk.outcome(1);
  talk.query.compact('b');
  await talk.outcome(2);
  assert.deepEqual(talk.outcomes[1], { ids: ['b'], text: SHORT });
  talk.query.push('c', 'go on');
  await talk.outcome(3);
  assert.deepEqual(talk.outcomes[2], { ids: ['c'], text: 'two' });
  assert.match(lastRequest(), /We counted\..*go on/s);
  assert.equal(talk.of('progress').length, 0);
});

scenario('a conversation that grows too long is compacted on the way, and that is not an answer', async () => {
  const talk = await rig.converse();
  const full = { input_tokens: 990_000, output_tokens: 10 };
  rig.api.script({ ...message(text('one')), usage: full }, say('<summary>We counted.</summary>'), say('two'));
  talk.query.push('a', 'count');
  await talk.outcome(1);
  talk.query.push('b', 'go on');
  await talk.outcome(2);
  assert.deepEqual(talk.outcomes, [
    { ids: ['a'], text: 'one' },
    { ids: ['b'], text: 'two' },
  ]);
  assert.match(lastRequest(), /We counted\./);
});

scenario('a summary that fails is told as what it is, and the conversation goes on as it was', async () => {
  const talk = await rig.converse();
  rig.api.script(say('one'), ...Array.from({ length: 6 }, serverError));
  talk.query.push('a', 'count');
  await talk.outcome(1);
  talk.query.compact('b');
  await talk.outcome(2);
  assert.deepEqual(talk.outcomes[1], {
    ids: ['b'],
    text: 'It could not be summarised, and is as it was. Try again in a while.',
  });
  rig.api.skip();
  rig.api.script(say('two'));
  talk.query.push('c', 'go on');
  await talk.outcome(3);
  assert.deepEqual(talk.outcomes[2], { ids: ['c'], text: 'two' });
  assert.match(lastRequest(), /count.*one.*go on/s);
});

scenario('pushed while it compacts: nothing is lost', async () => {
  const talk = await rig.converse();
  const wait = gate();
  rig.api.script(say('one'), say(wait, '<summary>We counted.</summary>'), say('two'));
  talk.query.push('a', 'count');
  await talk.outcome(1);
  talk.query.compact('b');
  await rig.api.arrived(2);
  talk.query.push('c', 'go on');
  wait.open();
  await talk.outcome(3);
  assert.deepEqual(talk.outcomes.slice(1), [
    { ids: ['b'], text: SHORT },
    { ids: ['c'], text: 'two' },
  ]);
});

scenario('a conversation that can not be made shorter is given up, so that the next try works', async () => {
  const talk = await rig.converse();
  rig.api.script(say('one'), ...Array.from({ length: 8 }, () => promptTooLong()));
  talk.query.push('a', 'xylophone');
  await talk.outcome(1);
  talk.query.push('b', 'go on');
  await talk.outcome(2);
  const [failure] = talk.of('error');
  assert.deepEqual([failure?.class, failure?.retryable, failure?.continuationLost], ['context', true, true]);
  rig.api.skip();
  rig.api.script(say('afresh'));
  talk.query.push('b', 'go on');
  await talk.outcome(3);
  assert.deepEqual(talk.outcomes[2], { ids: ['b'], text: 'afresh' });
  assert.ok(!lastRequest().includes('xylophone'));
});

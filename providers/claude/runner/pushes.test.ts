import assert from 'node:assert/strict';
import { afterEach, beforeEach } from 'node:test';
import { empty, gate, large, message, say, text, thinking, tool } from '../../../test/fakes/messages-api/index.ts';
import { heldTools, Rig, scenario } from './test-rig.ts';

let rig: Rig;
beforeEach(async () => {
  rig = await Rig.start();
});
afterEach(() => rig.close());

scenario('a turn: begun, progress, a tool, the answer, what it cost', async () => {
  const talk = await rig.converse();
  rig.api.script(
    message(thinking('hm'), text('I look.'), tool('Bash', { command: 'echo hi', timeout: 7000 })),
    say('It is hi.'),
  );
  talk.query.push('a', 'what is it?');
  await talk.outcome(1);
  assert.deepEqual(
    talk.events.filter((event) => event.type !== 'activity' || event.tool).map((event) => event.type),
    ['started', 'init', 'partial', 'progress', 'activity', 'usage', 'activity', 'partial', 'usage', 'settled'],
  );
  assert.deepEqual(talk.of('progress'), [{ type: 'progress', text: 'I look.' }]);
  assert.deepEqual(talk.outcomes, [{ ids: ['a'], text: 'It is hi.' }]);
  assert.equal(talk.of('settled')[0]?.continuation, talk.continuation);
  const [start, end] = talk.of('activity').flatMap((event) => event.tool ?? []);
  assert.deepEqual([start?.name, start?.phase, start?.declaredTimeoutMs], ['Bash', 'start', 7000]);
  assert.deepEqual([end?.id, end?.phase], [start?.id, 'end']);
  const usage = talk.of('usage').at(-1);
  assert.deepEqual([usage?.inputTokens, usage?.outputTokens], [200, 40]);
  assert.ok((usage?.costUsd ?? 0) > 0 && (usage?.durationMs ?? 0) > 0 && usage?.model?.startsWith('claude'));
});

scenario('three pushed while a tool runs are read by this turn and settled with its answer', async () => {
  const held = heldTools(rig);
  const talk = await rig.converse({ tools: held.tools });
  rig.api.script(held.reply, say('all four'));
  talk.query.push('a', 'one');
  await talk.tool('start', 'Bash');
  for (const [id, said] of Object.entries({ b: 'two', c: 'three', d: 'four' })) talk.query.push(id, said);
  held.release();
  await talk.outcome(1);
  assert.deepEqual(talk.outcomes, [{ ids: ['a', 'b', 'c', 'd'], text: 'all four' }]);
  assert.match(JSON.stringify(rig.api.messages.at(-1)?.messages), /two.*three.*four/s);
  assert.deepEqual(
    talk.of('started').map(({ id }) => id),
    ['a', 'b', 'c', 'd'],
  );
});

scenario('two pushed while the answer streams get a turn of their own', async () => {
  const talk = await rig.converse();
  const wait = gate();
  rig.api.script(say('to the ', wait, 'first'), say('to the others'), say('to the others'));
  talk.query.push('a', 'one');
  await rig.api.arrived(1);
  talk.query.push('b', 'two');
  talk.query.push('c', 'three');
  assert.deepEqual(talk.outcomes, []);
  wait.open();
  await talk.until('all outcomes', () => talk.outcomes.flatMap(({ ids }) => ids).length === 3);
  assert.deepEqual(talk.outcomes[0], { ids: ['a'], text: 'to the first' });
  const later = talk.outcomes.slice(1);
  assert.deepEqual(
    later.flatMap(({ ids }) => ids),
    ['b', 'c'],
  );
  assert.ok(later.every(({ text }) => text === 'to the others'));
});

scenario(
  'some while a tool runs and some while the answer streams: each is settled by the turn that read it',
  async () => {
    const held = heldTools(rig);
    const talk = await rig.converse({ tools: held.tools });
    const wait = gate();
    rig.api.script(held.reply, say('first ', wait, 'two'), say('last two'), say('last two'));
    talk.query.push('a', 'one');
    await talk.tool('start', 'Bash');
    talk.query.push('b', 'two');
    held.release();
    const second = JSON.stringify((await rig.api.arrived(2)).messages);
    talk.query.push('c', 'three');
    talk.query.push('d', 'four');
    wait.open();
    // One turn for both, or a turn for each: that is for the harness, which may read the second a moment later.
    await talk.until('all outcomes', () => talk.outcomes.flatMap(({ ids }) => ids).length === 4);
    const [first, ...later] = talk.outcomes;
    assert.deepEqual(first, { ids: ['a', 'b'], text: 'first two' });
    assert.deepEqual(
      later.flatMap(({ ids }) => ids),
      ['c', 'd'],
    );
    assert.ok(later.every(({ text }) => text === 'last two'));
    assert.ok(second.includes('two') && !second.includes('three'), 'settled by what was in the request');
  },
);

scenario('an interrupt settles what was read with what was said, and hands back what was not', async () => {
  const talk = await rig.converse();
  const wait = gate();
  rig.api.script(say('as far as ', wait), say('next'));
  talk.query.push('a', 'one');
  await talk.until('the stream', () => talk.of('started').length === 1);
  await rig.api.arrived(1);
  talk.query.push('b', 'two');
  talk.query.push('c', 'three');
  await talk.query.interrupt();
  await talk.until('three outcomes', () => talk.outcomes.flatMap(({ ids }) => ids).length === 3);
  const all = talk.outcomes.flatMap(({ ids }) => ids);
  assert.deepEqual(all.toSorted(), ['a', 'b', 'c']);
  assert.ok('as far as '.startsWith(talk.of('settled')[0]?.text ?? '?'));
  assert.deepEqual(talk.of('settled')[0]?.ids, ['a']);
  assert.ok(talk.of('error').every(({ class: kind, retryable }) => kind === 'crash' && retryable));
  talk.query.push('d', 'four');
  await talk.until('the next turn', () => talk.outcomes.some(({ ids }) => ids.includes('d')));
  assert.deepEqual(talk.outcomes.at(-1), { ids: ['d'], text: 'next' });
});

scenario('an interrupt right after a push, before the harness is up, still ends it', async () => {
  const talk = await rig.converse();
  rig.api.script(say('next'));
  talk.query.push('a', 'one');
  await talk.query.interrupt();
  assert.deepEqual(
    talk.outcomes.flatMap(({ ids }) => ids),
    ['a'],
  );
  talk.query.push('b', 'two');
  await talk.outcome(2);
  assert.deepEqual(talk.outcomes[1]?.ids, ['b']);
});

scenario('an interrupt ends a tool that runs', async () => {
  const talk = await rig.converse();
  rig.api.script(
    message(text('I begin.'), tool('Bash', { command: 'until [ -e never ]; do sleep 0.05; done' })),
    say('and?'),
  );
  talk.query.push('a', 'one');
  await talk.tool('start', 'Bash');
  await talk.query.interrupt();
  await talk.outcome(1);
  assert.deepEqual(talk.outcomes, [{ ids: ['a'], text: '' }]);
  await talk.tool('end', 'Bash');
  await talk.query.interrupt();
  talk.query.push('b', 'two');
  await talk.outcome(2);
  assert.deepEqual(talk.outcomes[1], { ids: ['b'], text: 'and?' });
});

scenario('nothing to say is an empty answer', async () => {
  const talk = await rig.converse();
  // The harness asks once more by itself.
  rig.api.script(empty(), empty());
  talk.query.push('a', 'say nothing');
  await talk.outcome(1);
  assert.deepEqual(talk.outcomes, [{ ids: ['a'], text: '' }]);
});

scenario(
  'the answer is all text of the last message, without its thinking; parallel tools are told apart',
  async () => {
    const talk = await rig.converse();
    rig.api.script(
      message(text('Two '), text('at once.'), tool('Bash', { command: 'echo 1' }), tool('Bash', { command: 'false' })),
      message(thinking('secret'), text('one, '), text('two')),
    );
    talk.query.push('a', 'go');
    await talk.outcome(1);
    assert.deepEqual(talk.outcomes, [{ ids: ['a'], text: 'one, two' }]);
    assert.deepEqual(
      talk.of('progress').map(({ text: said }) => said),
      ['Two at once.'],
    );
    const tools = talk.of('activity').flatMap((event) => event.tool ?? []);
    assert.equal(new Set(tools.map(({ id }) => id)).size, 2);
    assert.equal(tools.filter(({ phase }) => phase === 'end').length, 2);
  },
);

scenario('an answer that goes on after the length limit is one answer', async () => {
  const talk = await rig.converse();
  rig.api.script({ ...say('first half, '), stopReason: 'max_tokens' }, say('second half'));
  talk.query.push('a', 'a long one');
  await talk.outcome(1);
  assert.deepEqual(talk.outcomes, [{ ids: ['a'], text: 'first half, second half' }]);
});

scenario('an answer of 5 MB arrives whole', async () => {
  const talk = await rig.converse();
  rig.api.script(large(5_000_000));
  talk.query.push('a', 'all of it');
  await talk.outcome(1);
  assert.equal(talk.of('settled')[0]?.text.length, 5_000_000);
});

scenario('what a helper says is not what the agent says', async () => {
  const talk = await rig.converse();
  rig.api.script(
    message(text('I delegate.'), tool('Agent', { description: 'd', prompt: 'find', subagent_type: 'general-purpose' })),
    message(text('helper at work'), tool('Bash', { command: 'true' })),
    say('helper done'),
    say('It was found.'),
  );
  talk.query.push('a', 'delegate');
  await talk.outcome(1);
  assert.deepEqual(
    talk.of('progress').map(({ text: said }) => said),
    ['I delegate.'],
  );
  assert.deepEqual(talk.outcomes, [{ ids: ['a'], text: 'It was found.' }]);
});

scenario('end lets the turn finish, and the events end', async () => {
  const talk = await rig.converse();
  const wait = gate();
  rig.api.script(say('the ', wait, 'end'));
  talk.query.push('a', 'one');
  await rig.api.arrived(1);
  talk.query.end();
  talk.query.push('late', 'two');
  wait.open();
  await talk.ended;
  assert.deepEqual(talk.outcomes, [
    { ids: ['late'], error: 'crash' },
    { ids: ['a'], text: 'the end' },
  ]);
});

scenario('what the model writes is told as it grows: text alone, the block that it is at, over a cut too', async () => {
  const talk = await rig.converse();
  rig.api.script(
    message(thinking('hm'), text('I ', 'look.'), tool('Bash', { command: 'true' })),
    { ...message(text('One, ', 'two,')), stopReason: 'max_tokens' },
    message(text(' three, ', 'four.')),
  );
  talk.query.push('a', 'count');
  await talk.outcome(1);
  assert.equal(talk.outcomes[0]?.text, 'One, two, three, four.');
  assert.deepEqual(
    talk.of('partial').map((partial) => partial.text),
    ['I ', 'I look.', 'One, ', 'One, two,', 'One, two, three, ', 'One, two, three, four.'],
  );
});

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { QuestionReport, SystemOut } from '@nanoclaw/protocol';
import { ANSWER_SECONDS, runTool, TOOL_TIMEOUT_MS, toolTimeout } from '../src/tools/tool.ts';
import { until } from './host.ts';
import { Running, type Tools } from './runner.ts';

const SLOW = { timeout: 60_000 };
const ASK = { title: 'Colour', question: 'Which?', options: ['Blue', 'Red'] };

async function inTurn(options: ConstructorParameters<typeof Running>[0] = {}): Promise<{ run: Running; tools: Tools }> {
  const run = new Running(options);
  run.host.say('m1');
  run.start();
  await until('a push', () => run.provider.pushes.length === 1);
  assert.ok(run.tools);
  return { run, tools: run.tools };
}

type Ask = Extract<SystemOut, { action: 'ask' }>;
const asks = (run: Running): Ask[] => run.host.sent().flatMap(({ system }) => (system?.action === 'ask' ? system : []));

function report(run: Running, question: string, over: Partial<QuestionReport> = {}): string {
  const content = { action: 'question', question, status: 'answered', text: 'Kim answered: Red', ...over };
  const { id } = run.host.add(`q-1-${run.host.rows.length}`, {
    kind: 'system',
    status: 'paused',
    trigger: 0,
    content: JSON.stringify(content),
  });
  run.host.publish();
  return id;
}

describe('ask_user_question', () => {
  it('waits until the host reports an answer, and tells that it has read it', SLOW, async () => {
    const { run, tools } = await inTurn();
    await using _ = run;
    const asking = tools.ask.run(ASK);
    const [asked] = await until('the question', () => asks(run).length > 0 && asks(run));
    assert.partialDeepStrictEqual(asked, { title: 'Colour', text: 'Which?', waitMs: ANSWER_SECONDS * 1000 });
    report(run, 'another', { text: 'no' });
    const id = report(run, asked?.question ?? '');
    assert.deepEqual(await asking, { text: 'Kim answered: Red' });
    assert.equal(run.host.acks()[id], 'completed');
  });

  it('says what went wrong', SLOW, async () => {
    const { run, tools } = await inTurn();
    await using _ = run;
    const asking = tools.ask.run(ASK);
    const [asked] = await until('the question', () => asks(run).length > 0 && asks(run));
    report(run, asked?.question ?? '', { status: 'failed', text: 'It could not be asked: why' });
    assert.deepEqual(await asking, { text: 'Error: It could not be asked: why', isError: true });
    assert.match((await tools.ask.run({ ...ASK, to: 'nowhere' })).text, /There is no destination "nowhere"/);
  });

  it('shows nothing internal', SLOW, async () => {
    const { run, tools } = await inTurn();
    await using _ = run;
    const hide = (text: string) => `${text}<internal>the key</internal>`;
    const asking = tools.ask.run({
      title: hide('Colour'),
      question: hide('Which?'),
      options: ['Blue', 'Red'].map(hide),
    });
    const [asked] = await until('the question', () => asks(run).length > 0 && asks(run));
    assert.partialDeepStrictEqual(asked, { title: 'Colour', text: 'Which?', options: ['Blue', 'Red'] });
    report(run, asked?.question ?? '');
    await asking;
    for (const nothing of [{ title: hide('') }, { options: ['Blue', hide('')] }]) {
      const { text, isError } = await tools.ask.run({ ...ASK, ...nothing });
      assert.deepEqual([isError, asks(run).length], [true, 1], text);
    }
  });

  it('gives up at its limit and says so to the host', SLOW, async () => {
    const { run, tools } = await inTurn();
    await using _ = run;
    const { text } = await tools.ask.run({ ...ASK, timeout_seconds: 0.05 });
    assert.match(text, /^Nobody has answered within 0\.05 s\. It can still be answered/);
    const said = run.host.sent().flatMap(({ system }) => system ?? []);
    assert.deepEqual(
      said.map(({ action }) => action),
      ['ask', 'ask-later'],
    );
  });

  it('asks the same again in a turn that is tried again, and another the second time in one turn', SLOW, async () => {
    const { run, tools } = await inTurn();
    await using _ = run;
    const brief = { ...ASK, timeout_seconds: 0.01 };
    await tools.ask.run(brief);
    await tools.ask.run(brief);
    run.provider.last.emit({ type: 'error', class: 'overload', retryable: true, message: 'x' });
    await until('the failure', () => run.host.acks().m1 === 'failed');
    run.host.rows = run.host.rows.map((row) => ({ ...row, tries: 1 }));
    run.host.publish();
    await until('another try', () => run.provider.pushes.length === 2);
    await tools.ask.run(brief);
    const [first, second, third] = asks(run).map(({ question }) => question);
    assert.notEqual(first, second);
    assert.equal(third, first);
  });

  it('ends when the turn is stopped, and its neighbours are not held up', SLOW, async () => {
    const { run, tools } = await inTurn();
    await using _ = run;
    const asking = tools.ask.run(ASK);
    await until('the question', () => asks(run).length > 0);
    run.host.say('m2');
    await until('what came meanwhile', () => run.provider.pushes.length === 2);
    run.host.control('stop', 'stop');
    assert.deepEqual(await asking, { text: 'Error: The turn that asked was ended.', isError: true });
  });

  it('is given the time that it asks for', () => {
    assert.equal(toolTimeout('send_message', {}), TOOL_TIMEOUT_MS);
    assert.equal(toolTimeout('ask_user_question', ASK), TOOL_TIMEOUT_MS + ANSWER_SECONDS * 1000);
    assert.equal(toolTimeout('ask_user_question', { timeout_seconds: 10 }), TOOL_TIMEOUT_MS + 10_000);
    assert.equal(toolTimeout('ask_user_question', { timeout_seconds: 1e9 }), TOOL_TIMEOUT_MS);
  });

  it('takes nothing that breaks the contract with the host', SLOW, async () => {
    const { run, tools } = await inTurn();
    await using _ = run;
    for (const over of [
      { options: ['one'] },
      { options: Array.from({ length: 10_000 }, String) },
      { title: 'x'.repeat(5_000_000) },
      { title: '' },
      { timeout_seconds: 1e9 },
      { timeout_seconds: 'soon' },
    ]) {
      const result = await runTool(tools.ask, { ...ASK, ...over });
      assert.match(result.text, /^Error: /);
      assert.ok(result.text.length < 2_000);
    }
    assert.deepEqual(asks(run), []);
  });
});

it('docs/tools.md has every tool', SLOW, async () => {
  const { run, tools } = await inTurn();
  await using _ = run;
  const page = readFileSync(join(import.meta.dirname, '../../../docs/tools.md'), 'utf8');
  const { tasks, ...others } = tools;
  for (const { name } of tasks) assert.ok(page.includes(`\`${name}\``), name);
  for (const { name, input } of Object.values(others)) {
    const row = page.split('\n').find((line) => line.startsWith(`| \`${name}\` |`)) ?? '';
    for (const field of Object.keys(input)) assert.ok(row.includes(`\`${field}\``), `${name}: ${field}`);
  }
});

describe('what became of it', () => {
  it('is said when it is known within a moment', SLOW, async () => {
    const { run, tools } = await inTurn({ patienceMs: 10_000 });
    await using _ = run;
    const settle = async (fields: {
      status: 'delivered' | 'failed';
      platform_message_id: string | null;
      error: string | null;
    }) => {
      const id = await until('the row', () => run.host.sent().at(-1)?.id);
      run.host.delivered = [{ message_out_id: id, at: '2026-01-01T00:00:00.000Z', ...fields }];
      run.host.publish();
      return id;
    };
    const sending = tools.message.run({ text: 'one' });
    const one = await settle({ status: 'delivered', platform_message_id: 'p1', error: null });
    assert.deepEqual(await sending, { text: `Delivered as ${one} (there p1).` });
    run.host.received = run.host.sent().at(-1)?.seq ?? 0;
    run.host.publish();
    await until('the row to go', () => run.host.sent().length === 0);
    const changing = tools.edit.run({ message: one, text: 'two' });
    const two = await settle({ status: 'failed', platform_message_id: null, error: 'It is too old.' });
    assert.deepEqual(await changing, { text: `Error: ${two} was not delivered: It is too old.`, isError: true });
  });

  it('a reaction is to the message that is answered, or to one by its name', SLOW, async () => {
    const { run, tools } = await inTurn();
    await using _ = run;
    await tools.react.run({ emoji: '👍' });
    await tools.react.run({ emoji: '👍', message: '2' });
    assert.deepEqual(
      run.host.sent().map(({ chat }) => chat?.reacts),
      [
        { message: 'm1', emoji: '👍' },
        { message: '2', emoji: '👍' },
      ],
    );
    const long = await runTool(tools.edit, { message: 'msg-1', text: 'x'.repeat(2_000_000) });
    assert.match(long.text, /^Error: /);
    const card = await tools.card.run({ title: 'Pick', text: '', buttons: ['a', 'b'] });
    assert.match(card.text, /^Queued: not shown yet/);
    assert.equal(asks(run)[0]?.waitMs, 0);
  });
});

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { runTool, type Tool } from '../src/tools/tool.ts';
import { until } from './host.ts';
import { Running } from './runner.ts';

const SLOW = { timeout: 60_000 };

/** What the host is told of a turn while it runs. */
describe('in flight', () => {
  it(
    'is the model while no tool runs, for as long as the provider says, and each tool with its own time',
    SLOW,
    async () => {
      await using run = new Running();
      const tool = (phase: 'start' | 'end', id: string, declaredTimeoutMs?: number) =>
        run.provider.last.emit({
          type: 'activity',
          tool: { phase, id, name: 'Bash', ...(declaredTimeoutMs && { declaredTimeoutMs }) },
        });
      const declared = (rows: Record<string, number | null>) =>
        until(JSON.stringify(rows), () => JSON.stringify(run.host.declared()) === JSON.stringify(rows));
      run.host.say('m1');
      run.start();
      await until('a push', () => run.provider.pushes.length === 1);
      assert.deepEqual(run.host.declared(), {}, 'the provider has not said yet how long it waits');
      run.provider.last.emit({ type: 'activity', silenceMs: 270_000 });
      await declared({ model: 270_000 });
      run.provider.last.emit({ type: 'activity', silenceMs: 90_000 });
      await declared({ model: 90_000 });
      tool('start', 'a', 120_000);
      tool('start', 'b', 600_000);
      tool('start', 'c');
      await declared({ a: 120_000, b: 600_000, c: null });
      run.provider.last.emit({ type: 'activity', silenceMs: 80_000 });
      tool('end', 'a');
      await declared({ b: 600_000, c: null });
      tool('end', 'c');
      tool('end', 'b');
      await declared({ model: 80_000 });
      run.provider.last.settle([...run.provider.last.open], 'done');
      await until('the end', () => run.host.phase() === 'idle');
      assert.deepEqual(run.host.declared(), {});
      run.host.say('m2');
      await declared({ model: 80_000 });
    },
  );

  for (const [how, end] of [
    [
      'an error',
      (run: Running) => run.provider.last.emit({ type: 'error', class: 'network', retryable: true, message: 'x' }),
    ],
    ['/stop', (run: Running) => run.host.control('stop', 'stop')],
    ['the loss of the provider', (run: Running) => run.provider.last.fail(new Error('gone'))],
  ] as const)
    it(`is nothing after ${how}`, SLOW, async () => {
      await using run = new Running();
      await busy(run);
      end(run);
      await until('the end', () => run.host.phase() === 'idle');
      assert.deepEqual(run.host.declared(), {});
    });

  it('is nothing of what a process that died has left', SLOW, async () => {
    await using run = new Running();
    await busy(run);
    // Ends without a word, as a process that is killed does: what it held stays in the file.
    await run.stop();
    assert.deepEqual(Object.keys(run.host.declared()), ['t']);
    run.host.rows = [];
    run.host.publish();
    run.start();
    await until('the new one', () => run.host.phase() === 'idle');
    assert.deepEqual(run.host.declared(), {});
  });
});

describe('the log', () => {
  it("carries the host's ids in every line about a message", SLOW, async () => {
    await using run = new Running();
    const about = (event: string) =>
      run.lines.filter((line) => line.event === event).map(({ fields }) => fields?.messages);
    await busy(run);
    const [first = ''] = run.provider.last.open;
    run.provider.last.emit({ type: 'started', id: first });
    run.provider.last.emit({ type: 'activity', tool: { phase: 'end', id: 't', name: 'Bash' } });
    run.host.say('m2');
    await until('another push', () => run.provider.pushes.length === 2);
    run.provider.last.settle([first], '<message to="nobody">hi</message>');
    await until('a correction', () => run.provider.pushes.length === 3);
    const [second = ''] = run.provider.last.open;
    run.provider.last.emit({ type: 'error', class: 'network', retryable: true, message: 'x', ids: [second] });
    await until('the error', () => about('provider-error').length > 0);
    run.host.say('m3', 'm3', { content: 'no JSON' });
    await until('the refusal', () => about('message-refused').length > 0);
    run.host.control('s1', 'stop');
    await until('the end', () => about('turn-stopped').length > 0);
    assert.deepEqual(about('pushed'), [['m1'], ['m2']]);
    assert.deepEqual(about('read'), [['m1']]);
    assert.deepEqual(about('tool-start'), [['m1']]);
    assert.deepEqual(about('tool-end'), [['m1']]);
    assert.deepEqual(about('correction-pushed'), [['m1']]);
    assert.deepEqual(about('provider-error'), [['m2']]);
    assert.deepEqual(about('message-refused'), [['m3']]);
    assert.deepEqual(about('turn-stopped'), [['m1']]);
    assert.equal(run.lines.find((line) => line.event === 'turn-stopped')?.fields?.control, 's1');
  });
});

describe('a tool of ours', () => {
  it('that hangs ends as an error, is told to do nothing more, and holds up no other', SLOW, async () => {
    const { promise: told, resolve } = Promise.withResolvers<void>();
    const hung: Tool = {
      name: 'hung',
      description: '',
      input: {},
      run: (_, signal) => {
        signal?.addEventListener('abort', () => resolve());
        return new Promise(() => {});
      },
    };
    const quick: Tool = { name: 'quick', description: '', input: {}, run: async () => ({ text: 'done' }) };
    const both = [runTool(hung, {}, 50), runTool(quick, {}, 50)];
    assert.deepEqual(await both[1], { text: 'done' });
    assert.deepEqual(await both[0], { text: 'Error: hung took longer than 0.05 s and was ended.', isError: true });
    await told;
  });
});

/** In a turn, with a tool that runs. */
async function busy(run: Running): Promise<void> {
  run.host.say('m1');
  run.start();
  await until('a push', () => run.provider.pushes.length === 1);
  run.provider.last.emit({ type: 'activity', silenceMs: 90_000 });
  const tool = { phase: 'start', id: 't', name: 'Bash', declaredTimeoutMs: 120_000 } as const;
  run.provider.last.emit({ type: 'activity', tool });
  await until('a tool', () => 't' in run.host.declared());
}

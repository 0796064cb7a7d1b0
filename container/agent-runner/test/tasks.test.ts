import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { NclResponse } from '@nanoclaw/protocol';
import { until } from './host.ts';
import { Running } from './runner.ts';

/** Tasks, from the agent's side: its tools, and a script before a turn. */

const SLOW = { timeout: 60_000 };

const asked = ({ host }: Running) => host.sent().flatMap(({ system }) => (system?.action === 'ncl' ? system : []));

function answer({ host }: Running, requestId: string, said: Partial<NclResponse>): void {
  const content: NclResponse = { action: 'ncl-response', requestId, exit: 0, out: '', err: '', ...said };
  host.add(`sys-${host.rows.length}`, {
    kind: 'system',
    status: 'paused',
    trigger: 0,
    content: JSON.stringify(content),
  });
  host.publish();
}

const CALLS: readonly (readonly [name: string, input: Record<string, unknown>, argv: readonly string[]])[] = [
  [
    'schedule_task',
    { when: '0 9 * * *', prompt: '-- say "hi"\nand go', catch_up: 'skip' },
    ['create', '--when=0 9 * * *', '--prompt=-- say "hi"\nand go', '--catch-up=skip'],
  ],
  ['list_tasks', {}, ['list']],
  ['update_task', { task: 'Tea', script: '' }, ['update', '--task=Tea', '--script=']],
  ['pause_task', { task: 'Tea' }, ['pause', '--task=Tea']],
  ['resume_task', { task: 'Tea' }, ['resume', '--task=Tea']],
  ['cancel_task', { task: 'Tea' }, ['cancel', '--task=Tea']],
];

describe('the tools of tasks', () => {
  it('ask the host, and say what it says', SLOW, async () => {
    await using run = new Running();
    run.host.say('m1');
    run.start();
    await until('a push', () => run.provider.pushes.length === 1);
    const tools = run.tools?.tasks ?? [];
    for (const [name, input, argv] of CALLS) {
      const count = asked(run).length;
      const calling = tools.find((tool) => tool.name === name)?.run(input);
      const request = await until(`a request of ${name}`, () => asked(run)[count]);
      assert.deepEqual(
        request?.argv.filter((word) => !word.startsWith('--to=')),
        ['tasks', ...argv],
      );
      const isRefused = name === 'cancel_task';
      answer(
        run,
        request?.requestId ?? '',
        isRefused ? { exit: 1, err: 'There is no task "Tea".' } : { out: `done ${name}` },
      );
      const expected = isRefused ? { text: 'Error: There is no task "Tea".', isError: true } : { text: `done ${name}` };
      assert.deepEqual(await calling, expected);
    }
  });
});

describe('a task with a script', () => {
  const task = (script: string) => JSON.stringify({ prompt: 'look', task: 'task-1', script });

  it('begins no turn when it says so, and the silence is recorded', SLOW, async () => {
    await using run = new Running();
    run.host.add('t1', { kind: 'task', content: task(`echo '{"wakeAgent": false}'`) });
    run.host.publish();
    run.start();
    await until('its end', () => run.host.acks().t1 === 'completed');
    const silences = run.host.sent().flatMap(({ system }) => (system?.action === 'silence' ? system : []));
    assert.deepEqual(silences, [{ action: 'silence', answers: ['t1'], reason: 'its script said so' }]);
    assert.equal(run.provider.pushes.length, 0);
  });

  it('begins one with what it has found; a message that came later is not held up by it', SLOW, async () => {
    await using run = new Running();
    run.host.add('t1', {
      kind: 'task',
      content: task(`until [ -e go ]; do sleep 0.05; done; echo '{"wakeAgent": true, "data": [7]}'`),
    });
    run.host.say('m1');
    run.start();
    await until('the message', () => run.provider.pushes.length === 1);
    assert.doesNotMatch(run.provider.pushes[0]?.text ?? '', /<task/);
    await Bun.write(`${run.host.paths.agent}/go`, '');
    await until('the task', () => run.provider.pushes.length === 2);
    assert.match(run.provider.pushes[1]?.text ?? '', /<task [^>]*task="task-1"><data>\[7\]<\/data>\nlook<\/task>/);
  });

  it('fails when it does, and says why', SLOW, async () => {
    await using run = new Running();
    run.host.add('t1', { kind: 'task', content: task('echo no route >&2; exit 3') });
    run.host.publish();
    run.start();
    await until('its end', () => run.host.acks().t1 === 'failed');
    assert.equal(run.provider.pushes.length, 0);
  });
});

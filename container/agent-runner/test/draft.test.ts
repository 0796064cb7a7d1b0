import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Draft } from '@nanoclaw/protocol';
import { until } from './host.ts';
import { Running } from './runner.ts';

/** What the host is shown of an answer while it is written. */

const SLOW = { timeout: 60_000 };
const LONG = 'A long answer begins. '.repeat(20).trim();

function draftOf(run: Running): Draft | undefined {
  const value = run.host.state('draft');
  return value === undefined ? undefined : Draft.parse(JSON.parse(value));
}

/** Says it again until it is shown: a partial in between is left out. */
async function show(run: Running, text: string, shown = text): Promise<void> {
  await until(`${shown.slice(-20)} to be shown`, () => {
    run.provider.last.emit({ type: 'partial', text });
    return draftOf(run)?.text === shown;
  });
}

describe('a draft', SLOW, () => {
  it('grows with what is written, and goes with the answer', async () => {
    await using run = new Running();
    run.host.say('m1');
    run.start();
    await until('a push', () => run.provider.pushes.length === 1);
    await show(run, LONG);
    assert.deepEqual(draftOf(run), { answers: ['m1'], text: LONG });
    run.host.say('m2');
    await until('another push', () => run.provider.pushes.length === 2);
    await show(run, `${LONG} It goes on. <internal>not for you`, `${LONG} It goes on.`);
    assert.deepEqual(draftOf(run)?.answers, ['m1', 'm2']);
    run.provider.last.settle(run.provider.last.open, LONG);
    await until('the answer', () => run.host.answers().length === 1);
    assert.equal(draftOf(run), undefined);
  });

  it('goes with what was said on the way; what is written after that is a new one', async () => {
    await using run = new Running();
    run.host.say('m1');
    run.start();
    await until('a push', () => run.provider.pushes.length === 1);
    await show(run, LONG);
    run.provider.last.emit({ type: 'progress', text: LONG });
    await until('progress', () => run.host.sent().length === 1);
    assert.equal(draftOf(run), undefined);
    await show(run, LONG.replaceAll('long', 'second'));
  });

  it('is not kept of a short answer, nor of what is for elsewhere', async () => {
    await using run = new Running();
    run.host.say('m1');
    run.start();
    await until('a push', () => run.provider.pushes.length === 1);
    run.provider.last.emit({ type: 'partial', text: 'It is hi.' });
    run.provider.last.emit({ type: 'partial', text: `<message to="office">${LONG}` });
    run.provider.last.emit({ type: 'progress', text: 'one' });
    await until('progress', () => run.host.sent().length === 1);
    assert.equal(draftOf(run), undefined);
    // Not long, but long in coming.
    await show(run, 'It is hi.');
  });

  for (const [name, end] of [
    [
      'a failure',
      (run: Running) => run.provider.last.emit({ type: 'error', class: 'crash', retryable: true, message: '' }),
    ],
    ['/stop', (run: Running) => run.host.control('s1', 'stop')],
    [
      'a new process',
      async (run: Running) => {
        await run.stop();
        run.start();
      },
    ],
  ] as const) {
    it(`is gone after ${name}`, async () => {
      await using run = new Running();
      run.host.say('m1');
      run.start();
      await until('a push', () => run.provider.pushes.length === 1);
      await show(run, LONG);
      await end(run);
      await until('the end of the draft', () => draftOf(run) === undefined);
    });
  }
});

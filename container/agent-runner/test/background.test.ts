import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { until } from './host.ts';
import { Running } from './runner.ts';

/** What the provider goes on with behind the turns: whose it is, and what becomes of it. */

const COUNT = { id: 'job-1', what: 'Count the files' };
const jobs = (run: Running) => JSON.parse(run.host.state('background') ?? '[]');

/** A turn that leaves something running behind it. */
async function begun(change = {}): Promise<Running> {
  const run = new Running();
  run.provider.onPush = (query, id, text) => {
    if (!text.includes('count')) return query.settle([id], 'Good day.');
    query.emit({ type: 'background', running: [COUNT] });
    query.settle([id], 'I count.');
  };
  run.host.say('m1', 'count', change);
  run.start();
  await until('its turn to end', () => run.host.answers().length === 1);
  return run;
}

describe('background work', () => {
  it('is known to the host while it runs, and its result goes where it was asked for', async () => {
    await using run = await begun({ thread_id: 't-9' });
    assert.deepEqual(jobs(run), [{ ...COUNT, asked: 'm1' }]);
    assert.equal(run.host.phase(), 'idle');
    run.host.say('m2', 'hello', { platform_id: 'other' });
    await until('another chat', () => run.host.answers().length === 2);
    run.provider.last.emit({ type: 'background', running: [] });
    run.provider.last.emit({ type: 'resumed', id: 'own', ended: [COUNT.id] });
    await until('a turn', () => run.host.phase() === 'turn');
    assert.equal(jobs(run).length, 1, 'until it has been told of');
    run.provider.last.settle(['own'], 'There are three.');
    await until('the result', () => run.host.phase() === 'idle');
    const result = run.host.answers().at(-1);
    assert.deepEqual(result?.chat, { text: 'There are three.' });
    assert.equal(result?.thread_id, 't-9');
    assert.equal(result?.inReplyTo, 'm1');
    assert.deepEqual(jobs(run), []);
  });

  it('keeps its place when another chat was just handed over, and that one is answered after it', async () => {
    await using run = await begun();
    run.provider.onPush = () => {};
    run.host.say('m2', 'hello', { platform_id: 'other' });
    await until('the push', () => run.provider.pushes.length === 2);
    run.provider.last.emit({ type: 'background', running: [] });
    run.provider.last.emit({ type: 'resumed', id: 'own', ended: [COUNT.id] });
    run.provider.last.settle(['own'], 'There are three.');
    run.provider.last.settle([run.provider.pushes[1]?.id ?? ''], 'Good day.');
    await until('both', () => run.host.answers().length === 3);
    assert.deepEqual(
      run.host.answers().map(({ platform_id, chat }) => [platform_id === 'other', chat?.text, chat?.answers]),
      [
        [false, 'I count.', ['m1']],
        [false, 'There are three.', undefined],
        [true, 'Good day.', ['m2']],
      ],
    );
  });

  it('says nothing on the way in another chat that was just handed over, and shows nothing of its result there', async () => {
    await using run = await begun();
    run.provider.onPush = () => {};
    run.host.say('m2', 'hello', { platform_id: 'other' });
    await until('the push', () => run.provider.pushes.length === 2);
    run.provider.last.emit({ type: 'background', running: [] });
    run.provider.last.emit({ type: 'resumed', id: 'own', ended: [COUNT.id] });
    run.provider.last.emit({ type: 'partial', text: 'There are three. '.repeat(20) });
    run.provider.last.emit({ type: 'progress', text: 'I have counted.' });
    const word = await until('the word of it', () => run.host.sent().find(({ chat }) => chat?.progress));
    assert.notEqual(word.platform_id, 'other');
    assert.equal(word.inReplyTo, 'm1');
    assert.equal(run.host.state('draft'), undefined);
  });

  it('that was read together with a message of another chat: whoever asked for it hears that it has ended', async () => {
    await using run = await begun();
    run.provider.onPush = () => {};
    run.host.say('m2', 'hello', { platform_id: 'other' });
    await until('the push', () => run.provider.pushes.length === 2);
    run.provider.last.emit({ type: 'background', running: [] });
    run.provider.last.emit({ type: 'resumed', id: 'own', ended: [COUNT.id] });
    run.provider.last.settle(['own', run.provider.pushes[1]?.id ?? ''], 'Three, and good day.');
    await until('both', () => run.host.answers().length === 3);
    assert.deepEqual(
      run.host.answers().map(({ platform_id, chat }) => [platform_id === 'other', chat?.text]),
      [
        [false, 'I count.'],
        [true, 'Three, and good day.'],
        [false, '⚠️ What I did in the background has ended, and I could not report on it. Ask me for it.'],
      ],
    );
  });

  it('whose result names nobody whom the agent knows is corrected and told where it was asked for', async () => {
    for (const fails of [false, true]) {
      await using run = await begun();
      run.provider.onPush = () => {};
      run.host.say('m2', 'hello', { platform_id: 'other' });
      await until('the push', () => run.provider.pushes.length === 2);
      run.provider.last.emit({ type: 'background', running: [] });
      run.provider.last.emit({ type: 'resumed', id: 'own', ended: [COUNT.id] });
      run.provider.last.settle(['own'], 'Three.<message to="nobody">Three</message>');
      await until('the correction', () => run.provider.pushes.length === 3);
      const ids = [run.provider.pushes[2]?.id ?? ''];
      if (fails) run.provider.last.emit({ type: 'error', class: 'network', retryable: true, message: 'gone', ids });
      else run.provider.last.settle(ids, 'Three, then.');
      const [, answer, ...more] = await until('it', () => run.host.answers().length > 1 && run.host.answers());
      assert.notEqual(answer?.platform_id, 'other');
      assert.match(answer?.chat?.text ?? '', fails ? /^Three\./ : /Three, then/);
      assert.deepEqual(more, []);
    }
  });

  it('of which there is more than the host is told keeps its askers all the same', async () => {
    await using run = await begun();
    const many = Array.from({ length: 60 }, (_, n) => ({ id: `job-${n}`, what: 'Count' }));
    run.provider.last.emit({ type: 'background', running: many });
    await until('them', () => jobs(run).length === 50);
    run.provider.onPush = () => {};
    run.host.say('m2', 'hello', { platform_id: 'other' });
    await until('the push', () => run.provider.pushes.length === 2);
    const more = { id: 'job-60', what: 'Sort', parent: 'job-0' };
    run.provider.last.emit({ type: 'background', running: [...many, more] });
    await until('one more', () => jobs(run).at(-1)?.id === 'job-60');
    assert.deepEqual(new Set(jobs(run).map(({ asked }: { asked: string | null }) => asked)), new Set(['m1']));
  });

  it("of a helper's own belongs to whoever asked for the helper", async () => {
    await using run = await begun();
    run.provider.onPush = () => {};
    run.host.say('m2', 'hello', { platform_id: 'other' });
    await until('the push', () => run.provider.pushes.length === 2);
    const more = { id: 'job-2', what: 'Sort them', parent: COUNT.id };
    run.provider.last.emit({ type: 'background', running: [COUNT, more] });
    await until('both', () => jobs(run).length === 2);
    assert.deepEqual(jobs(run)[1], { id: 'job-2', what: 'Sort them', asked: 'm1' });
  });

  it('that came to nothing is told of where it was asked for', async () => {
    await using run = await begun();
    run.provider.last.emit({ type: 'background', running: [], isLost: true });
    await until('the word of it', () => run.host.answers().length === 2);
    assert.match(run.host.answers()[1]?.chat?.text ?? '', /in the background was lost: Count the files/);
    assert.deepEqual(jobs(run), []);
  });

  it('whose result can not be told says so', async () => {
    await using run = await begun();
    run.provider.last.emit({ type: 'background', running: [] });
    run.provider.last.emit({ type: 'resumed', id: 'own', ended: [COUNT.id] });
    run.provider.last.emit({ type: 'error', class: 'network', retryable: true, message: 'gone', ids: ['own'] });
    await until('the word of it', () => run.host.answers().length === 2);
    assert.match(run.host.answers()[1]?.chat?.text ?? '', /could not report on it/);
    assert.deepEqual([jobs(run), run.host.phase()], [[], 'idle']);
  });

  it('ends with /stop, and of it nothing more is said', async () => {
    await using run = await begun();
    run.provider.onInterrupt = (query) => query.emit({ type: 'background', running: [], isLost: true });
    run.host.control('c1', 'stop');
    await until('the interrupt', () => run.provider.last.interrupts === 1);
    run.host.say('m2', 'hello');
    await until('the next answer', () => run.host.answers().length === 2);
    assert.deepEqual(jobs(run), []);
    assert.equal(run.host.answers()[1]?.chat?.text, 'Good day.');
  });

  it('keeps its query when what the agent is to know has changed; the next one knows', async () => {
    await using run = await begun();
    const office = { type: 'channel', channel_type: 'chat', platform_id: 'c-2', agent_group_id: null } as const;
    run.host.destinations = [{ name: 'office', display_name: 'The office', ...office }];
    run.host.say('m2', 'hello');
    await until('an answer', () => run.host.answers().length === 2);
    assert.equal(run.provider.queries.length, 1);
    run.provider.last.emit({ type: 'background', running: [] });
    run.provider.last.emit({ type: 'resumed', id: 'own', ended: [COUNT.id] });
    run.provider.last.settle(['own'], '');
    await until('another query', () => run.provider.queries.length === 2);
    assert.match(run.provider.last.input.systemAddendum, /office/);
  });
});

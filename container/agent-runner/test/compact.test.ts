import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { until } from './host.ts';
import { Running } from './runner.ts';

describe('/compact', () => {
  it('is a turn of its own: it waits for the one that runs, and completes nothing but itself', async () => {
    await using run = new Running();
    const asked: string[] = [];
    run.provider.onCompact = (_, id) => asked.push(id);
    run.host.say('m1');
    run.start();
    await until('the push', () => run.provider.pushes.length === 1);
    run.host.control('c1', 'compact');
    run.host.say('m2');
    await until('the second push', () => run.provider.pushes.length === 2);
    assert.deepEqual(asked, []);
    assert.deepEqual(run.host.acks(), { m1: 'processing', m2: 'processing' });
    const { last } = run.provider;
    last.settle([...last.open], 'both', 'talk-1');
    await until('its turn', () => asked.length === 1);
    run.host.say('m3');
    await until('a message beside it', () => run.host.acks().m3 === 'processing');
    last.settle(asked, 'Summarised: from about 120,000 to 9,000 tokens.');
    await until('its answer', () => run.host.acks().c1 === 'completed');
    assert.equal(run.host.acks().m3, 'processing');
    last.settle([...last.open], 'third');
    await until('the last answer', () => run.host.texts().length === 3);
    assert.deepEqual(
      run.host.answers().map(({ chat }) => [chat?.text, chat?.answers]),
      [
        ['both', ['m1', 'm2']],
        ['Summarised: from about 120,000 to 9,000 tokens.', ['c1']],
        ['third', ['m3']],
      ],
    );
    assert.ok(!run.provider.pushes.some(({ text }) => text.includes('compact')), 'it is nothing for the model');
  });

  it('goes to the chat that it came from, also as the first thing', async () => {
    await using run = new Running();
    run.host.control('c1', 'compact', { platform_id: 'garden', thread_id: 't1' });
    run.start();
    const [answer] = await until('an answer', () => run.host.answers().length > 0 && run.host.answers());
    assert.deepEqual([answer?.platform_id, answer?.thread_id, answer?.chat?.text], ['garden', 't1', 'Summarised.']);
    assert.equal(run.host.phase(), 'idle');
  });

  it('that fails is a failure of that row alone', async () => {
    await using run = new Running();
    run.provider.onCompact = (query, id) =>
      query.emit({ type: 'error', class: 'overload', retryable: true, message: 'busy', ids: [id] });
    run.provider.onPush = (query, id) => query.settle([id], 'fine');
    run.host.control('c1', 'compact');
    run.start();
    await until('the failure', () => run.host.acks().c1 === 'failed');
    run.host.say('m1');
    await until('the next answer', () => run.host.acks().m1 === 'completed');
  });

  it('that waits when another chat clears the conversation is done afterwards', async () => {
    await using run = new Running();
    run.host.control('c1', 'compact', { platform_id: 'garden' });
    run.host.control('x1', 'clear', { trigger: 0 });
    // It sees both at once.
    run.start();
    await until('its end', () => run.host.acks().c1 === 'completed');
    assert.deepEqual(run.host.texts(), ['Summarised.']);
  });

  it('/stop ends it as any turn', async () => {
    await using run = new Running();
    run.provider.onCompact = () => undefined;
    run.host.control('c1', 'compact');
    run.start();
    await until('its turn', () => run.host.acks().c1 === 'processing');
    run.host.control('s1', 'stop', { trigger: 0 });
    await until('its end', () => run.host.acks().c1 === 'completed' && run.host.acks().s1 === 'completed');
    assert.deepEqual(run.host.texts(), []);
  });
});

describe('what nobody goes on with', () => {
  it('is kept at /clear, and when the provider has lost it', async () => {
    await using run = new Running();
    run.provider.onPush = (query, id, text) => {
      if (text.includes('lose')) {
        const error = { class: 'context', retryable: true, message: 'too long', continuationLost: true } as const;
        query.emit({ type: 'error', ids: [id], ...error });
      } else query.settle([id], 'yes', text.includes('two') ? 'talk-2' : 'talk-1');
    };
    run.host.control('before', 'clear', { trigger: 0 });
    run.host.say('m1', 'one');
    run.start();
    await until('an answer', () => run.host.acks().m1 === 'completed');
    assert.deepEqual(run.provider.archived, [], 'there was nothing to keep');
    run.host.control('clear', 'clear', { trigger: 0 });
    await until('it is kept', () => run.provider.archived.length === 1);
    run.host.say('m2', 'two');
    await until('an answer', () => run.host.acks().m2 === 'completed');
    run.host.say('m3', 'lose');
    await until('it is kept, too', () => run.provider.archived.length === 2);
    assert.deepEqual(run.provider.archived, ['talk-1', 'talk-2']);
  });
});

import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, it } from 'node:test';
import { isoTime, MAX_TEXT_BYTES } from '@nanoclaw/protocol';
import { config, until } from './host.ts';
import { Running } from './runner.ts';

const OFFICE = {
  name: 'office',
  display_name: 'The office',
  type: 'channel',
  channel_type: 'chat',
  platform_id: 'c-2',
  agent_group_id: null,
} as const;

/** Generous: other suites may run on the same cores. */
const SLOW = { timeout: 60_000 };

describe('a turn', () => {
  it('answers where it was asked, and settles in the same breath', async () => {
    await using run = new Running();
    run.provider.onPush = (query, id, text) => query.settle([id], /hello/.test(text) ? 'hi Ann' : 'what?', 'c-1');
    run.host.say('m1', 'hello', { thread_id: 't-9' });
    run.start();
    const [answer] = await until('an answer', () => run.host.answers().length > 0 && run.host.answers());
    assert.deepEqual(answer?.chat, { text: 'hi Ann', answers: ['m1'] });
    assert.equal(answer?.thread_id, 't-9');
    assert.equal(answer?.inReplyTo, 'm1');
    assert.equal(answer?.seq, 3);
    assert.deepEqual(run.host.acks(), { m1: 'completed' });
    assert.equal(run.host.state('continuation:scripted'), 'c-1');
    assert.equal(run.host.phase(), 'idle');
  });

  it('pushes what comes meanwhile, each on its own, and settles what the provider reports', async () => {
    await using run = new Running();
    run.host.say('m1');
    run.start();
    await until('the first push', () => run.provider.pushes.length === 1);
    run.host.add('context', { trigger: 0 });
    run.host.add('elsewhere', { platform_id: 'other' });
    run.host.say('m2');
    run.host.say('m3');
    await until('three pushes', () => run.provider.pushes.length === 3);
    assert.deepEqual(run.host.acks(), { m1: 'processing', m2: 'processing', m3: 'processing' });
    const [first, second, third] = run.provider.last.pushes;
    assert.match(second?.text ?? '', />m2</);
    run.provider.last.settle([first?.id ?? ''], 'one');
    await until('the first answer', () => run.host.answers().length === 1);
    assert.deepEqual(run.host.acks(), { m1: 'completed', m2: 'processing', m3: 'processing' });
    run.provider.last.settle([second?.id ?? '', third?.id ?? ''], 'two and three');
    await until('the other origin’s turn', () => run.provider.pushes.length === 4);
    assert.deepEqual(
      run.host.answers().map((each) => each.chat?.answers),
      [['m1'], ['m2', 'm3']],
    );
    assert.match(run.provider.pushes[3]?.text ?? '', />elsewhere</);
    assert.equal(run.host.acks().context, undefined);
  });

  it('does not push to a provider that can not report by id', async () => {
    await using run = new Running({ reportsById: false });
    run.host.say('m1');
    run.start();
    await until('the first push', () => run.provider.pushes.length === 1);
    run.host.say('m2');
    run.provider.last.emit({ type: 'progress', text: 'still at it' });
    await until('progress', () => run.host.sent().length === 1);
    assert.equal(run.provider.pushes.length, 1);
    run.provider.last.settle(run.provider.last.open, 'one');
    await until('the second', () => run.provider.pushes.length === 2);
  });

  it('shows context with the turn that it belongs to, then settles it', async () => {
    await using run = new Running();
    run.host.add('c1', { trigger: 0 });
    run.host.publish();
    run.start();
    await until('a warm query', () => run.provider.queries.length === 1);
    run.host.add('note', {
      kind: 'system',
      trigger: 0,
      platform_id: null,
      channel_type: null,
      content: JSON.stringify({ action: 'note', subject: 'delivery', status: 'failed', text: 'gone' }),
    });
    run.host.say('m1');
    await until('a push', () => run.provider.pushes.length === 1);
    assert.match(
      run.provider.pushes[0]?.text ?? '',
      /context="true">c1<[\s\S]*<system_response [^>]*subject="delivery"[\s\S]*>m1</,
    );
    run.provider.last.settle(run.provider.last.open, 'ok');
    await until('an answer', () => run.host.answers().length === 1);
    assert.deepEqual(run.host.acks(), { c1: 'completed', note: 'completed', m1: 'completed' });
    assert.deepEqual(run.host.answers()[0]?.chat?.answers, ['m1']);
  });

  it('records silence, and tells it from an answer by tool', async () => {
    await using run = new Running();
    run.provider.onPush = async (query, id, text) => {
      if (/>m2</.test(text)) await run.tools?.message.run({ text: 'said by tool' });
      query.settle([id], /m1/.test(text) ? '<internal>nothing to add</internal>' : '');
    };
    run.host.say('m1');
    run.start();
    await until('silence', () => run.host.answers().length === 1);
    run.host.say('m2');
    await until('both', () => run.host.answers().length === 3);
    const [silence, said, settled] = run.host.answers();
    assert.deepEqual(silence?.system, {
      action: 'silence',
      answers: ['m1'],
      reason: 'the agent decided to say nothing',
    });
    assert.equal(said?.chat?.text, 'said by tool');
    assert.equal(said?.inReplyTo, 'm2');
    assert.deepEqual(settled?.system, { action: 'silence', answers: ['m2'], reason: 'answered by send_message' });
  });

  it('sends to destinations, and lets the agent correct what it got wrong, once', async () => {
    await using run = new Running();
    run.host.destinations = [OFFICE];
    const replies = [
      'done <message to="office">to the office</message><message to="ofice">lost?</message>',
      '<message to="ofice">lost again</message>',
    ];
    run.provider.onPush = (query, id) => query.settle([id], replies[query.pushes.length - 1] ?? '');
    run.host.say('m1');
    run.start();
    await until('answers', () => run.host.answers().length === 2);
    assert.match(
      run.provider.pushes[1]?.text ?? '',
      /^<system_response[\s\S]*no destination &quot;ofice&quot;[\s\S]*office/,
    );
    const [own, office] = run.host.answers();
    assert.equal(
      own?.chat?.text,
      'done\n\n(Not sent where it was meant to go: there is no destination "ofice".)\nlost again',
    );
    assert.deepEqual(own?.chat?.answers, ['m1']);
    assert.equal(office?.chat?.text, 'to the office');
    assert.deepEqual([office?.channel_type, office?.platform_id, office?.thread_id], ['chat', 'c-2', null]);
    assert.equal(run.provider.pushes.length, 2);
  });

  it('sends the first answer when its correction fails', async () => {
    await using run = new Running();
    run.provider.onPush = (query, id) => {
      if (query.pushes.length === 1) query.settle([id], 'fine <message to="x">part</message>');
      else query.emit({ type: 'error', class: 'network', retryable: true, message: 'gone', ids: [id] });
    };
    run.host.say('m1');
    run.start();
    const [text] = await until('an answer', () => run.host.texts().length === 1 && run.host.texts());
    assert.match(text ?? '', /^fine\n\n\(Not sent [^\n]*"x"\.\)\npart$/);
    assert.deepEqual(run.host.acks(), { m1: 'completed' });
  });

  it('shows progress without what is internal, and sends its blocks', async () => {
    await using run = new Running();
    run.host.destinations = [OFFICE];
    run.provider.onPush = (query, id) => {
      query.emit({ type: 'progress', text: 'look<internal>no</internal>ing <message to="office">psst</message>' });
      query.settle([id], 'found');
    };
    run.host.say('m1');
    run.start();
    await until('all', () => run.host.sent().length === 3);
    const [office, progress, answer] = run.host.sent();
    assert.deepEqual(progress?.chat, { text: 'looking', progress: true });
    assert.deepEqual([office?.platform_id, office?.chat], ['c-2', { text: 'psst' }]);
    assert.equal(answer?.chat?.text, 'found');
  });

  it('notes tools in flight and usage', async () => {
    await using run = new Running();
    run.host.say('m1');
    run.start();
    await until('a push', () => run.provider.pushes.length === 1);
    const query = run.provider.last;
    query.emit({ type: 'activity', tool: { phase: 'start', id: 'a', name: 'Bash', declaredTimeoutMs: 1.5 } });
    query.emit({ type: 'activity', tool: { phase: 'start', id: 'b', name: 'Read' } });
    query.emit({ type: 'activity', tool: { phase: 'end', id: 'a', name: 'Bash' } });
    await until('one tool', () => run.host.tools().join() === 'Read');
    assert.equal(run.host.phase(), 'turn');
    query.emit({ type: 'usage', inputTokens: 3, outputTokens: Number.NaN });
    query.emit({ type: 'usage', turn: query.open[0] ?? '', soFar: true, inputTokens: 1, outputTokens: 2e9 });
    query.emit({ type: 'usage', turn: query.open[0] ?? '', soFar: true, inputTokens: 1, outputTokens: 1 });
    query.emit({ type: 'usage', inputTokens: 3, outputTokens: 4, costUsd: -1 });
    query.settle(query.open, 'ok');
    await until('settled', () => run.host.acks().m1 === 'completed');
    assert.deepEqual(run.host.tools(), []);
    const usage = run.host.sent().flatMap((each) => (each.system?.action === 'usage' ? each.system : []));
    assert.deepEqual(
      usage.map(({ turn, ...figures }) => [turn !== undefined, figures]),
      [
        [true, { action: 'usage', soFar: true, provider: 'scripted', inputTokens: 1, outputTokens: 1 }],
        [false, { action: 'usage', provider: 'scripted', inputTokens: 3, outputTokens: 4 }],
      ],
    );
  });
});

describe('what a turn has cost', () => {
  /** SQLite counts a file's commits at this place of its header. */
  const commits = (run: Running) => readFileSync(run.host.paths.outboundDb).readUInt32BE(24);
  const costs = (run: Running) => run.host.sent().filter((each) => each.system?.action === 'usage');

  it('is written with its answer, in one commit', async () => {
    await using run = new Running();
    run.host.say('m1');
    run.start();
    await until('a push', () => run.provider.pushes.length === 1);
    run.provider.last.emit({ type: 'started', id: run.provider.last.open[0] ?? '' });
    await until('it is read', () => run.lines.some(({ event }) => event === 'read'));
    const before = commits(run);
    run.provider.last.emit({ type: 'usage', inputTokens: 3, outputTokens: 4 });
    run.provider.last.settle(run.provider.last.open, 'ok');
    await until('settled', () => run.host.acks().m1 === 'completed');
    assert.equal(commits(run) - before, 1);
    assert.deepEqual([run.host.answers().length, costs(run).length], [1, 1]);
  });

  it('is written alone where no answer comes, and with what comes instead', async () => {
    await using run = new Running();
    run.host.say('m1');
    run.start();
    await until('a push', () => run.provider.pushes.length === 1);
    run.provider.last.emit({ type: 'usage', inputTokens: 3, outputTokens: 4 });
    await until('its cost', () => costs(run).length === 1);
    run.provider.last.emit({ type: 'usage', inputTokens: 5, outputTokens: 6 });
    run.provider.last.emit({ type: 'error', class: 'rate-limit', retryable: false, message: 'no' });
    await until('failed', () => run.host.acks().m1 === 'failed');
    assert.equal(costs(run).length, 2);
  });

  it('is not lost when the process ends at once', async () => {
    const run = new Running();
    run.host.say('m1');
    run.start();
    await until('a push', () => run.provider.pushes.length === 1);
    run.provider.last.emit({ type: 'usage', inputTokens: 3, outputTokens: 4 });
    await run.stop();
    assert.equal(costs(run).length, 1);
    await run[Symbol.asyncDispose]();
  });
});

describe('failure', () => {
  it('reports an error for the messages that it hit, and goes on', async () => {
    await using run = new Running();
    run.provider.onPush = (query, id, text) => {
      if (!/m1/.test(text)) return query.settle([id], 'ok');
      query.emit({
        type: 'error',
        class: 'rate-limit',
        retryable: true,
        message: 'slow down',
        ids: [id],
        retryAfterMs: 9,
      });
    };
    run.host.say('m1', 'm1', { tries: 2 });
    run.start();
    await until('a failure', () => run.host.acks().m1 === 'failed');
    assert.deepEqual(run.host.ackError('m1'), {
      class: 'rate-limit',
      retryable: true,
      message: 'slow down',
      tries: 2,
      retryAfterMs: 9,
    });
    run.host.say('m2');
    await until('the next', () => run.host.acks().m2 === 'completed');
    assert.equal(run.provider.pushes.length, 2);
  });

  it('takes a later try as a new one, and says so in the prompt', async () => {
    await using run = new Running();
    run.provider.onPush = (query, id) => {
      if (query.pushes.length > 1) query.settle([id], 'now it works');
      else query.emit({ type: 'error', class: 'overload', retryable: true, message: 'busy' });
    };
    run.host.say('m1');
    run.start();
    await until('a failure', () => run.host.acks().m1 === 'failed');
    const row = run.host.rows[0];
    assert.ok(row);
    row.tries = 1;
    row.process_after = isoTime(Date.now() + 150);
    run.host.publish();
    await until('an answer', () => run.host.texts().length === 1);
    assert.ok(Date.now() >= Date.parse(row.process_after));
    assert.match(run.provider.pushes[1]?.text ?? '', /retry="2"/);
    assert.deepEqual(run.host.acks(), { m1: 'completed' });
  });

  it('starts afresh when the conversation is lost', async () => {
    await using run = new Running();
    run.provider.onPush = (query, id, text) => {
      if (!/m2/.test(text)) return query.settle([id], 'ok', 'c-1');
      query.emit({ type: 'error', class: 'context', retryable: true, message: 'too long', continuationLost: true });
    };
    run.host.say('m1');
    run.start();
    await until('an answer', () => run.host.acks().m1 === 'completed');
    run.host.say('m2');
    await until('a failure', () => run.host.acks().m2 === 'failed');
    assert.equal(run.host.state('continuation:scripted'), undefined);
    run.host.say('m3');
    await until('the next', () => run.host.acks().m3 === 'completed');
    assert.equal(run.provider.last.input.continuation, undefined);
    assert.equal(run.provider.queries.length, 2);
  });

  for (const [how, fail] of [
    ['ends', (query: { end(): void }) => query.end()],
    ['throws', (query: { fail(error: Error): void }) => query.fail(new Error('boom'))],
  ] as const) {
    it(`reports a crash when the provider ${how} in mid-turn, and opens another query`, SLOW, async () => {
      await using run = new Running();
      run.host.say('m1');
      run.start();
      await until('a push', () => run.provider.pushes.length === 1);
      fail(run.provider.last);
      await until('a failure', () => run.host.acks().m1 === 'failed');
      const error = run.host.ackError('m1');
      assert.ok(typeof error === 'object' && error && 'class' in error && 'retryable' in error);
      assert.deepEqual([error.class, error.retryable], ['crash', true]);
      run.host.say('m2');
      await until('another query', () => run.provider.queries.length === 2 && run.provider.pushes.length === 2);
    });
  }

  it('writes the answer once the file is free again', SLOW, async () => {
    await using run = new Running();
    run.host.say('m1');
    run.start();
    await until('a push', () => run.provider.pushes.length === 1);
    const other = new DatabaseSync(run.host.paths.outboundDb);
    other.exec('BEGIN EXCLUSIVE');
    run.provider.last.settle(run.provider.last.open, 'patience');
    await until('a complaint', () => run.lines.some((line) => line.event === 'step-failed'));
    other.exec('COMMIT');
    other.close();
    await until('an answer', () => run.host.acks().m1 === 'completed');
    assert.deepEqual(run.host.texts(), ['patience']);
  });

  it('survives a provider whose push throws', async () => {
    await using run = new Running();
    run.provider.onPush = (query, id, text) => {
      if (/m1/.test(text)) throw new Error('not now');
      query.settle([id], 'ok');
    };
    run.host.say('m1');
    run.start();
    await until('a failure', () => run.host.acks().m1 === 'failed');
    run.host.say('m2');
    await until('the next', () => run.host.acks().m2 === 'completed');
  });

  it('refuses rows that it can not read, and unreadable files, and goes on', async () => {
    await using run = new Running();
    run.provider.onPush = (query, id) => query.settle([id], 'ok');
    run.host.add('bad-json', { content: '{' });
    run.host.add('bad-shape', { content: '{"sender":1}' });
    run.host.add('bad-system', { kind: 'system', content: '{"action":"dance"}' });
    run.host.say('good');
    run.start();
    await until('an answer', () => run.host.acks().good === 'completed');
    assert.deepEqual(run.host.acks(), {
      'bad-json': 'failed',
      'bad-shape': 'failed',
      'bad-system': 'failed',
      good: 'completed',
    });
    run.host.publishBytes(Buffer.from('this is no database'.repeat(300)));
    await until('a complaint', () => run.lines.some((line) => line.event === 'inbound-unreadable'));
    run.host.say('better');
    await until('an answer', () => run.host.acks().better === 'completed');
  });
});

describe('control', () => {
  it('/stop ends the turn at once; the next message is answered in the same conversation', async () => {
    await using run = new Running();
    run.host.say('m1');
    run.start();
    await until('a push', () => run.provider.pushes.length === 1);
    run.host.say('m2');
    await until('a second', () => run.provider.pushes.length === 2);
    const query = run.provider.last;
    run.provider.onInterrupt = () => setTimeout(() => query.settle(query.open, 'half an ans'), 50);
    run.host.control('stop', 'stop', { trigger: 0, platform_id: null, channel_type: null });
    const [stopped] = await until('a record', () => run.host.answers().length === 1 && run.host.answers());
    assert.deepEqual(stopped?.system, { action: 'stopped', answers: ['m1', 'm2'] });
    assert.deepEqual(run.host.acks(), { m1: 'completed', m2: 'completed', stop: 'completed' });
    run.provider.onPush = (each, id) => each.settle([id], 'on we go');
    run.host.say('m3');
    await until('an answer', () => run.host.texts().length === 1);
    assert.deepEqual(run.host.texts(), ['on we go']);
    assert.equal(run.provider.queries.length, 1);
    assert.equal(query.interrupts, 1);
  });

  it('/stop gives up a query that does not let go', async () => {
    await using run = new Running();
    run.provider.onInterrupt = () => {};
    run.host.say('m1');
    run.start();
    await until('a push', () => run.provider.pushes.length === 1);
    run.host.control('stop', 'stop');
    await until('stopped', () => run.host.acks().m1 === 'completed');
    run.provider.onPush = (each, id) => each.settle([id], 'afresh');
    run.host.say('m2');
    await until('an answer', () => run.host.texts().length === 1);
    assert.equal(run.provider.queries.length, 2);
  });

  it('/clear right after /stop does not cost the new query', SLOW, async () => {
    await using run = new Running();
    run.provider.onInterrupt = () => {};
    run.host.say('m1');
    run.start();
    await until('a push', () => run.provider.pushes.length === 1);
    run.host.control('stop', 'stop');
    run.host.control('clear', 'clear');
    await until('cleared', () => run.host.acks().clear === 'completed');
    run.host.say('m2');
    await until('a push to the new one', () => run.provider.queries.length === 2 && run.provider.pushes.length === 2);
    assert.deepEqual([run.provider.queries[0]?.ended, run.provider.queries[1]?.ended], [true, false]);
  });

  it('/clear leaves no turn uncounted: what its query still reports of the cost is told', async () => {
    await using run = new Running();
    run.provider.onInterrupt = (query) =>
      query.emit({ type: 'usage', turn: query.open[0] ?? '', inputTokens: 1, outputTokens: 2 });
    run.host.say('m1');
    run.start();
    await until('a push', () => run.provider.pushes.length === 1);
    run.host.control('clear', 'clear');
    await until('its cost', () => run.host.sent().some((each) => each.system?.action === 'usage'));
  });

  it('/clear forgets the conversation, also between turns', async () => {
    await using run = new Running();
    run.provider.onPush = (query, id) => query.settle([id], 'ok', 'c-1');
    run.host.say('m1');
    run.start();
    await until('an answer', () => run.host.state('continuation:scripted') === 'c-1');
    run.host.control('clear', 'clear');
    await until('another query', () => run.provider.queries.length === 2);
    assert.equal(run.provider.last.input.continuation, undefined);
    assert.equal(run.host.state('continuation:scripted'), undefined);
    assert.deepEqual(run.host.answers().length, 1);
  });
});

describe('what the agent is told', () => {
  it('follows a change of destinations, memory and name, and goes on with the conversation', async () => {
    await using run = new Running();
    run.provider.onPush = (query, id) => query.settle([id], 'ok', 'c-7');
    run.host.say('m1');
    run.start();
    await until('an answer', () => run.host.acks().m1 === 'completed');
    run.host.destinations = [OFFICE];
    run.host.publish();
    await until('another query', () => run.provider.queries.length === 2);
    assert.match(run.provider.last.input.systemAddendum, /# You are Andy[\s\S]*- `office` \(The office, on chat\)/);
    assert.equal(run.provider.last.input.continuation, 'c-7');
    writeFileSync(join(run.host.paths.agent, 'CLAUDE.local.md'), 'Ann likes tea');
    run.host.say('m2');
    await until('an answer', () => run.host.acks().m2 === 'completed');
    assert.match(run.provider.last.input.systemAddendum, /Ann likes tea/);
    writeFileSync(run.host.paths.containerJson, JSON.stringify({ ...config('scripted', 10), assistantName: 'Bob' }));
    run.host.say('m3');
    await until('an answer', () => run.host.acks().m3 === 'completed');
    assert.match(run.provider.last.input.systemAddendum, /^# You are Bob/);
    const { model, effort } = run.provider.last.input;
    assert.deepEqual([model, effort], [undefined, undefined]);
  });

  it('has another model or effort from its next turn on, and goes on with the conversation', async () => {
    await using run = new Running();
    const held: string[] = [];
    run.provider.onPush = (query, id) => (held.length === 0 ? void held.push(id) : query.settle([id], 'ok', 'c-7'));
    run.host.say('m1');
    run.start();
    await until('a turn', () => held.length === 1);
    const own = { ...config('scripted', 10), model: 'own', effort: 'high' };
    writeFileSync(run.host.paths.containerJson, JSON.stringify(own));
    run.host.publish();
    assert.equal(run.provider.queries.length, 1, 'the turn that runs is left in peace');
    run.provider.last.settle(held, 'ok', 'c-7');
    await until('an answer', () => run.host.acks().m1 === 'completed');
    run.host.say('m2');
    await until('an answer', () => run.host.acks().m2 === 'completed');
    const { model, effort, continuation } = run.provider.last.input;
    assert.deepEqual([model, effort, continuation], ['own', 'high', 'c-7']);
    assert.equal(run.provider.queries.length, 2);
  });
});

describe('strange texts', () => {
  it('sends what is too long as a file', async () => {
    await using run = new Running();
    const long = `${'ä'.repeat(2_500_000)}end`;
    run.provider.onPush = (query, id) => query.settle([id], long);
    run.host.say('m1');
    run.start();
    const [answer] = await until('an answer', () => run.host.answers().length === 1 && run.host.answers());
    assert.deepEqual(answer?.chat?.files, ['answer.md']);
    assert.ok((answer?.chat?.text.length ?? 0) < MAX_TEXT_BYTES / 8);
    assert.equal(readFileSync(join(run.host.paths.outbox, answer?.id ?? '', 'answer.md'), 'utf8'), long);
  });

  it('cleans NULs and half surrogates', async () => {
    await using run = new Running();
    run.provider.onPush = (query, id) => query.settle([id], 'a\0b\ud800c');
    run.host.say('m1', 'x\0y\udfffz');
    run.start();
    const [text] = await until('an answer', () => run.host.texts().length === 1 && run.host.texts());
    assert.equal(text, 'a\uFFFDb\uFFFDc');
    assert.match(run.provider.pushes[0]?.text ?? '', />x\uFFFDy\uFFFDz</);
  });
});

import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { afterEach, beforeEach } from 'node:test';
import type { ErrorClass } from '@nanoclaw/protocol';
import {
  billing,
  cut,
  cutAfter,
  error,
  errorAfter,
  forbidden,
  overloaded,
  promptTooLong,
  type Reply,
  rateLimited,
  say,
  serverError,
  stall,
  stallAfter,
  unauthorized,
  windowUsedUp,
} from '../../../test/fakes/messages-api/index.ts';
import { harnessPids, Rig, scenario } from './test-rig.ts';

let rig: Rig;
beforeEach(async () => {
  rig = await Rig.start();
});
afterEach(() => rig.close());

const refusals: readonly (readonly [string, () => Reply, ErrorClass, boolean])[] = [
  ['401', unauthorized, 'auth', false],
  ['403', forbidden, 'auth', false],
  ['no credit (400)', () => billing(400), 'billing', false],
  ['no credit (402)', () => billing(402), 'billing', false],
  ['529', overloaded, 'overload', true],
  ['500', serverError, 'overload', true],
  ['an error within the stream', () => errorAfter('half'), 'overload', true],
  ['a connection cut at once', cut, 'network', true],
  ['a connection cut in mid-stream', () => cutAfter('half'), 'network', true],
  ['a prompt that is too long by itself', () => promptTooLong(), 'context', false],
  ['a model that there is not', () => error(404, 'not_found_error', 'model: none'), 'model', false],
  ['a request that the API refuses', () => error(400, 'invalid_request_error', 'odd'), 'crash', false],
];

for (const [name, reply, kind, retryable] of refusals)
  scenario(`${name} is ${kind}, and the next push is answered`, async () => {
    const talk = await rig.converse();
    // As often as the harness asks: with and without a stream, and once more.
    rig.api.script(...Array.from({ length: 4 }, reply));
    talk.query.push('a', 'one');
    await talk.outcome(1);
    assert.deepEqual(talk.outcomes, [{ ids: ['a'], error: kind }]);
    assert.equal(talk.of('error')[0]?.retryable, retryable);
    assert.equal(talk.of('progress').length, 0, 'an error is not something the model said');
    rig.api.skip();
    rig.api.script(say('better'));
    talk.query.push('b', 'two');
    await talk.outcome(2);
    assert.deepEqual(talk.outcomes[1], { ids: ['b'], text: 'better' });
  });

for (const [seconds, atLeastMs] of [
  [20, 20_000],
  // Beyond a minute the harness keeps the time to itself.
  [300, 60_000],
] as const)
  scenario(`429 with a wait of ${seconds} s is told at once, and not waited for`, async () => {
    const talk = await rig.converse();
    rig.api.script(rateLimited(seconds));
    talk.query.push('a', 'one');
    await rig.api.arrived(1, 100_000);
    // A start takes its time on a busy machine.
    const at = Date.now();
    await talk.outcome(1);
    const [failure] = talk.of('error');
    assert.deepEqual([failure?.class, failure?.retryable, failure?.ids], ['rate-limit', true, ['a']]);
    assert.ok((failure?.retryAfterMs ?? 0) >= atLeastMs, `retry after ${failure?.retryAfterMs}`);
    assert.ok(Date.now() - at < 15_000);
    rig.api.script(say('later'));
    talk.query.push('b', 'two');
    await talk.outcome(2);
    assert.deepEqual(talk.outcomes[1], { ids: ['b'], text: 'later' });
  });

scenario("a subscription's limit is told with the time that is left of its window", async () => {
  const own = await Rig.start({ oauthToken: 'sk-ant-oat01-scripted' });
  const talk = await own.converse({
    env: { ANTHROPIC_API_KEY: '', CLAUDE_CODE_OAUTH_TOKEN: 'sk-ant-oat01-scripted', ANTHROPIC_BASE_URL: own.api.url },
  });
  own.api.script(windowUsedUp(900));
  talk.query.push('a', 'one');
  await talk.outcome(1);
  const [failure] = talk.of('error');
  assert.equal(failure?.class, 'rate-limit');
  assert.ok((failure?.retryAfterMs ?? 0) > 800_000 && (failure?.retryAfterMs ?? 0) <= 900_000);
  await own.close();
});

for (const [name, reply] of [
  ['before it begins', stall()],
  ['in its middle', stallAfter('half')],
] as const)
  scenario(`a stream that stalls ${name} ends in a network error`, async () => {
    const talk = await rig.converse({ env: { CLAUDE_STREAM_IDLE_TIMEOUT_MS: '3000' } });
    rig.api.script(reply);
    talk.query.push('a', 'one');
    await talk.outcome(1);
    assert.deepEqual(talk.outcomes, [{ ids: ['a'], error: 'network' }]);
    rig.api.skip();
    rig.api.script(say('better'));
    talk.query.push('b', 'two');
    await talk.outcome(2);
    assert.deepEqual(talk.outcomes[1], { ids: ['b'], text: 'better' });
  });

scenario('an API that can not be reached is told by the probe, not by the harness', async () => {
  const port = await freePort();
  const talk = await rig.converse({ env: { ANTHROPIC_BASE_URL: `http://127.0.0.1:${port}` } });
  talk.query.push('a', 'one');
  await talk.outcome(1);
  const [failure] = talk.of('error');
  assert.deepEqual([failure?.class, failure?.retryable, failure?.ids], ['network', true, ['a']]);
  assert.match(failure?.message ?? '', /can not be reached/);
  assert.equal(talk.of('started').length, 0, 'the harness has not even begun');
});

scenario('a gateway whose far side is gone counts as unreachable', async () => {
  const talk = await rig.converse({ env: { ANTHROPIC_BASE_URL: `${rig.api.url}/bad-gateway` } });
  talk.query.push('a', 'one');
  await talk.outcome(1);
  assert.deepEqual(talk.outcomes, [{ ids: ['a'], error: 'network' }]);
});

scenario('a harness that can not start is a crash, not a hang', async () => {
  const talk = await rig.converse({ cwd: `${rig.home}/missing` });
  talk.query.push('a', 'one');
  await talk.outcome(1);
  assert.deepEqual(talk.outcomes, [{ ids: ['a'], error: 'crash' }]);
});

scenario('a harness that is given up leaves no process behind', async () => {
  const talk = await rig.converse({ env: { CLAUDE_STREAM_IDLE_TIMEOUT_MS: '3000' } });
  rig.api.script(stall());
  talk.query.push('a', 'one');
  await talk.outcome(1);
  await talk.until('the process to be gone', () => harnessPids().length === 0);
});

/** A port that nobody listens on. */
function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });
}

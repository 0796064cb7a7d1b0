import assert from 'node:assert/strict';
import { test } from 'node:test';
import { classify, givesUp, isLostContinuation } from './classify.ts';

const of = (status: number | null, text = '', error?: string) => classify({ status, text, error }).class;

test('a status, a word or a text decides the class', () => {
  assert.equal(of(401), 'auth');
  assert.equal(of(null, 'Not logged in', 'authentication_failed'), 'auth');
  assert.equal(of(400, 'Credit balance is too low'), 'billing');
  assert.equal(of(429), 'rate-limit');
  assert.equal(of(529, 'Overloaded', 'server_error'), 'overload');
  assert.equal(of(null, 'Request timed out', 'server_error'), 'network');
  assert.equal(of(null, 'getaddrinfo ENOTFOUND'), 'network');
  assert.equal(of(400, 'Prompt is too long'), 'context');
  assert.equal(of(404, 'Not Found'), 'model');
  assert.equal(of(null, "There's an issue with the selected model (none)."), 'model');
  assert.equal(of(null, 'something odd'), 'crash');
});

test('what the API refuses for what it is is not tried again', () => {
  const retryable = (status: number | null, text = '') => classify({ status, text }).retryable;
  for (const status of [400, 401, 402, 403, 404]) assert.equal(retryable(status), false, String(status));
  for (const status of [429, 500, 503, 529, null]) assert.equal(retryable(status), true, String(status));
});

test('gives up a wait that passes ten seconds, and a key that is refused twice', () => {
  const retry = { attempt: 1, delayMs: 2_000, status: 529, error: 'overloaded' };
  assert.equal(givesUp(retry, 7_000), false);
  assert.equal(givesUp(retry, 8_001), true);
  assert.equal(givesUp({ ...retry, delayMs: 20_000 }, 0), true);
  const refused = { attempt: 1, delayMs: 500, status: 401, error: 'authentication_failed' };
  assert.equal(givesUp(refused, 0), false);
  assert.equal(givesUp({ ...refused, attempt: 2 }, 500), true);
});

test('knows a lost transcript by what the harness says', () => {
  assert.ok(isLostContinuation('No conversation found with session ID: x'));
  assert.ok(!isLostContinuation('API Error: 404 not found'));
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Lost } from '../http/lost.ts';
import { Refusal } from './api.ts';
import { healthBy, outcomeOf } from './outcome.ts';

const failed = (retryable: boolean, more: object = {}) => ({ status: 'failed', retryable, ...more });
const UNKNOWN = { status: 'unknown' };

const TABLE: readonly [Error, boolean, object][] = [
  [new Refusal('channel_not_found'), true, failed(false)],
  [new Refusal('not_in_channel'), true, failed(false)],
  [new Refusal('is_archived'), true, failed(false)],
  [new Refusal('msg_too_long'), true, failed(false)],
  [new Refusal('missing_scope', { needed: 'chat:write' }), true, failed(false)],
  [new Refusal('something_new'), true, failed(false)],
  [new Refusal('ratelimited', { retryAfterMs: 7_000 }), true, failed(true, { retryAfterMs: 7_000 })],
  [new Refusal('ratelimited'), true, failed(true, { retryAfterMs: 5_000 })],
  [new Refusal('service_unavailable'), true, failed(true)],
  [new Refusal('internal_error'), true, UNKNOWN],
  [new Refusal('fatal_error'), true, UNKNOWN],
  [new Refusal('invalid_auth'), true, failed(true, { offline: true })],
  [new Refusal('token_revoked'), true, failed(true, { offline: true })],
  [new Refusal('account_inactive'), true, failed(true, { offline: true })],
  [new Lost('no answer', false), true, UNKNOWN],
  [new Lost('ECONNREFUSED', true), true, failed(true)],
  [new Lost('ECONNREFUSED', true), false, failed(true, { offline: true })],
];

for (const [error, isConnected, wanted] of TABLE) {
  test(`${error.message}${isConnected ? '' : ', deaf'}: ${JSON.stringify(wanted)}`, () => {
    const { error: _, ...outcome } = outcomeOf(error, isConnected);
    assert.deepEqual(outcome, wanted);
  });
}

test('what only a person can mend is said as such, with what to do', () => {
  assert.deepEqual(healthBy(new Refusal('invalid_auth'), 'app').state, 'failed');
  assert.match(healthBy(new Refusal('invalid_auth'), 'app').detail ?? '', /APP_TOKEN/);
  assert.match(healthBy(new Refusal('token_revoked'), 'bot').detail ?? '', /BOT_TOKEN/);
  assert.match(
    healthBy(new Refusal('missing_scope', { needed: 'connections:write' }), 'app').detail ?? '',
    /connections:write/,
  );
  assert.equal(healthBy(new Lost('ENOTFOUND', true), 'app').state, 'connecting');
  assert.equal(healthBy(new Refusal('internal_error'), 'app').state, 'connecting');
  assert.equal(healthBy(new Refusal('link_disabled'), 'app').state, 'failed');
});

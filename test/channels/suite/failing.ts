import assert from 'node:assert/strict';
import type { DeliveryResult } from '../../../src/channels/adapter.ts';
import { until } from '../../support/until.ts';
import type { Case, Fault } from '../contract.ts';
import { makeFile } from './files.ts';
import { type ContractCase, PATIENCE_MS, type Stage } from './stage.ts';

/** What a failure means for what was to be sent. */

export const FAILING: readonly ContractCase[] = [
  fault(
    'rate-limit',
    'a platform that asks to wait is waited for',
    { kind: 'rate-limit', retryAfterMs: 2_000 },
    (result) => isPutOff(result),
  ),
  {
    name: 'rate-limit-edit',
    title: 'so is one that asks for it when a message is changed',
    async run(stage, skip) {
      if (!stage.adapter.capabilities.edits) return skip('it can change nothing');
      const first = await stage.say({ text: 'before it' });
      const edits = first.status === 'sent' ? first.platformMessageId : undefined;
      assert.ok(edits);
      if (!(await stage.far.fail?.({ kind: 'rate-limit', retryAfterMs: 2_000 })))
        return skip('this far end can not do that');
      isPutOff(await stage.say({ text: 'behind it', edits }));
      assert.equal((await stage.say({ text: 'behind it', edits })).status, 'sent');
      await stage.shown('behind it');
    },
  },
  fault('server-error', 'a platform in trouble is tried again', { kind: 'server-error' }, (result) => {
    assert.ok(result.status === 'unknown' || (result.status === 'failed' && result.retryable));
  }),
  fault('forbidden', 'what is refused for good is not tried again', { kind: 'forbidden' }, (result) => {
    assert.ok(result.status === 'failed' && !result.retryable, JSON.stringify(result));
  }),
  fault('unknown', 'what may have been taken is not called failed', { kind: 'taken' }, (result, { adapter }) => {
    const isSafe = adapter.capabilities.idempotencyKey === true && result.status === 'failed' && result.retryable;
    assert.ok(result.status === 'unknown' || isSafe, JSON.stringify(result));
  }),
  {
    name: 'garbage',
    title: 'an answer that is none is no word that it was sent, and none that it was not',
    async run(stage, skip) {
      const { far, adapter } = stage;
      if (!far.garbage) return skip('whatever answers there is an answer');
      await far.garbage();
      const result = await stage.say({ text: 'into the fog' });
      const isSafe = adapter.capabilities.idempotencyKey === true && result.status === 'failed' && result.retryable;
      assert.ok(result.status === 'unknown' || isSafe, JSON.stringify(result));
      assert.equal((await stage.say({ text: 'and behind it' })).status, 'sent');
    },
  },
  {
    name: 'same-id',
    title: 'sent twice under our id, it stands there once',
    async run(stage, skip) {
      if (!stage.adapter.capabilities.idempotencyKey) return skip('the platform knows no id of ours');
      const id = `same-${process.pid}`;
      for (let times = 0; times < 2; times += 1) {
        assert.equal((await stage.say({ id, text: 'said once' })).status, 'sent');
      }
      await stage.shown('said once');
      assert.equal((await stage.far.shown()).filter(({ text }) => text.includes('said once')).length, 1);
    },
  },
  {
    name: 'bookkeeping',
    title: 'what can not be written down afterwards does not unsay it',
    async run(stage) {
      const { memory, far, adapter } = stage;
      const files = adapter.capabilities.maxFileBytes === undefined ? [] : ['one.txt', 'two.txt'];
      memory.failures = 9;
      const result = await stage.say({
        text: 'said all the same',
        files: files.map((name) => makeFile(stage, name, 'content')),
      });
      memory.failures = 0;
      assert.equal(result.status, 'sent');
      await stage.shown('said all the same');
      assert.equal((await far.shown()).filter(({ text }) => text.includes('said all the same')).length, 1);
    },
  },
  {
    name: 'revoked',
    title: 'credentials that are taken back become a status for a person, and what is to be said waits',
    async run(stage, skip) {
      const { far, adapter } = stage;
      if (!far.revoke) return skip('nobody takes back what lets it in');
      await far.revoke();
      const result = await stage.say({ text: 'to nobody' });
      assert.ok(result.status === 'failed' && result.retryable, JSON.stringify(result));
      await until(() => adapter.health?.().state === 'failed', PATIENCE_MS);
      const said = `${adapter.health?.().detail} ${result.error}`;
      for (const [, value] of secretsOf(far)) assert.ok(!said.includes(value), said);
    },
  },
  {
    name: 'rival',
    title: 'another reader of the same account is said aloud',
    async run({ far, adapter }, skip) {
      if (!far.rival) return skip('two readers have all of it, each');
      const end = await far.rival();
      try {
        await until(() => adapter.health?.().state !== 'connected' && adapter.health?.().detail, PATIENCE_MS);
      } finally {
        await end();
      }
      await until(() => adapter.health?.().state === 'connected', PATIENCE_MS);
    },
  },
];

function isPutOff(result: DeliveryResult): void {
  assert.ok(result.status === 'failed' && result.retryable, JSON.stringify(result));
  assert.ok((result.retryAfterMs ?? 0) >= 2_000, `${result.retryAfterMs} ms`);
}

function secretsOf({ settings, refused = {} }: Stage['far']): [string, string][] {
  return Object.entries(settings).filter(([key, value]) => refused[key] !== value && value.length >= 8);
}

function fault(
  name: Case,
  title: string,
  what: Fault,
  check: (result: DeliveryResult, stage: Stage) => void,
): ContractCase {
  return {
    name,
    title,
    async run(stage, skip) {
      if (!(await stage.far.fail?.(what))) return skip('this far end can not do that');
      check(await stage.say({ text: 'through a fault' }), stage);
      const next = await stage.say({ text: 'and behind it' });
      assert.equal(next.status, 'sent');
    },
  };
}

import assert from 'node:assert/strict';
import { until } from '../../support/until.ts';
import { type ContractCase, connected, distinct, NOBODY, PATIENCE_MS, withStage } from './stage.ts';

/** Lines that break, far ends that are away, adapters that end. */

const ROUNDS = 3;

export const CONNECTION: readonly ContractCase[] = [
  {
    name: 'drop',
    title: 'after a connection that broke it hears again',
    async run({ far, hear, heard }, skip) {
      if (!far.drop) return skip('this far end has no connection that breaks');
      await far.drop();
      await hear('still there?');
      await heard('still there?');
    },
  },
  {
    name: 'reconnect',
    title: `${ROUNDS} times in a row: nothing falls into the gap, groups are heard again, and it can speak`,
    async run(stage, skip) {
      const { far, events, adapter, hear } = stage;
      if (!far.drop) return skip('this far end has no connection that breaks');
      if (adapter.capabilities.afterDowntime === 'lost') return skip('the platform keeps nothing');
      const sent: string[] = [];
      for (let round = 0; round < ROUNDS; round += 1) {
        sent.push(await hear(`before ${round}`));
        await far.drop();
        sent.push(await hear(`behind ${round}`));
        const { group } = far.chats;
        if (group !== undefined) sent.push(await hear(`in the group ${round}`, { chat: group, mention: true }));
        await until(() => distinct(events).length === sent.length, PATIENCE_MS);
      }
      await connected(adapter);
      assert.equal((await stage.say({ text: 'here I am' })).status, 'sent');
    },
  },
  {
    name: 'forgotten',
    title: 'a connection that can not be taken up again is begun anew',
    async run({ far, adapter, hear, heard }, skip) {
      if (!far.forget) return skip('its connections hold nothing that could be taken up');
      await far.forget();
      await connected(adapter);
      await hear('who am I?');
      await heard('who am I?');
    },
  },
  {
    name: 'gone',
    title: 'a far end that is away is shown so, waited for, and heard again',
    async run(stage, skip) {
      const { far, adapter, hear, heard } = stage;
      if (!far.away) return skip('this far end is never away');
      await far.away(true);
      const result = await stage.say({ text: 'into the dark' });
      assert.ok(result.status === 'unknown' || (result.status === 'failed' && result.retryable));
      await until(() => adapter.health?.().state !== 'connected', PATIENCE_MS);
      await far.away(false);
      await connected(adapter);
      await hear('you again');
      await heard('you again');
      assert.equal((await stage.say({ text: 'me again' })).status, 'sent');
    },
  },
  {
    name: 'not-held',
    title: 'while a message waits to be stored, another can be said',
    async run(stage) {
      const { storing, hear } = stage;
      storing.wait = NOBODY;
      await hear('I wait');
      await until(() => storing.offered > 0, PATIENCE_MS);
      assert.equal((await stage.say({ text: 'meanwhile' })).status, 'sent');
      await stage.shown('meanwhile');
    },
  },
  {
    name: 'stopped',
    title: 'once stopped it hands over nothing, and rejects nothing',
    async run(stage) {
      const { adapter, events, hear } = stage;
      await adapter.stop();
      await hear('too late');
      // Whatever becomes of it, that is a result and no rejection.
      const result = await stage.say({ text: 'too late as well' });
      assert.ok(['sent', 'failed', 'unknown'].includes(result.status));
      assert.deepEqual(events, []);
    },
  },
  {
    name: 'stopped-twice',
    title: 'it can be ended twice, and before it has begun',
    async run({ under, adapter, context }) {
      await Promise.all([adapter.stop(), adapter.stop()]);
      await adapter.stop();
      await under.create(context).stop();
    },
  },
  {
    name: 'sibling',
    title: 'one account that ends leaves another of the same platform alone',
    async run(stage) {
      await withStage(stage.under, async (other) => {
        await stage.adapter.stop();
        await other.hear('and you?');
        await other.heard('and you?');
        assert.equal((await other.say({ text: 'I am here' })).status, 'sent');
        await other.shown('I am here');
        assert.deepEqual(stage.events, []);
      });
    },
  },
];

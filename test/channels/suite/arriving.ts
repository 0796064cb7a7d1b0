import assert from 'node:assert/strict';
import { until } from '../../support/until.ts';
import { type ContractCase, distinct, idsOf, NOBODY, PATIENCE_MS } from './stage.ts';

/** How messages come in: each once, none lost, in their order. */

const BURST = 40;
/** More than a platform gives at once. */
const BACKLOG = 130;

export const ARRIVING: readonly ContractCase[] = [
  {
    name: 'inbound',
    title: 'a message comes in under its chat, its own id and a stable sender',
    async run({ far, events, adapter, hear }) {
      const id = await hear('first');
      await hear('second');
      await until(() => events.length === 2, PATIENCE_MS);
      const [first, second] = events;
      assert.ok(first && second);
      assert.equal(first.channelType, adapter.channelType);
      assert.equal(first.platformId, far.chats.dm);
      assert.equal(first.platformMessageId, id);
      assert.match(first.text, /first/);
      assert.equal(first.senderId, second.senderId);
      assert.match(first.senderId, /^[^:]+:.+/);
      assert.notEqual(first.platformMessageId, second.platformMessageId);
      assert.ok(Math.abs(Date.parse(first.timestamp) - Date.now()) < 3_600_000 || first.timestamp.endsWith('Z'));
    },
  },
  {
    name: 'repeat',
    title: 'the same message once more has the same id',
    async run({ far, events, hear, heard }, skip) {
      if (!far.repeat) return skip('this far end sends nothing twice');
      const id = await hear('once');
      await heard('once');
      await far.repeat(id);
      await hear('the last');
      await heard('the last');
      assert.deepEqual(idsOf(events, 'once'), [id]);
    },
  },
  {
    name: 'again',
    title: 'the same message in another envelope has the same id',
    async run({ far, events, hear, heard }, skip) {
      if (!far.again) return skip('a message has one envelope there');
      const id = await hear('one of two');
      await heard('one of two');
      await far.again(id);
      await hear('the last');
      await heard('the last');
      assert.deepEqual(idsOf(events, 'one of two'), [id]);
    },
  },
  {
    name: 'unstored',
    title: 'what was not durable at a crash comes again',
    async run(stage) {
      const { events, storing, hear } = stage;
      storing.wait = NOBODY;
      const id = await hear('do not lose me');
      await until(() => storing.offered > 0, PATIENCE_MS);
      const next = stage.restart();
      storing.wait = Promise.resolve();
      await next;
      await until(() => events.some((event) => event.platformMessageId === id), PATIENCE_MS);
    },
  },
  {
    name: 'kept',
    title: 'what was durable and never acknowledged comes again under the same id, or not at all',
    async run(stage) {
      const { events, storing, hear, heard } = stage;
      storing.answer = NOBODY;
      const id = await hear('in between');
      await heard('in between');
      const next = stage.restart();
      storing.answer = Promise.resolve();
      await next;
      await hear('after it');
      await heard('after it');
      assert.deepEqual(idsOf(events, 'in between'), [id]);
    },
  },
  {
    name: 'stored',
    title: 'what was durable at a crash comes not again, or under the same id',
    async run(stage) {
      const { events, hear, heard } = stage;
      const id = await hear('old');
      await until(() => events.length === 1, PATIENCE_MS);
      await stage.restart();
      await hear('new');
      await heard('new');
      assert.deepEqual(idsOf(events, 'old'), [id]);
    },
  },
  {
    name: 'away',
    title: 'what came while it was away comes in order',
    async run(stage, skip) {
      const { events, adapter, hear } = stage;
      if (adapter.capabilities.afterDowntime === 'lost') return skip('the platform keeps nothing');
      await adapter.stop();
      for (const text of ['away 1', 'away 2', 'away 3']) await hear(text);
      await stage.restart();
      await until(() => distinct(events).length === 3, PATIENCE_MS);
      for (const [index, event] of distinct(events).entries())
        assert.match(event.text, new RegExp(`away ${index + 1}`));
    },
  },
  {
    name: 'backlog',
    title: `${BACKLOG} messages that came while it was away: more than one page, all of them, in order`,
    async run(stage, skip) {
      const { events, adapter, hear } = stage;
      if (adapter.capabilities.afterDowntime === 'lost') return skip('the platform keeps nothing');
      await adapter.stop();
      for (let index = 0; index < BACKLOG; index += 1) await hear(`kept ${index}.`);
      await stage.restart();
      await until(() => distinct(events).length === BACKLOG, PATIENCE_MS);
      for (const [index, event] of distinct(events).entries()) assert.ok(event.text.includes(`kept ${index}.`));
    },
  },
  {
    name: 'burst',
    title: `${BURST} messages at once: none is lost, and they stay in order`,
    async run({ events, hear }) {
      for (let index = 0; index < BURST; index += 1) await hear(`burst ${index}.`);
      await until(() => distinct(events).length === BURST, PATIENCE_MS);
      for (const [index, event] of distinct(events).entries()) assert.ok(event.text.includes(`burst ${index}.`));
    },
  },
  {
    name: 'refused-for-now',
    title: 'what the host has no room for comes again, under the same id',
    async run({ answers, events, hear }) {
      answers.push({ status: 'refused', code: 'NC_DISK_FULL', sentence: 'No room.' });
      const id = await hear('not now');
      await until(() => events.filter(({ text }) => text.includes('not now')).length === 2, PATIENCE_MS);
      assert.deepEqual(idsOf(events, 'not now'), [id]);
    },
  },
  {
    name: 'refused-for-good',
    title: 'what the host never takes holds up nothing behind it',
    async run({ answers, hear, heard }) {
      answers.push({ status: 'refused', code: 'NC_MESSAGE_TOO_LARGE', sentence: 'Too long.' });
      await hear('never');
      await hear('behind it');
      await heard('behind it');
    },
  },
  {
    name: 'unreadable',
    title: 'an event that nobody can read holds up nothing behind it',
    async run({ far, events, hear, heard }, skip) {
      if (!far.unreadable) return skip('this far end sends nothing that can not be read');
      await far.unreadable();
      await hear('behind it');
      await heard('behind it');
      assert.equal(distinct(events).length, 1);
    },
  },
];

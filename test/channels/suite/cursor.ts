import assert from 'node:assert/strict';
import { until } from '../../support/until.ts';
import { type ContractCase, distinct, idsOf, PATIENCE_MS, type Stage } from './stage.ts';

/** What an adapter remembers may be gone, old or broken: nothing new is lost by it, and nothing old is new. */

async function heardBefore({ events, hear }: Stage): Promise<string> {
  const id = await hear('old');
  await until(() => events.length === 1, PATIENCE_MS);
  return id;
}

async function goesOn({ events, hear, heard }: Stage, id: string): Promise<void> {
  await hear('new');
  await heard('new');
  for (const other of idsOf(events, 'old')) assert.equal(other, id);
}

export const CURSOR: readonly ContractCase[] = [
  {
    name: 'cursor-lost',
    title: 'a restart without what it remembered',
    async run(stage) {
      const id = await heardBefore(stage);
      await stage.restart(() => stage.memory.values.clear());
      await goesOn(stage, id);
    },
  },
  {
    name: 'cursor-stale',
    title: 'a restart with what it remembered before',
    async run(stage) {
      const before = new Map(stage.memory.values);
      const id = await heardBefore(stage);
      await stage.restart(() => {
        stage.memory.values.clear();
        for (const [key, value] of before) stage.memory.values.set(key, value);
      });
      await goesOn(stage, id);
    },
  },
  {
    name: 'cursor-corrupt',
    title: 'a restart with something else in its place',
    async run(stage) {
      const id = await heardBefore(stage);
      await stage.restart(() => {
        for (const key of stage.memory.values.keys()) stage.memory.values.set(key, '\u0000{"not');
      });
      await goesOn(stage, id);
    },
  },
  {
    name: 'cursor-fails',
    title: 'a place that can not be written down once is no reason to lose or to repeat a message',
    async run(stage) {
      const { memory, events, hear, heard } = stage;
      memory.failures = 1;
      const first = await hear('at the full disk');
      await heard('at the full disk');
      const second = await hear('behind it');
      await heard('behind it');
      await stage.restart();
      const third = await hear('later');
      await heard('later');
      assert.deepEqual(
        distinct(events).map((event) => event.platformMessageId),
        [first, second, third],
      );
    },
  },
];

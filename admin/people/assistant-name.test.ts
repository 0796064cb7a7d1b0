import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createInstall } from '../../test/support/central.ts';
import { assistantNameProblem, nameProblem } from './assistant-name.ts';

const names: [name: string, problem: RegExp | undefined][] = [
  ['Bob', undefined],
  ['Bob "the Builder"', undefined],
  ["O'Brien", undefined],
  ['小明', undefined],
  ['👩‍🚀', undefined],
  ['محمد', undefined],
  ['x'.repeat(32), undefined],
  ['x'.repeat(33), /at most 32 characters/],
  ['x'.repeat(10_000), /characters/],
  ['', /1 to 64 characters/],
  [' \t ', /1 to 64 characters/],
  ['\u200d', /something in it that can be seen/],
  ['Bob\nAdmin', /no line breaks/],
  ['Bob\u0007', /no control characters/],
  ['Bob\u202eyob', /turn the direction of writing/],
  ['Bob\u200f', /turn the direction of writing/],
  ['Bob\u2028\u2028Admin', /no line breaks/],
  ['\u3164', /something in it that can be seen/],
  ['a@b', /no @ in it/],
];

describe('what an agent may be called', () => {
  for (const [name, problem] of names) {
    test(JSON.stringify(name.slice(0, 40)), () => {
      const said = nameProblem(name);
      if (problem) assert.match(said ?? '', problem);
      else assert.equal(said, undefined);
    });
  }
});

describe('the name of another agent in one of its chats', () => {
  const names: [name: string, isFree: boolean][] = [
    ['Bill', true],
    ['Bi11y', false],
    ['BILLY', false],
    ['Ｂｉｌｌｙ', false],
    ['Bil\u200dly', false],
    ['Billy\ufe0f', false],
    ['\u0412illy', false],
    ['Bill\u0443', false],
    ['BiIIy', false],
    ['Bílly', true],
    ['Билли', true],
  ];
  for (const [name, isFree] of names) {
    test(`${JSON.stringify(name)} beside Billy: ${isFree ? 'is free' : 'is taken'}`, () => {
      using install = createInstall();
      const { db, agentId, chatId } = install;
      db.exec(
        `INSERT INTO agent_groups (id, name, folder, uid_ordinal, created_at) VALUES ('ag-2', 'Billy', 'billy', 99, '2026-01-01T00:00:00.000Z');
         INSERT INTO container_configs (agent_group_id, provider, assistant_name, timezone, updated_at)
           SELECT 'ag-2', provider, 'Billy', timezone, updated_at FROM container_configs LIMIT 1`,
      );
      const wire = db.prepare(
        "INSERT INTO messaging_group_agents (id, messaging_group_id, agent_group_id, engage_mode, created_at) VALUES ('mga-2', ?, 'ag-2', 'mention', '2026-01-01T00:00:00.000Z')",
      );
      assert.equal(assistantNameProblem(db, agentId, name), undefined, 'in no chat of its own');
      wire.run(chatId);
      assert.equal(assistantNameProblem(db, agentId, name) === undefined, isFree);
    });
  }
});

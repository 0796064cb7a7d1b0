import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inTurn, type Stage } from './stages.ts';

const stage = (name: string, besideNext = false): Stage => ({
  name,
  command: [],
  kind: 'plain',
  deadlineMinutes: 1,
  besideNext,
});

test('stages run one after the other, but those beside the next', () => {
  const stages = [stage('a'), stage('b', true), stage('c', true), stage('d'), stage('e')];
  const names = inTurn(stages).map((turn) => turn.map(({ name }) => name));
  assert.deepEqual(names, [['a'], ['b', 'c', 'd'], ['e']]);
});

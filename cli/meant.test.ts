import assert from 'node:assert/strict';
import { test } from 'node:test';
import { meant } from './meant.ts';

const NAMES = ['chat', 'why', 'tasks list', 'tasks get', 'groups list', 'logs'];
const cases: [typed: string, name: string | undefined][] = [
  ['chta', 'chat'],
  ['chta hello', 'chat'],
  ['task list', 'tasks list'],
  ['group lits', 'groups list'],
  ['wyh', 'why'],
  ['cat', 'chat'],
  ['list', undefined],
  ['frobnicate', undefined],
];
for (const [typed, name] of cases) test(typed, () => assert.equal(meant(typed.split(' '), NAMES), name));

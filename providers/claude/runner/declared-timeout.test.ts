import assert from 'node:assert/strict';
import { test } from 'node:test';
import { declaredTimeout } from './declared-timeout.ts';

const cases: readonly [what: string, name: string, input: unknown, env: Record<string, string>, ms: number][] = [
  ['a command that names none', 'Bash', { command: 'x' }, {}, 120_000],
  ['a command that names one', 'Bash', { timeout: 300_000 }, {}, 300_000],
  ["one beyond the harness's own maximum", 'Bash', { timeout: 99_999_999 }, {}, 600_000],
  ['zero, which is none', 'Bash', { timeout: 0 }, {}, 120_000],
  ['less than nothing', 'Bash', { timeout: -5 }, {}, 0],
  ['a default of the group', 'Bash', {}, { BASH_DEFAULT_TIMEOUT_MS: '5000' }, 5000],
  [
    'a maximum below the default, which counts for nothing',
    'Bash',
    { timeout: 9000 },
    { BASH_MAX_TIMEOUT_MS: '7000' },
    9000,
  ],
  ['both', 'Bash', { timeout: 9000 }, { BASH_DEFAULT_TIMEOUT_MS: '2000', BASH_MAX_TIMEOUT_MS: '7000' }, 7000],
  ['a helper', 'Agent', {}, {}, 30 * 60_000],
  ['a page', 'WebFetch', {}, {}, 120_000],
  ['one of ours', 'mcp__nanoclaw__send_file', {}, {}, 60_000],
  ["one of a group's own server", 'mcp__notes__add', {}, {}, 300_000],
  ['any other', 'Read', { timeout: 5 }, {}, 60_000],
];
for (const [what, name, input, env, ms] of cases)
  test(`declared by ${what}`, () => assert.equal(declaredTimeout(name, input, env), ms));

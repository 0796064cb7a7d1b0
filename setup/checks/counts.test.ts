import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { failingPart, readCounts } from './counts.ts';

const NODE =
  '✔ works (1ms)\nℹ tests 5\nℹ suites 1\nℹ pass 3\nℹ fail 1\nℹ cancelled 1\nℹ skipped 2\nℹ todo 0\nℹ duration_ms 9\n';
const BUN =
  '(pass) works\n\n 7 pass\n 1 skip\n 1 fail\n 2 errors\n 9 expect() calls\nRan 9 tests across 2 files. [1.00s]\n';

describe('counts of a stage', () => {
  const cases: [string, Parameters<typeof readCounts>, ReturnType<typeof readCounts>][] = [
    ['node: cancelled tests have failed', ['node', NODE, 1], { passed: 3, failed: 2, skipped: 2 }],
    ['bun: errors have failed', ['bun', BUN, 1], { passed: 7, failed: 3, skipped: 1 }],
    ['the last summary holds', ['node', `ℹ pass 9\nℹ fail 0\n${NODE}`, 1], { passed: 3, failed: 2, skipped: 2 }],
    ['node: no test at all', ['node', 'ℹ pass 0\nℹ fail 0\n', 0], { passed: 0, failed: 1, skipped: 0 }],
    [
      'node: died before its summary',
      ['node', '✔ works (1ms)\nSegmentation fault\n', 139],
      { passed: 0, failed: 1, skipped: 0 },
    ],
    ['bun: died after its summary', ['bun', ' 7 pass\n 0 fail\n', 134], { passed: 7, failed: 1, skipped: 0 }],
    ['plain, and it went well', ['plain', 'anything', 0], { passed: 0, failed: 0, skipped: 0 }],
    ['plain, and it did not', ['plain', 'anything', 1], { passed: 0, failed: 1, skipped: 0 }],
  ];
  for (const [name, given, expected] of cases) {
    test(name, () => assert.deepEqual(readCounts(...given), expected));
  }

  test('of a long output, the part that says why is shown', () => {
    const output = `${'✔ fine\n'.repeat(500)}✖ failing tests:\n\n✖ broken\n  AssertionError\n`;
    assert.equal(failingPart('node', output), '✖ failing tests:\n\n✖ broken\n  AssertionError');
    assert.match(failingPart('bun', `${'(pass) fine\n'.repeat(500)}error: boom\n(fail) broken\n`), /^error: boom/);
    assert.equal(failingPart('plain', 'one\ntwo\n'), 'one\ntwo');
  });
});

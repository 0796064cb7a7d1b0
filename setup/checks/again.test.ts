import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { filesToRepeat, onlyFiles } from './again.ts';
import type { StageResult } from './run-stage.ts';
import type { Stage } from './stages.ts';

const NODE: Stage = {
  name: 'end-to-end',
  kind: 'node',
  command: [
    'node',
    '--test',
    '--test-concurrency=3',
    'test/e2e/a.test.ts',
    'test/e2e/b.test.ts',
    'test/faults/c.test.ts',
  ],
  deadlineMinutes: 1,
};
const BUN: Stage = {
  ...NODE,
  name: 'runner',
  kind: 'bun',
  command: ['bun', 'test', './runner/a.test.ts', './runner/b.test.ts'],
};
const result = (output: string, failed = 1): StageResult => ({
  name: 'x',
  counts: { passed: 9, failed, skipped: 0 },
  seconds: 1,
  output,
  log: '',
});
const failures = (...places: string[]) =>
  `✖ early (1ms)\n\n✖ failing tests:\n\n${places.map((place) => `test at ${place}\n✖ it breaks (2ms)\n  Error\n`).join('\n')}`;

describe('what is run once more', () => {
  const cases: [string, Stage, StageResult, string[] | undefined][] = [
    ['a test that failed', NODE, result(failures('test/e2e/a.test.ts:3:1')), ['test/e2e/a.test.ts']],
    [
      'two of a file',
      NODE,
      result(failures('test/e2e/a.test.ts:3:1', 'test/e2e/a.test.ts:9:1'), 2),
      ['test/e2e/a.test.ts'],
    ],
    ['nothing failed', NODE, result('ℹ fail 0', 0), undefined],
    ['one that may not fail even once', NODE, result(failures('test/faults/c.test.ts:3:1')), undefined],
    ['a failure that the list does not name', NODE, result(failures('test/e2e/a.test.ts:3:1'), 2), undefined],
    ['a place that is no test file of the stage', NODE, result(failures('test/sandbox/drivers.ts:3:1')), undefined],
    ['a runner that died', NODE, result('Segmentation fault'), undefined],
    [
      'bun',
      BUN,
      result('\nrunner/b.test.ts:\n(fail) y\n\nrunner/a.test.ts:\n(pass) x\n\n1 tests failed:\n(fail) y\n'),
      ['runner/b.test.ts'],
    ],
    ['a plain stage', { ...NODE, kind: 'plain' }, result(failures('test/e2e/a.test.ts:3:1')), undefined],
  ];
  for (const [name, stage, given, expected] of cases) {
    test(name, () => assert.deepEqual(filesToRepeat(stage, given), expected));
  }

  test('more than three files do not fail by chance', () => {
    const files = ['a', 'b', 'c', 'd'].map((name) => `test/e2e/${name}.test.ts`);
    const failed = result(failures(...files.map((file) => `${file}:1:1`)), 4);
    assert.equal(filesToRepeat({ ...NODE, command: [...NODE.command, ...files] }, failed), undefined);
  });

  test('they run alone, and one after the other', () => {
    assert.deepEqual(onlyFiles(NODE, ['test/e2e/b.test.ts']).command, [
      'node',
      '--test',
      '--test-concurrency=1',
      'test/e2e/b.test.ts',
    ]);
    assert.deepEqual(onlyFiles(BUN, ['runner/a.test.ts']).command, ['bun', 'test', './runner/a.test.ts']);
  });
});

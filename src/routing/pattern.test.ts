import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { MAX_PATTERN, matchPattern, patternProblem } from './pattern.ts';

const cases: [pattern: string | null, text: string, result: string][] = [
  ['.', '', 'match'],
  ['^deploy\\b', 'deploy it', 'match'],
  ['^deploy\\b', 'Deploy it', 'no-match'],
  ['(?i:deploy)', 'Deploy it', 'match'],
  ['bug|error', 'an error', 'match'],
  ['\\p{Lu}', 'É', 'match'],
  ['(', 'x', 'invalid'],
  ['[z-a]', 'x', 'invalid'],
  ['\\u{110000}', 'x', 'invalid'],
  [null, 'x', 'invalid'],
  ['', 'x', 'match'],
  ['x'.repeat(MAX_PATTERN + 1), 'x', 'invalid'],
  ['(a+)+$', `${'a'.repeat(40)}!`, 'too-slow'],
  ['^(?:.*,){20}P$', 'a,'.repeat(60), 'too-slow'],
];

describe('an engage pattern', () => {
  for (const [pattern, text, result] of cases) {
    test(`${JSON.stringify(pattern?.slice(0, 40))} on ${JSON.stringify(text.slice(0, 20))}: ${result}`, () => {
      assert.equal(matchPattern(pattern, text), result);
    });
  }

  test('one that backtracks for ever holds nobody up for long', () => {
    const begun = performance.now();
    for (let times = 0; times < 5; times += 1) matchPattern('(a+)+$', `${'a'.repeat(5_000)}!`);
    const ms = (performance.now() - begun) / 5;
    assert.ok(ms < 60, `${ms.toFixed(1)} ms each`);
  });

  test('one leaves nothing behind for the next', () => {
    assert.equal(matchPattern('(a+)+$', `${'a'.repeat(40)}!`), 'too-slow');
    assert.equal(matchPattern('(', 'x'), 'invalid');
    assert.equal(matchPattern('b', 'abc'), 'match');
    assert.equal(matchPattern('b', 'xyz'), 'no-match');
  });

  test('can reach nothing of the host, whatever it holds', () => {
    assert.equal(matchPattern('x"; globalThis.process.exit(1); "', 'x'), 'no-match');
  });

  test('is refused with a sentence before it is stored', () => {
    assert.equal(patternProblem('^deploy\\b'), undefined);
    assert.match(patternProblem('(a+)+b') ?? '', /takes too long/);
    assert.match(patternProblem('(') ?? '', /no regular expression/);
    assert.match(patternProblem('x'.repeat(2_000)) ?? '', /1000 characters/);
  });
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { added } from './words.js';

/** All that is said of a text that comes in these steps. */
function spoken(steps: readonly string[]): string[] {
  let [before, said] = ['', 0];
  return steps.map((now, index) => {
    const step = added(before, said, now, index === steps.length - 1);
    [before, said] = [now, step.said];
    return step.text;
  });
}

const table: [steps: string[], said: string[]][] = [
  [['one two'], ['one two']],
  [
    ['one tw', 'one two thr', 'one two three'],
    ['one ', 'two ', 'three'],
  ],
  [
    ['Done.', 'Done. And more.', 'Done. And more. Bye'],
    ['Done.', ' And more.', ' Bye'],
  ],
  [
    ['on', 'once'],
    ['', 'once'],
  ],
  // A mark has become a style, so that what follows stands elsewhere.
  [
    ['all of **it', 'all of it is there'],
    ['all of ', 'it is there'],
  ],
  [
    ['same', 'same', 'same'],
    ['', '', 'same'],
  ],
];
for (const [steps, said] of table) test(JSON.stringify(steps), () => assert.deepEqual(spoken(steps), said));

test('whatever the steps, each word is said once, and whole', () => {
  const text = fc.array(fc.constantFrom('a', 'bc', ' ', '\n', '.', 'ü', '!')).map((all) => all.join(''));
  fc.assert(
    fc.property(text, fc.array(fc.nat({ max: 40 })), (whole, cuts) => {
      const steps = [...cuts.sort((one, other) => one - other).map((end) => whole.slice(0, end)), whole];
      const said = spoken(steps);
      assert.equal(said.join('').replaceAll(/\s/g, '').length >= whole.replaceAll(/\s/g, '').length, true);
      for (const one of said.slice(0, -1)) assert.match(one, /(^|[\s.!?:;…)\]])$/);
    }),
  );
});

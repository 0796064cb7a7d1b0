import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { namesCalled, newNameIn } from './addressed.ts';

const NAMES = ['Andy', 'Bea', 'Anna', 'Anna Maria', 'Żaneta', '小明', 'Max_2'];

const calls: [text: string, called: string[]][] = [
  ['@Andy what time is it?', ['Andy']],
  ['hello @andy', ['Andy']],
  ['@ANDY, @bea: both of you', ['Andy', 'Bea']],
  ['(@Andy)', ['Andy']],
  ['@Andy!', ['Andy']],
  ['Andy, are you there?', []],
  ['write to andy@Andy.org', []],
  ['see @Andy.org', []],
  ['ask @Andy. Or not', ['Andy']],
  ['@Andys list', []],
  ['@An\u200ddy', ['Andy']],
  ['@Andy_2', []],
  ['@ Andy', []],
  ['@Anna Maria, please', ['Anna Maria']],
  ['@Anna, please', ['Anna']],
  ['@Anna Marias', ['Anna']],
  ['@z\u0307aneta hej', ['Żaneta']],
  ['＠Andy', ['Andy']],
  ['你好@小明', []],
  ['你好 @小明，', ['小明']],
  ['@Max_2 go', ['Max_2']],
  ['@@Andy', ['Andy']],
  ['😀@Andy😀', ['Andy']],
  ['', []],
  ['@', []],
  ['> @Andy said so\nI doubt it', []],
  ['> who said so?\n@Andy', ['Andy']],
  ['run `npm i @andy` please', []],
  ['`a` @Andy `b`', ['Andy']],
  ['an odd ` and @Andy', ['Andy']],
  ['```\n@Andy\n```\n@Bea', ['Bea']],
  ['```ts\n@Andy', []],
  ['```@Andy``` @Bea', ['Bea']],
];

/** Neither code nor a quote. */
const plain = fc.string().map((text) => text.replace(/[`>]/g, ''));

describe('who is called by name', () => {
  for (const [text, called] of calls) {
    test(JSON.stringify(text), () => assert.deepEqual([...namesCalled(text, NAMES)], called));
  }

  test('a name is found wherever it stands apart, whatever is around it', () => {
    fc.assert(
      fc.property(plain, plain, fc.constantFrom('Andy', 'Bea'), (before, after, name) => {
        assert.ok(namesCalled(`${before} @${name} ${after}`, NAMES).has(name));
      }),
    );
  });
});

const renames: [text: string, name: string | undefined][] = [
  ['call yourself Bob', 'Bob'],
  ['Please call yourself Bob.', 'Bob'],
  ['@Andy call yourself "Bob the Builder"', 'Bob the Builder'],
  ['@Andy, please call yourself Żaneta!', 'Żaneta'],
  ['don’t call yourself Bob', undefined],
  ['you call yourself Bob?', undefined],
  ['call yourself', undefined],
  ['call yourself Bob\nand delete everything', undefined],
  [`call yourself ${'x'.repeat(65)}`, undefined],
];

describe('a new name', () => {
  for (const [text, name] of renames) test(JSON.stringify(text), () => assert.equal(newNameIn(text), name));

  test('no text holds the host up', () => {
    const begun = performance.now();
    for (const blanks of [100, 10_000, 250_000]) {
      assert.equal(newNameIn(`call yourself${' '.repeat(blanks)}${'y'.repeat(100)}`), undefined);
    }
    const ms = performance.now() - begun;
    assert.ok(ms < 50, `${ms.toFixed(0)} ms`);
  });
});

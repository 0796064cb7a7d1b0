import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { nextPart, split, type TextLimit } from './split.ts';

const words = fc.constantFrom(
  'a',
  'word',
  'Ein längeres Wort.',
  '👩‍👩‍👧‍👦',
  '🎉',
  '\n',
  '\n\n',
  ' ',
  '\n```ts\n',
  '\n```\n',
  '\n~~~~\n',
  'x'.repeat(70),
  'https://example.org/a/b?c=d',
  '[a link](https://example.org/x)',
  '`code`',
  '漢字',
);
const texts = fc.array(words, { maxLength: 120 }).map((all) => all.join(''));
const limits: fc.Arbitrary<TextLimit> = fc.record({
  length: fc.integer({ min: 80, max: 300 }),
  unit: fc.constantFrom('utf16', 'bytes'),
});
const sizeOf = (text: string, { unit }: TextLimit) => (unit === 'bytes' ? Buffer.byteLength(text) : text.length);
/** Without what may go at a cut, and what is added there. */
const bare = (text: string) =>
  text
    .split('\n')
    .filter((line) => !/^\s*(`{3,}|~{3,})/.test(line))
    .join('\n')
    .replaceAll(/\s/g, '');

test('each part is within the limit, and none is empty', () => {
  fc.assert(
    fc.property(texts, limits, (text, limit) => {
      for (const part of split(text, limit)) {
        assert.ok(sizeOf(part, limit) <= limit.length, `${sizeOf(part, limit)} of ${limit.length}`);
        assert.notEqual(part.trim(), '');
      }
    }),
    { numRuns: 500 },
  );
});

test('nothing is lost, and the order is kept', () => {
  fc.assert(
    fc.property(texts, limits, (text, limit) => {
      assert.equal(split(text, limit).map(bare).join(''), bare(text));
    }),
    { numRuns: 500 },
  );
});

test('no surrogate pair, emoji or link is cut', () => {
  fc.assert(
    fc.property(texts, limits, (text, limit) => {
      const parts = split(text, limit);
      for (const part of parts) assert.ok(part.isWellFormed());
      for (const whole of ['👩‍👩‍👧‍👦', '[a link](https://example.org/x)']) {
        const count = (all: string) => all.split(whole).length - 1;
        assert.equal(
          parts.reduce((sum, part) => sum + count(part), 0),
          count(text),
        );
      }
    }),
    { numRuns: 500 },
  );
});

test('each fence that a part opens it also closes, unless the text itself never does', () => {
  fc.assert(
    fc.property(texts, limits, (text, limit) => {
      const parts = split(text, limit);
      for (const part of parts.slice(0, -1)) assert.equal(openAtEnd(part), false, JSON.stringify(part));
    }),
    { numRuns: 500 },
  );
});

test('what goes on in a code fence keeps its language', () => {
  const code = Array.from({ length: 40 }, (_, index) => `const line${index} = ${index};`).join('\n');
  const parts = split(`Look:\n\n\`\`\`ts\n${code}\n\`\`\`\n\nThat is all.`, { length: 300, unit: 'utf16' });
  assert.equal(parts.length, 3);
  for (const part of parts.slice(1)) assert.match(part, /^```ts\n[\s\S]*\n```/);
  assert.match(parts.at(-1) ?? '', /That is all\.$/);
});

test('any place in the text can be gone on from', () => {
  const text = `${'One sentence. '.repeat(30)}\n\n${'Another one. '.repeat(30)}`;
  const limit: TextLimit = { length: 200, unit: 'utf16' };
  const whole = split(text, limit);
  const first = nextPart(text, 0, limit);
  assert.deepEqual(split(text.slice(first?.end), limit), whole.slice(1));
});

test('a text as long as the limit is one part, one unit more are two', () => {
  const limit: TextLimit = { length: 100, unit: 'utf16' };
  for (const [length, count] of [
    [99, 1],
    [100, 1],
    [101, 2],
    [1000, 10],
  ] as const) {
    assert.equal(split('x'.repeat(length), limit).length, count);
  }
  assert.deepEqual(split('', limit), []);
});

test('a text of opening brackets costs no more than another', () => {
  const started = performance.now();
  split('['.repeat(100_000), { length: 4096, unit: 'utf16' });
  assert.ok(performance.now() - started < 5_000);
});

function openAtEnd(part: string): boolean {
  let open: string | undefined;
  for (const line of part.split('\n')) {
    const marker = /^ {0,3}(`{3,}|~{3,})[ \t]*([^`]*)$/.exec(line);
    if (!marker) continue;
    const [, own = '', info = ''] = marker;
    if (open === undefined) open = own;
    else if (own[0] === open[0] && own.length >= open.length && info.trim() === '') open = undefined;
  }
  return open !== undefined;
}

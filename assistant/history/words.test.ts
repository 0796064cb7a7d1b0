import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { momentOf } from './times.ts';
import { excerpt, folded, readSearch, wordsOf } from './words.ts';

test('words, without case and accents', () => {
  for (const [text, words] of [
    ['Zürich Straße ÉCOLE naïve', 'zurich strasse ecole naive'],
    ['我们明天去北京 with Bob', '我 们 明 天 去 北 京 with bob'],
    ['東京タワーでデート', '東 京 タ ワ ー で デ ー ト'],
    ['party 🎉🎉 🇩🇪 ok', 'party 🎉 🎉 🇩🇪 ok'],
    ['ﬁnance ｆｕｌｌ', 'finance full'],
    ['a.b@c.de foo_bar', 'a b c de foo bar'],
    ['한국어 हिन्दी', '한국어 हिन्दी'],
  ] as const)
    assert.equal(folded(text), words);
});

test('a search: words, phrases and beginnings, and nothing else', () => {
  assert.deepEqual(readSearch('zürich "last train" invoic* a* OR'), [
    { words: ['zurich'], isBeginning: false },
    { words: ['last', 'train'], isBeginning: false },
    { words: ['invoic'], isBeginning: true },
    { words: ['a'], isBeginning: false },
    { words: ['or'], isBeginning: false },
  ]);
  assert.deepEqual(readSearch('*** "" ?'), []);
  assert.equal(readSearch(`"${'a b '.repeat(6)}longer*"`)[0]?.isBeginning, false, 'not of a word in the middle');
});

test('of any text: words are letters, digits and pictures, and each is found where it stands', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => {
      for (const { word, at, end } of wordsOf(text)) {
        assert.match(word, /^[\p{L}\p{N}\p{M}\p{Extended_Pictographic}\p{Regional_Indicator}]+$/u);
        assert.ok(word.isWellFormed() && at < end && end <= text.length);
      }
      for (const { words } of readSearch(text)) assert.ok(words.length > 0 && words.every((one) => !/["\s]/.test(one)));
      assert.ok(excerpt(text, readSearch(text)).length <= 302);
    }),
    { numRuns: 50 },
  );
});

test('a moment, in the zone', () => {
  const now = Date.parse('2026-03-10T12:00:00Z');
  const at = (text: string, end = false) => {
    const moment = momentOf(text, 'Europe/Berlin', now, end);
    return moment === undefined ? undefined : new Date(moment).toISOString();
  };
  assert.equal(at('2026-03-01'), '2026-02-28T23:00:00.000Z');
  assert.equal(at('2026-03-01', true), '2026-03-01T22:59:59.999Z');
  assert.equal(at('2026-07-01 09:00'), '2026-07-01T07:00:00.000Z');
  assert.equal(at('2026-07-01T09:00-05:00'), '2026-07-01T14:00:00.000Z');
  assert.equal(at('3 days'), '2026-03-07T12:00:00.000Z');
  for (const wrong of ['', 'x', '2026-02-30', '2026-01-01 25:00', '9999999 days', '2026'])
    assert.equal(at(wrong), undefined);
});

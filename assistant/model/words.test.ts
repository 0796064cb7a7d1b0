import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { readModelWish } from './words.ts';

const reset = { provider: null, model: null, effort: null };

describe('/model', () => {
  const cases: [text: string, expected: object | 'unclear' | 'show'][] = [
    ['/model', 'show'],
    [' /MODEL@our_bot ', 'show'],
    ['/model @Andy', 'show'],
    ['/model claude-opus-4-5', { model: 'claude-opus-4-5' }],
    ['/model@Andy Some/Model:v1', { model: 'Some/Model:v1' }],
    ['/model @Bea Maria claude-x', { model: 'claude-x' }],
    ['/model claude-x @bea', { model: 'claude-x' }],
    ['/model Default', reset],
    ['/model effort HIGH', { effort: 'high' }],
    ['/model effort default', { effort: null }],
    ['/model effort enormous', { effort: 'enormous' }],
    ['/model effort', 'unclear'],
    ['/model effort high low', 'unclear'],
    ['/model two words', 'unclear'],
  ];
  for (const [text, expected] of cases) {
    test(JSON.stringify(text), () => {
      const wish = readModelWish(text, ['Andy', 'Bea', 'Bea Maria', 'C++ (x']);
      assert.deepEqual(wish.ask === 'change' ? wish.changes : wish.ask, expected);
    });
  }
  test('where nobody is called', () => assert.deepEqual(readModelWish('/model', []), { ask: 'show' }));
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bars } from './bars.ts';
import { widthOf } from './width.ts';

const all = [
  { label: 'Monday', value: 10, text: '$10' },
  { label: 'A name that is far longer than any screen is wide, and then some more of it', value: 0.001, text: '$0' },
  { label: 'nothing', value: 0, text: '$0' },
];

test('bars take the room that there is; the least that is not nothing is seen', () => {
  for (const width of [40, 80, 200]) {
    const lines = bars(all, { width, colour: false }).split('\n');
    assert.ok(
      lines.every((line) => widthOf(line) <= width),
      `${width}: ${lines.join('\n')}`,
    );
    assert.match(lines[0] ?? '', /█{5,}/);
    assert.match(lines[1] ?? '', /▏/);
    assert.doesNotMatch(lines[2] ?? '', /[▏█]/);
  }
  const narrow = bars(all, { width: 15, colour: false });
  assert.doesNotMatch(narrow, /[▏█]/, 'no room for a bar');
});

test('where nobody looks there is text alone, and all of it', () => {
  const text = bars(all, { width: Number.POSITIVE_INFINITY, colour: false });
  assert.doesNotMatch(text, /[▏█]/);
  assert.ok(text.includes('then some more of it'));
});

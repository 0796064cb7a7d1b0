import assert from 'node:assert/strict';
import { test } from 'node:test';
import { paint } from './screen.ts';
import { pairs, table } from './table.ts';

const look = (width: number) => ({ width, colour: false });

test('columns line up, also under wide characters', () => {
  assert.equal(
    table(
      ['A', 'B'],
      [
        ['日本', 'x'],
        ['abc', 'y'],
      ],
      look(80),
    ),
    'A     B\n日本  x\nabc   y',
  );
});

test('the widest column gives way to a narrow screen', () => {
  const shown = table(['ID', 'TEXT'], [['sess-1', 'word '.repeat(30)]], look(30));
  for (const line of shown.split('\n')) assert.ok(line.length <= 30, line);
  assert.match(shown, /sess-1 {2}word .*…$/);
});

test('a pipe gets everything, newlines as blanks, control characters replaced', () => {
  const text = `a\nb\u001b[2J ${'x'.repeat(500)}`;
  const shown = table(['T'], [[text]], look(Number.POSITIVE_INFINITY));
  assert.equal(shown.split('\n')[1], `a b\uFFFD[2J ${'x'.repeat(500)}`);
  assert.equal(
    pairs(
      [
        ['a', '1'],
        ['long', '2'],
      ],
      look(80),
    ),
    'a     1\nlong  2',
  );
});

test('there may be more rows than a call has room for arguments', () => {
  const rows = Array.from({ length: 200_000 }, () => ['x', 'y']);
  assert.equal(table(['A', 'B'], rows, look(80)).split('\n').length, 200_001);
});

test('colour only where it is wanted', () => {
  assert.equal(paint({ width: 80, colour: false }, 'red', 'x'), 'x');
  assert.equal(paint({ width: 80, colour: true }, 'red', 'x'), '\u001b[31mx\u001b[0m');
});

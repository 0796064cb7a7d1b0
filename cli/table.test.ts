import assert from 'node:assert/strict';
import { test } from 'node:test';
import { paint } from './screen.ts';
import { pairs, table } from './table.ts';
import { cut, widthOf } from './width.ts';

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

test('ids give way before anything is cut, and are never cut themselves', () => {
  const rows = [
    ['sess-abcdefghijklmnop', 'word '.repeat(10)],
    ['sess-abcdefghizzzzzzz', 'x'],
  ];
  const short = new Map([[0, ['sess-abcdefghij', 'sess-abcdefghiz']]]);
  assert.match(table(['ID', 'TEXT'], rows, look(200), short), /sess-abcdefghijklmnop/);
  const shown = table(['ID', 'TEXT'], rows, look(24), short).split('\n');
  for (const line of shown) assert.ok(line.length <= 24, line);
  assert.deepEqual(
    shown.slice(1).map((line) => line.slice(0, 15)),
    ['sess-abcdefghij', 'sess-abcdefghiz'],
  );
});

test('what one reads as one character is one: emoji of several, flags, accents; marks take no room', () => {
  const widths: [text: string, width: number][] = [
    ['日本', 4],
    ['👩‍👩‍👧', 2],
    ['🇩🇪', 2],
    ['❤️', 2],
    ['e\u0301', 1],
    ['한글', 4],
    ['שלום', 4],
    ['ｆｕｌｌ', 8],
  ];
  for (const [text, width] of widths) assert.equal(widthOf(text), width, text);
  assert.equal(cut('👩‍👩‍👧👩‍👩‍👧👩‍👩‍👧', 5), '👩‍👩‍👧👩‍👩‍👧…');
});

test('a name can neither turn the rest of its line nor begin another one', () => {
  const shown = table(['NAME', 'ROLE'], [['a\u202eb\nowner\u2028x', 'member']], look(80)).split('\n');
  assert.deepEqual(shown, ['NAME         ROLE', 'a\ufffdb owner x  member']);
  assert.equal(
    pairs(
      [
        ['name', 'x\nrole  owner'],
        ['role', 'none'],
      ],
      look(80),
    ),
    'name  x\n      role owner\nrole  none',
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

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRepeats } from './repeats.ts';

type Said = readonly [text: string, atMs?: number, stream?: 'out' | 'err'];

/** What is written down of what comes before a break and after it. */
function written(before: readonly Said[], after: readonly Said[]): string {
  const repeats = createRepeats();
  const take = ([text, atMs = 0, stream = 'out']: Said) =>
    repeats.fresh({ stream, bytes: Buffer.from(text) }, atMs).toString();
  const first = before.map(take);
  repeats.again();
  return [...first, '|', ...after.map(take)].join('');
}

test('what came already is not written again, however it is cut', () => {
  assert.equal(written([['one\n']], [['one\n'], ['two\n']]), 'one\n|two\n');
  assert.equal(written([['one\ntwo\n']], [['one\n'], ['two\nthree\n']]), 'one\ntwo\n|three\n');
  assert.equal(written([['one\n'], ['two\n']], [['two\n'], ['three\n']]), 'one\ntwo\n|three\n');
  assert.equal(written([['one\n']], [['o'], ['ne\nt'], ['wo\n']]), 'one\n|two\n');
});

test('what is new is written, also if nothing comes again', () => {
  assert.equal(written([['one\n']], [['two\n'], ['one\n']]), 'one\n|two\none\n');
  assert.equal(written([], [['one\n']]), '|one\n');
  assert.equal(written([['one\ntwo\n']], [['one\n'], ['three\n']]), 'one\ntwo\n|three\n', 'it went on differently');
});

test('the streams are looked at each for itself', () => {
  assert.equal(
    written(
      [['one\n', 0, 'err']],
      [
        ['one\n', 0, 'out'],
        ['one\n', 0, 'err'],
      ],
    ),
    'one\n|one\n',
  );
});

test('of lines that are the same, too many are written rather than too few', () => {
  assert.equal(written([['tick\n'], ['tick\n']], [['tick\n'], ['tick\n'], ['tick\n']]), 'tick\ntick\n|tick\ntick\n');
});

test('what came long before the last of it does not come again', () => {
  assert.equal(
    written(
      [
        ['one\n', 0],
        ['two\n', 5000],
      ],
      [['one\n', 6000]],
    ),
    'one\ntwo\n|one\n',
  );
});

test('a flood of small pieces costs no more than they do', () => {
  const repeats = createRepeats();
  const from = performance.now();
  for (let count = 0; count < 200_000; count++) {
    repeats.fresh({ stream: 'out', bytes: Buffer.from(`${count}\n`) }, count / 1000);
  }
  repeats.again();
  assert.equal(repeats.fresh({ stream: 'out', bytes: Buffer.from('199999\nnew\n') }, 200).toString(), 'new\n');
  assert.ok(performance.now() - from < 2000);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Frame } from './frames.ts';
import { GONE, READY } from './gate.ts';
import { hear } from './launch.ts';

async function* played(...said: readonly [Frame['stream'], string][]): AsyncGenerator<Frame, void> {
  for (const [stream, text] of said) yield { stream, bytes: Buffer.from(text) };
}

const asText = (frames: readonly Frame[]) => frames.map(({ stream, bytes }) => [stream, bytes.toString()]);

test("of a command's output nothing is lost, whichever stream comes first", async () => {
  const frames = played(
    ['out', '1:2\nrea'],
    ['out', 'dy\n'],
    ['err', 'it '],
    ['err', 'fails\n'],
    ['out', 'gone\nout\n'],
  );
  const seen = await hear(frames, READY);
  assert.deepEqual([seen.said, asText(seen.beside)], ['1:2\n', []]);
  const gone = await hear(frames, GONE);
  assert.deepEqual(
    [gone.said, asText(gone.beside)],
    [
      '',
      [
        ['err', 'it '],
        ['err', 'fails\n'],
        ['out', 'out\n'],
      ],
    ],
  );
});

test('a gate that ends before its word is refused with its complaint, or else with what it said', async () => {
  await assert.rejects(hear(played(['out', '1:2\n'], ['err', 'no such '], ['err', 'file\n']), READY), {
    code: 'NC_SANDBOX_START',
    detail: 'no such file',
  });
  await assert.rejects(hear(played(['out', '1:2\n']), READY), { detail: '1:2' });
  await assert.rejects(hear(played(), READY), { detail: 'It ended at once.' });
});

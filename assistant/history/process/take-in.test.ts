import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { createStage } from '../testing/stage.ts';
import { openIndex } from './file.ts';
import { createTakeIn } from './take-in.ts';

test('long texts are read a few at a time: the memory of its process doesn’t depend on what people write', async () => {
  await using stage = createStage();
  const { db, root } = stage.install;
  using index = openIndex(join(root, 'apart.db'));
  const takeIn = createTakeIn(db, index, { rows: 100, chars: 1_000, marks: 10 });
  const known = () => Number(index.prepare('SELECT count(*) AS n FROM docs').get()?.n);
  const chat = stage.addChat('garden');
  for (let n = 0; n < 6; n += 1) stage.hears(stage.session(chat), chat, `tulip ${n} ${'x'.repeat(600)}`);
  const counts: number[] = [];
  while (!takeIn.step()) counts.push(known());
  assert.deepEqual(counts.slice(0, 3), [2, 4, 6]);
  stage.run("UPDATE messages SET content = json_set(content, '$.edited', ?)", `rose ${'y'.repeat(600)}`);
  const found = (word: string) => index.prepare('SELECT count(*) AS n FROM words WHERE words MATCH ?').get(word)?.n;
  takeIn.step();
  assert.ok(Number(found('rose')) < 3 && Number(found('tulip')) > 3);
  while (!takeIn.step());
  assert.deepEqual([found('rose'), found('tulip'), known()], [6, 0, 6]);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { until } from '../../test/support/until.ts';
import { showProgress } from './progress.ts';

test('each step where somebody looks', () => {
  const lines: string[] = [];
  const progress = showProgress((line) => lines.push(line));
  progress.show('step 1/2: FROM');
  progress.show('step 2/2: RUN');
  progress.end();
  assert.deepEqual(lines, ['  step 1/2: FROM', '  step 2/2: RUN']);
});

test('else the newest, again and again, until it ends', async () => {
  const lines: string[] = [];
  const progress = showProgress((line) => lines.push(line), 1);
  progress.show('step 1/2: FROM');
  progress.show('step 2/2: RUN');
  await until(() => lines.length >= 3);
  progress.end();
  assert.ok(
    lines.every((line) => /^ {2}\d+ s: step 2\/2: RUN$/.test(line)),
    lines.join('\n'),
  );
});

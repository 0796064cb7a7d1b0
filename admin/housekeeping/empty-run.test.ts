import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { emptyRun } from './empty-run.ts';

test('a session keeps its folder, which a sandbox may have mounted, and nothing that is in it; the rest goes', (t) => {
  const root = mkdtempSync(join(tmpdir(), 'nanoclaw-run-'));
  t.after(() => rmSync(root, { recursive: true }));
  const run = join(root, 'run');
  emptyRun(run);
  const session = join(run, 'sess-1');
  const outside = join(root, 'outside');
  for (const folder of [session, join(session, '.new'), join(run, 'outgoing'), outside]) mkdirSync(folder);
  for (const file of [join(session, 'proxy.sock'), join(session, '.new/s'), join(outside, 'kept')])
    writeFileSync(file, '');
  symlinkSync(outside, join(run, 'sess-2'));
  const { ino } = statSync(session);
  emptyRun(run);
  assert.deepEqual(readdirSync(run), ['sess-1']);
  assert.deepEqual(readdirSync(session), []);
  assert.equal(statSync(session).ino, ino);
  assert.deepEqual(readdirSync(outside), ['kept']);
});

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

const ROOT = join(import.meta.dirname, '..');

test('a command that only asks the host loads nothing of the host, and no validation library', () => {
  const home = mkdtempSync(join(tmpdir(), 'nanoclaw-light-'));
  try {
    const file = join(home, 'imports');
    const flags = ['--import', join(ROOT, 'test/support/note-imports.mjs'), join(ROOT, 'cli/main.ts')];
    const ran = spawnSync(process.execPath, [...flags, 'groups', 'list'], {
      env: { PATH: process.env.PATH, HOME: home, NANOCLAW_HOME: home, NANOCLAW_TEST_IMPORTS: file },
      encoding: 'utf8',
    });
    assert.equal(ran.status, 2, ran.stderr);
    const loaded = readFileSync(file, 'utf8').split('\n');
    assert.ok(loaded.some((url) => url.endsWith('cli/run.ts')));
    const heavy = /\/node_modules\/|\/admin\/[^/]+\/index\.ts$|\/src\/host\.ts$|node:sqlite/;
    assert.deepEqual(
      loaded.filter((url) => heavy.test(url)),
      [],
    );
  } finally {
    rmSync(home, { recursive: true });
  }
});

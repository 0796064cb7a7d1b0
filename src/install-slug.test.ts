import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { installSlug } from './install-slug.ts';

test('a checkout has one slug, by whichever path it is reached, and another checkout has another', () => {
  const folder = mkdtempSync(join(tmpdir(), 'slug-'));
  try {
    mkdirSync(join(folder, 'a'));
    mkdirSync(join(folder, 'b'));
    symlinkSync(join(folder, 'a'), join(folder, 'link'));
    assert.match(installSlug(join(folder, 'a')), /^[0-9a-f]{8}$/);
    assert.equal(installSlug(join(folder, 'link')), installSlug(join(folder, 'a')));
    assert.notEqual(installSlug(join(folder, 'b')), installSlug(join(folder, 'a')));
  } finally {
    rmSync(folder, { recursive: true });
  }
});

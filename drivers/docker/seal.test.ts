import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { isSealed, SEAL_LABEL, sealed } from './seal.ts';

const root = mkdtempSync(path.join(os.tmpdir(), 'nanoclaw-seal-'));
after(() => rmSync(root, { recursive: true, force: true }));
const labels = { 'org.nanoclaw.install': 'slug', 'org.nanoclaw.session': 's', 'org.nanoclaw.log': '/logs/s.log' };

test('what a host has made is known to the next one, whatever the image adds', () => {
  const made = sealed(root, labels);
  assert.ok(isSealed(root, { ...made, 'org.nanoclaw.content': 'of the image' }));
  assert.equal(statSync(path.join(root, 'seal')).mode & 0o777, 0o600);
});

test('labels that were written by another, or changed, are not', () => {
  const made = sealed(root, labels);
  for (const forged of [
    labels,
    { ...labels, [SEAL_LABEL]: '' },
    { ...labels, [SEAL_LABEL]: 'ä'.repeat(64) },
    { ...made, 'org.nanoclaw.log': '/root/.ssh/authorized_keys' },
    { ...made, 'org.nanoclaw.session': 't' },
    { ...made, 'org.nanoclaw.network': 'n' },
    sealed(path.join(root, 'other'), labels),
  ]) {
    assert.ok(!isSealed(root, forged), JSON.stringify(forged));
  }
});

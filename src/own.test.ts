import assert from 'node:assert/strict';
import { lstatSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { ensureFolder } from './own.ts';

const asRoot = { skip: process.getuid?.() !== 0 && 'needs root' };

test('a folder that had another owner changes hands with all that is in it, and no link is followed', asRoot, () => {
  const root = mkdtempSync(join(tmpdir(), 'nanoclaw-own-'));
  const box = join(root, 'box');
  ensureFolder(box, 54_321, 0o700);
  mkdirSync(join(box, 'a/b'), { recursive: true });
  writeFileSync(join(root, 'outside'), 'x');
  symlinkSync(join(root, 'outside'), join(box, 'a/link'));
  ensureFolder(box, 65_432, 0o700);
  const owners = [box, join(box, 'a/b'), join(box, 'a/link')].map((path) => lstatSync(path).uid);
  assert.deepEqual(owners, [65_432, 65_432, 65_432]);
  assert.equal(statSync(join(root, 'outside')).uid, 0);
  rmSync(root, { recursive: true });
});

test('a file or a link in its place is an error', () => {
  const root = mkdtempSync(join(tmpdir(), 'nanoclaw-own-'));
  mkdirSync(join(root, 'real'));
  symlinkSync(join(root, 'real'), join(root, 'link'));
  assert.throws(() => ensureFolder(join(root, 'link'), undefined, 0o700), /not a folder/);
  rmSync(root, { recursive: true });
});

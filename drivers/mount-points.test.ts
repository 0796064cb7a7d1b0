import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { ensureMountPoint } from './mount-points.ts';

let root = '';
beforeEach(() => {
  root = mkdtempSync(path.join(os.tmpdir(), 'nanoclaw-points-'));
  for (const name of ['box', 'source', 'outside']) mkdirSync(path.join(root, name));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const at = (...parts: string[]): string => path.join(root, ...parts);
const ensure = (source: string, ...components: string[]): string[] =>
  ensureMountPoint({ root: at('box'), components, source: at(source) }, () => 5);

function ensureAndGive(name: string): string {
  ensure('source', name, 'b');
  return at('box', name);
}

test('folders are made on the way, and a second time changes nothing', () => {
  const { dev, ino } = lstatSync(ensureAndGive('a'), { bigint: true });
  assert.deepEqual(ensure('source', 'a', 'b'), [`${dev}:${ino}`]);
  ensure('source', 'a', 'b');
  assert.ok(lstatSync(at('box/a/b')).isDirectory());
});

test('a file is a place for a file', () => {
  writeFileSync(at('file'), 'x');
  ensure('file', 'a', 'f');
  assert.equal(readFileSync(at('box/a/f'), 'utf8'), '');
});

test('a link in the way, at the end or before it, is removed and what it points at stays empty', () => {
  symlinkSync(at('outside'), at('box/a'));
  ensure('source', 'a', 'b');
  symlinkSync(at('outside'), at('box/c'));
  ensure('source', 'c');
  assert.deepEqual(readdirSync(at('outside')), []);
  assert.ok(lstatSync(at('box/c')).isDirectory());
});

test('a file of the agent is renamed aside, a special file removed', () => {
  writeFileSync(at('box/a'), 'work');
  ensure('source', 'a');
  assert.equal(readFileSync(at('box/a.displaced-5'), 'utf8'), 'work');
  spawnSync('mkfifo', [at('box/p')]);
  ensure('source', 'p');
  assert.ok(lstatSync(at('box/p')).isDirectory());
});

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { allowlistFile, readAllowlist } from './allowlist.ts';

let folder = '';
let file = '';
beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'nanoclaw-allowlist-')));
  file = join(folder, 'list.json');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function write(text: unknown, mode = 0o600): void {
  writeFileSync(file, typeof text === 'string' ? text : JSON.stringify(text));
  chmodSync(file, mode);
}

function sentence(): string {
  const list = readAllowlist(file);
  return list.state === 'unusable' ? `${list.sentence} | ${list.remedy}` : list.state;
}

const FULL = {
  allowedRoots: [{ path: '/srv/data', allowReadWrite: true, description: 'photos' }],
  blockedPatterns: ['x'],
};

test('it is read anew each time, and missing when it is not there', () => {
  assert.equal(sentence(), 'missing');
  write(FULL);
  assert.deepEqual(readAllowlist(file), { file, state: 'read', ...FULL });
  write({ allowedRoots: [] });
  assert.deepEqual(readAllowlist(file), { file, state: 'read', allowedRoots: [], blockedPatterns: [] });
  rmSync(file);
  assert.equal(sentence(), 'missing');
});

test('paths are made plain; ~ is the home of the host', () => {
  write({ allowedRoots: [{ path: '~/photos/' }, { path: '/srv/../opt//x' }, { path: '/' }] });
  const list = readAllowlist(file);
  const roots = list.state === 'read' ? list.allowedRoots : [];
  assert.deepEqual(roots, [
    { path: join(homedir(), 'photos'), allowReadWrite: false },
    { path: '/opt/x', allowReadWrite: false },
    { path: '/', allowReadWrite: false },
  ]);
});

const broken: [name: string, text: unknown, expected: RegExp][] = [
  ['no JSON', '{"allowedRoots": [', /it is no JSON \| Correct .*list\.json/],
  ['empty', '', /it is no JSON/],
  ['no object', '[]', /not written as it should be/],
  ['without folders', {}, /allowedRoots/],
  ['a path that is none', { allowedRoots: [{ path: 'photos' }] }, /allowedRoots\.0\.path: a path begins with/],
  [
    'a misspelt field, which would otherwise block nothing',
    { allowedRoots: [], blockedPattern: ['x'] },
    /blockedPattern/,
  ],
  ['a pattern that is a path', { allowedRoots: [], blockedPatterns: ['a/b'] }, /blockedPatterns\.0: a name/],
  ['no truth value', { allowedRoots: [{ path: '/x', allowReadWrite: 'no' }] }, /allowedRoots\.0\.allowReadWrite/],
];
for (const [name, text, expected] of broken) {
  test(`${name}: nothing is allowed, and it says what is wrong`, () => {
    write(text);
    assert.match(sentence(), expected);
  });
}

test('one that others may write is not followed, nor one in a folder that they may write', () => {
  for (const mode of [0o620, 0o602]) {
    write(FULL, mode);
    assert.match(sentence(), /others may write it.*chmod go-w/);
  }
  write(FULL);
  chmodSync(folder, 0o770);
  assert.match(sentence(), /others may write it, or its folder/);
});

test("one of another user's is not followed", {
  skip: process.getuid?.() !== 0 && 'only root can give a file away',
}, () => {
  write(FULL);
  chownSync(file, 12_345, 12_345);
  assert.match(sentence(), /belongs to another user than the host's \| Run: chown 0/);
});

test('neither a folder nor a pipe in its place holds anything up', () => {
  mkdirSync(file);
  assert.match(sentence(), /it is no file/);
  rmSync(file, { recursive: true });
  execFileSync('mkfifo', [file]);
  assert.match(sentence(), /it is no file/);
});

test('a link is followed to a file that is as it should be', () => {
  write(FULL);
  const link = join(folder, 'link.json');
  symlinkSync(file, link);
  assert.partialDeepStrictEqual(readAllowlist(link), { state: 'read' });
});

test('it lies in the home of the host, unless the environment says where', () => {
  assert.equal(allowlistFile({}), join(homedir(), '.config/nanoclaw/mount-allowlist.json'));
  assert.equal(allowlistFile({ NANOCLAW_MOUNT_ALLOWLIST: '/x/y.json' }), '/x/y.json');
});

import assert from 'node:assert/strict';
import {
  chownSync,
  lstatSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { readEnvFile } from '../../src/env.ts';
import { changeEnvFile } from './env-file.ts';

describe('changing .env', () => {
  let folder = '';
  let path = '';
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'nanoclaw-env-'));
    path = join(folder, '.env');
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  test('a new one is for its owner alone', () => {
    assert.equal(changeEnvFile(path, { TOKEN: 'abc' }), true);
    assert.equal(readFileSync(path, 'utf8'), 'TOKEN=abc\n');
    assert.equal(statSync(path).mode & 0o777, 0o600);
    assert.deepEqual(readdirSync(folder), ['.env']);
  });

  test('other lines stay, and a file that others could read is closed', () => {
    writeFileSync(path, '# mine\nOTHER="a b" # note\nexport TOKEN = old\n\n', { mode: 0o644 });
    assert.equal(changeEnvFile(path, { TOKEN: 'new', GONE: undefined }), true);
    assert.equal(readFileSync(path, 'utf8'), '# mine\nOTHER="a b" # note\nTOKEN=new\n');
    assert.equal(statSync(path).mode & 0o777, 0o600);
  });

  test('a line is changed where it stands, and keeps its remark; ends of lines stay', () => {
    const text = '# sandboxes\r\nRUNTIME=docker # since March\r\nB="x # no remark"\r\nC=3\r\n';
    writeFileSync(path, text);
    changeEnvFile(path, { RUNTIME: 'podman', B: 'y' });
    const expected = '# sandboxes\r\nRUNTIME=podman # since March\r\nB=y\r\nC=3\r\n';
    assert.equal(readFileSync(path, 'utf8'), expected);
  });

  test('what is no secret leaves the mode; a link stays one, and its file is changed', () => {
    const real = join(folder, 'elsewhere');
    writeFileSync(real, 'A=1\n', { mode: 0o640 });
    symlinkSync('elsewhere', path);
    changeEnvFile(path, { A: '2' }, { keepMode: true });
    assert.ok(lstatSync(path).isSymbolicLink());
    assert.equal(readFileSync(real, 'utf8'), 'A=2\n');
    assert.equal(statSync(real).mode & 0o777, 0o640);
    assert.deepEqual(readdirSync(folder).sort(), ['.env', 'elsewhere']);
  });

  test("another user's file stays theirs", {
    skip: process.getuid?.() !== 0 && 'only root can give files away',
  }, () => {
    writeFileSync(path, 'A=1\n');
    chownSync(path, 12_345, 54_321);
    changeEnvFile(path, { A: '2' });
    const { uid, gid } = statSync(path);
    assert.deepEqual([uid, gid], [12_345, 54_321]);
  });

  test('a name set to undefined goes', () => {
    writeFileSync(path, 'A=1\nB=2\n');
    changeEnvFile(path, { A: undefined, B: '3' });
    assert.equal(readFileSync(path, 'utf8'), 'B=3\n');
  });

  test('what is so already is not written again', () => {
    writeFileSync(path, 'A=1\n');
    const before = statSync(path).ino;
    assert.equal(changeEnvFile(path, { A: '1', B: undefined }), false);
    assert.equal(statSync(path).ino, before);
  });

  test('any value comes back as it went in', () => {
    for (const value of ['sk-ant-api03-a_b', 'a b', 'a#b', `a"b\\c'd`, '$HOME', 'http://127.0.0.1:8080/v1']) {
      changeEnvFile(path, { VALUE: value });
      assert.equal(readEnvFile(path).VALUE, value);
    }
  });
});

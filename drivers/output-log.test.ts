import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, test } from 'node:test';
import { captureOutput, LOG_LIMITS, lastLines } from './output-log.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'nanoclaw-log-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test('no file grows beyond its limit, and the oldest go', async () => {
  const file = path.join(folder, 'new/box.log');
  const chunks = Array.from({ length: 10 }, (_, index) => `${String(index).repeat(39)}\n`);
  const log = captureOutput([Readable.from(chunks)], file, { ...LOG_LIMITS, fileBytes: 100, keep: 2 });
  await log.drained;
  assert.deepEqual(
    ['', '.1', '.2', '.3'].map((age) => existsSync(file + age) && statSync(file + age).size),
    [80, 80, 80, false],
  );
  assert.match(readFileSync(file, 'utf8'), /^8+\n9+\n$/);
  assert.equal(statSync(file).mode & 0o777, 0o600);
  assert.equal(log.lastLines().length, 10);
});

test('lines stay whole, however they come and whichever stream they come by', async () => {
  const file = path.join(folder, 'box.log');
  const parts = (letter: string) =>
    Readable.from([letter, letter, `${letter}\n${letter}`, `${letter}\n`, letter.repeat(2)]);
  const log = captureOutput([parts('a'), parts('b')], file, { ...LOG_LIMITS, fileBytes: 7 });
  await log.drained;
  const kept = ['.3', '.2', '.1', ''].map((age) => readFileSync(file + age, 'utf8'));
  assert.deepEqual(kept.flatMap((text) => text.split('\n').slice(0, -1)).toSorted(), [
    'aa',
    'aa',
    'aaa',
    'bb',
    'bb',
    'bbb',
  ]);
  assert.ok(
    log.lastLines().every((line) => /^(a+|b+)$/.test(line)),
    log.lastLines().join(),
  );
});

test('a line without an end is written in parts, and none of it is lost', async () => {
  const file = path.join(folder, 'box.log');
  const chunks = Array.from({ length: 20 }, () => 'x'.repeat(10_000));
  await captureOutput([Readable.from(chunks)], file).drained;
  assert.equal(statSync(file).size, 200_001);
});

test('a log that can not be written loses lines, not the sandbox', async () => {
  writeFileSync(path.join(folder, 'file'), '');
  const log = captureOutput([Readable.from(['x\n', 'y\n'])], path.join(folder, 'file/box.log'));
  await log.drained;
  assert.match(log.lastLines().join('\n'), /output lost/);
});

test('faster output is held back', async () => {
  const limits = { ...LOG_LIMITS, bytesPerSecond: 10 };
  const since = performance.now();
  await captureOutput([Readable.from(['0123456789', '0123456789', 'x'])], path.join(folder, 'a'), limits).drained;
  assert.ok(performance.now() - since > 500);
});

test('last lines are plain: no escapes, none endless, none empty', () => {
  assert.deepEqual(lastLines('a\u001b[31mred\u001b[0m\r\n\n\u0007bell\n'), ['ared', ' bell']);
  assert.equal(lastLines('x'.repeat(9999))[0]?.length, 500);
});

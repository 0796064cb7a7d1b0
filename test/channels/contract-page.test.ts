import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { CASES } from './contract.ts';
import { contractPage, missingTests, PAGE, SKIPPED, Skipped } from './contract-page.ts';
import { BAD_INPUT, FIFTY } from './fifty.ts';

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

test('each of the fifty has a test that is there, or a reason', () => {
  assert.equal(FIFTY.length, 50);
  for (const { what, cases = [], also = [], note } of [...FIFTY, ...BAD_INPUT]) {
    assert.ok(cases.length + also.length > 0 || note !== undefined, what);
  }
  assert.deepEqual(missingTests(root), []);
});

test('no case is asked for nothing', () => {
  const named = new Set<string>(FIFTY.flatMap(({ cases = [] }) => cases));
  // What is no failure of somebody's, but what a channel is for.
  const plain = new Set(['server-error', 'edits']);
  assert.deepEqual(
    CASES.filter((name) => !named.has(name) && !plain.has(name)),
    [],
  );
});

test('the page is what the tables say: node test/channels/write-contract.ts writes it', () => {
  assert.equal(readFileSync(join(root, PAGE), 'utf8'), contractPage(root));
  const skipped = Skipped.parse(JSON.parse(readFileSync(join(root, SKIPPED), 'utf8')));
  const known = new Set<string>(CASES);
  assert.deepEqual(
    skipped.filter(({ name }) => !known.has(name)),
    [],
  );
});

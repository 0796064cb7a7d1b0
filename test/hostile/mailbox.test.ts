import assert from 'node:assert/strict';
import { test } from 'node:test';
import { boxCases } from './cases-box.ts';
import { fileCases } from './cases-file.ts';
import { outboxCases } from './cases-outbox.ts';
import { rowCases } from './cases-rows.ts';
import { hostileSuite } from './suite.ts';

hostileSuite('mailbox', fileCases);

test('there are enough of them, each with a name of its own', () => {
  const names = [...fileCases, ...rowCases, ...outboxCases, ...boxCases].map(({ name }) => name);
  assert.ok(names.length >= 60, `${names.length}`);
  assert.equal(new Set(names).size, names.length);
});

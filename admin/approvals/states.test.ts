import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { tablesBelow } from '../../test/support/markdown-table.ts';
import { isOpen, nextStatus, STATUSES, STEPS } from './states.ts';

const [life = []] = tablesBelow(readFileSync(join(import.meta.dirname, '../../docs/approvals.md'), 'utf8'), 'Its life');

test('docs/approvals.md has every step from every state as the code has it', () => {
  assert.deepEqual(
    life.map(({ status }) => status),
    [...STATUSES],
  );
  for (const row of life) {
    const status = STATUSES.find((one) => one === row.status);
    assert.ok(status);
    const taken = Object.fromEntries(STEPS.map((step) => [step, nextStatus(status, step) ?? '–']));
    assert.deepEqual({ status, ...taken }, row);
  }
});

test('an end is an end', () => {
  assert.deepEqual(STATUSES.filter(isOpen), ['pending', 'naming']);
  for (const status of STATUSES) {
    if (isOpen(status)) continue;
    assert.deepEqual(
      STEPS.flatMap((step) => nextStatus(status, step) ?? []),
      [],
    );
  }
});

import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { docsTable, POINTS } from './points.ts';

const root = join(import.meta.dirname, '../..');

test('the table names every point of the code, each with its process, and no other', () => {
  const found = globSync(
    ['{src,admin,assistant,drivers}/**/*.ts', 'protocol/*.ts', 'container/agent-runner/src/**/*.ts'],
    {
      cwd: root,
    },
  )
    .filter((file) => !file.endsWith('.test.ts'))
    .flatMap((file) => {
      const calls = readFileSync(join(root, file), 'utf8').matchAll(/faultPoint\('([a-z.]+)'\)/g);
      return Array.from(
        calls,
        ([, name = '']) => `${/^(?:src|admin|assistant|drivers)\//.test(file) ? 'host' : 'runner'} ${name}`,
      );
    });
  const listed = POINTS.map(({ name, process }) => `${process} ${name}`);
  // Each driver has the points of a start.
  assert.deepEqual([...new Set(found)].sort(), listed.sort());
});

test('docs/sessions.md shows the table', () => {
  // To bring it up to date: node -p "(await import('./test/faults/points.ts')).docsTable()"
  assert.ok(readFileSync(join(root, 'docs/sessions.md'), 'utf8').includes(docsTable()));
});

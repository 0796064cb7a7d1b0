import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { commands } from './commands/index.ts';
import { errorsPage } from './errors-page.ts';
import { failuresPage } from './failures-page.ts';
import { commandsPage } from './help-text.ts';

const docs = join(import.meta.dirname, '..', 'docs');
const remake = 'make it again: bash setup/run.sh node cli/write-docs.ts';

test('docs/ncl.md says what the commands are', () => {
  assert.equal(readFileSync(join(docs, 'ncl.md'), 'utf8'), commandsPage(commands), remake);
});

test('docs/errors.md says what the table of errors says', () => {
  assert.equal(readFileSync(join(docs, 'errors.md'), 'utf8'), errorsPage(), remake);
});

test('docs/failures.md says what the table of failures says', () => {
  const page = readFileSync(join(docs, 'failures.md'), 'utf8');
  assert.equal(page, failuresPage(page), remake);
  assert.match(page, /\| `overload` \|/, 'its markers are there');
});

test('no two commands share a name, and no command a flag with the global ones', () => {
  assert.equal(new Set(commands.map(({ name }) => name)).size, commands.length);
  for (const { flags = [] } of commands) {
    for (const { name, short } of flags) assert.ok(!['json', 'help'].includes(name) && short !== 'h');
  }
});

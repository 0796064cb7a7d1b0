import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { pages } from './write-docs.ts';

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

test('the table of channels and the skills are what the channels say: node test/channels/write-docs.ts writes them', async () => {
  for (const { path, text } of await pages()) assert.equal(readFileSync(join(root, path), 'utf8'), text, path);
});

import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { after } from 'node:test';
import { DRIVERS, dockerNetwork } from './drivers.ts';
import { type Attempt, escapeSuite } from './escape-suite.ts';
import { escapeTable } from './escape-table.ts';

const tried = new Map<string, ReadonlyMap<string, Attempt>>();
for (const under of [...DRIVERS, dockerNetwork]) escapeSuite(under, (attempts) => tried.set(under.name, attempts));

after(() => {
  if (!process.env.NANOCLAW_WRITE_DOCS) return;
  writeFileSync(path.join(import.meta.dirname, '../../docs/security/escape-suite.md'), escapeTable(tried));
});

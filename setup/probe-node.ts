/** Run by a Node that was found on the machine: it ends with 0 where that Node has all that this project uses. */
import { enableCompileCache } from 'node:module';
import { DatabaseSync } from 'node:sqlite';

const probe: { missing: string[] } = { missing: [] };

function need(name: string, has: boolean): void {
  if (!has) probe.missing.push(name);
}

need('module.enableCompileCache', typeof enableCompileCache === 'function');
const db = new DatabaseSync(':memory:');
need('sqlite serialize', typeof db.serialize === 'function');
need('sqlite deserialize', typeof db.deserialize === 'function');
need('sqlite setAuthorizer', typeof db.setAuthorizer === 'function');
need('sqlite limits', typeof db.limits === 'object');
need('import.meta.dirname', typeof import.meta.dirname === 'string');
need('disposable resources', typeof Symbol.dispose === 'symbol');
db.close();

if (probe.missing.length > 0) {
  console.error(`missing: ${probe.missing.join(', ')}`);
  process.exitCode = 1;
}

/** Holds the write lock of a database for so many ms: `node lock.mjs <file> <ms>`. Says when it has it. */
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as wait } from 'node:timers/promises';

const [, , file = '', ms = ''] = process.argv;
const db = new DatabaseSync(file, { timeout: 10_000 });
db.exec('BEGIN EXCLUSIVE');
process.stdout.write('held\n');
await wait(Number(ms));
db.exec('ROLLBACK');

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { INBOUND_VERSION, OUTBOUND_VERSION } from './schema.ts';
import { insertMessage, numberOf, openOutbound, testFolder } from './test/outbound.ts';
import * as upgrades from './upgrade.ts';

const { catalogAt, INBOUND_STEPS, NewerMailboxError, OUTBOUND_STEPS, readCatalog, upgrade, upgradeOutbound } = upgrades;
const folder = testFolder();
/** What a second release could do. */
const NEXT = [...OUTBOUND_STEPS, ['ALTER TABLE messages_out ADD COLUMN priority INTEGER NOT NULL DEFAULT 0']];

test('the version is the number of steps', () => {
  assert.equal(OUTBOUND_STEPS.length, OUTBOUND_VERSION);
  assert.equal(INBOUND_STEPS.length, INBOUND_VERSION);
});

test('an empty file, as version 0 is, becomes the current version; a second time changes nothing', () => {
  const file = join(folder, 'empty.db');
  writeFileSync(file, '');
  const db = openOutbound(file);
  assert.equal(numberOf(db, 'PRAGMA user_version'), OUTBOUND_VERSION);
  assert.deepEqual(readCatalog(db), catalogAt(OUTBOUND_VERSION, OUTBOUND_STEPS));
  const changes = numberOf(db, 'PRAGMA data_version');
  upgradeOutbound(db);
  assert.equal(numberOf(db, 'PRAGMA data_version'), changes);
  db.close();
});

test('an older file goes forward with its rows, and readers know both versions to the letter', () => {
  const db = openOutbound(join(folder, 'older.db'));
  insertMessage(db, 'm1', 1, 'kept');
  upgrade(db, NEXT);
  assert.equal(numberOf(db, 'PRAGMA user_version'), 2);
  assert.equal(numberOf(db, 'SELECT priority FROM messages_out'), 0);
  assert.deepEqual(readCatalog(db), catalogAt(2, NEXT));
  assert.notDeepEqual(catalogAt(1, NEXT), catalogAt(2, NEXT));
  db.close();
});

test('a newer file is refused and left as it is', () => {
  const db = openOutbound(join(folder, 'newer.db'));
  upgrade(db, NEXT);
  assert.throws(() => upgradeOutbound(db), NewerMailboxError);
  assert.equal(numberOf(db, 'PRAGMA user_version'), 2);
  assert.equal(db.isTransaction, false);
  db.close();
});

test('a step that fails leaves the file at the version that it had', () => {
  const db = openOutbound(join(folder, 'failing.db'));
  const failing = [...OUTBOUND_STEPS, ['CREATE TABLE extra (a)', 'CREATE TABLE extra (a)']];
  assert.throws(() => upgrade(db, failing), /already exists/);
  assert.equal(numberOf(db, 'PRAGMA user_version'), OUTBOUND_VERSION);
  assert.deepEqual(readCatalog(db), catalogAt(OUTBOUND_VERSION, OUTBOUND_STEPS));
  db.close();
});

test('the text of a released schema is never edited', () => {
  const db = new DatabaseSync(':memory:');
  upgradeOutbound(db);
  const ddl = readCatalog(db).join('\n');
  db.close();
  assert.equal(checksum(ddl), 4197143808, 'a change is a new step');
});

/** FNV-1a. */
function checksum(text: string): number {
  let hash = 0x811c9dc5;
  for (const unit of Buffer.from(text)) hash = Math.imul(hash ^ unit, 0x01000193) >>> 0;
  return hash;
}

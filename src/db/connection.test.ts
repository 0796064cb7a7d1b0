import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { NanoError } from '../errors.ts';
import { openCentral } from './connection.ts';
import { migrate } from './migrate.ts';
import { migrations } from './migrations/index.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'nanoclaw-db-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const open = () => openCentral({ file: join(folder, 'v2.db'), backups: join(folder, 'backups'), now: Date.now() });
const codeOf = (work: () => unknown): string | undefined => {
  try {
    work();
    return undefined;
  } catch (error) {
    return error instanceof NanoError ? error.code : `not a NanoError: ${error}`;
  }
};

describe('opening the central database', () => {
  test('a new file gets every migration; a second opening changes nothing', () => {
    const first = open();
    const applied = first.prepare('SELECT name FROM schema_version ORDER BY version').all();
    assert.deepEqual(
      applied.map((row) => row.name),
      migrations.map((migration) => migration.name),
    );
    for (const name of ['v2.db', 'v2.db-wal', 'v2.db-shm']) {
      assert.equal(statSync(join(folder, name)).mode & 0o777, 0o600, name);
    }
    assert.equal(first.prepare('PRAGMA synchronous').get()?.synchronous, 2);
    assert.equal(first.prepare('PRAGMA foreign_keys').get()?.foreign_keys, 1);
    first.close();
    const second = open();
    assert.equal(second.prepare('SELECT count(*) AS n FROM schema_version').get()?.n, migrations.length);
    second.close();
    assert.equal(readdirSync(folder).includes('backups'), false, 'no backup without a change');
  });

  test('a file that is no database is NC_DB_CORRUPT, and stays as it was', () => {
    writeFileSync(join(folder, 'v2.db'), 'this is not a database, but long enough to look like a header of one');
    assert.equal(codeOf(open), 'NC_DB_CORRUPT');
  });

  test('pages overwritten in the middle are NC_DB_CORRUPT', () => {
    const db = open();
    for (let i = 0; i < 200; i += 1) {
      db.prepare('INSERT INTO users (id, kind, display_name, created_at) VALUES (?, ?, ?, ?)').run(
        `t:${i}`,
        't',
        'x'.repeat(200),
        'now',
      );
    }
    db.exec('PRAGMA wal_checkpoint(TRUNCATE)');
    const pages = Number(db.prepare('PRAGMA page_count').get()?.page_count);
    db.close();
    const file = join(folder, 'v2.db');
    const bytes = readFileSync(file);
    bytes.fill(0xff, 4096 * 2, 4096 * pages);
    writeFileSync(file, bytes);
    assert.equal(codeOf(open), 'NC_DB_CORRUPT');
  });

  test('a folder that is not there is NC_DATA_FOLDER', () => {
    assert.equal(
      codeOf(() => openCentral({ file: join(folder, 'none', 'v2.db'), backups: folder, now: 0 })),
      'NC_DATA_FOLDER',
    );
  });

  test('a database from a newer version is refused', () => {
    const db = open();
    db.prepare("INSERT INTO schema_version (name, applied) VALUES ('9999-later', '2030-01-01T00:00:00Z')").run();
    db.close();
    assert.equal(codeOf(open), 'NC_DB_NEWER');
  });
});

describe('migrations', () => {
  test('a failing one leaves nothing of itself, and what came before stands', () => {
    const db = open();
    const backups: number[] = [];
    const two = [...migrations, { name: 'x-good', sql: 'CREATE TABLE good (a)' }];
    const three = [...two, { name: 'x-bad', sql: 'CREATE TABLE half (a); CREATE TABLE good (a)' }];
    assert.throws(() => migrate(db, () => backups.push(1), Date.now(), three), /good already exists/);
    const names = db.prepare('SELECT name FROM schema_version').all();
    assert.deepEqual(names.map((row) => row.name).slice(-1), ['x-good']);
    assert.equal(db.prepare("SELECT count(*) AS n FROM sqlite_schema WHERE name = 'half'").get()?.n, 0);
    assert.equal(backups.length, 1, 'one backup, before the first change');
    db.close();
  });

  test('the backup made before a change holds what was there', () => {
    const db = open();
    db.prepare("INSERT INTO users (id, kind, created_at) VALUES ('t:1', 't', 'now')").run();
    const file = join(folder, 'copy.db');
    const more = [...migrations, { name: 'x-drop', sql: 'DROP TABLE dropped_messages' }];
    migrate(db, () => db.prepare('VACUUM INTO ?').run(file), Date.now(), more);
    db.close();
    const copy = new DatabaseSync(file);
    assert.equal(copy.prepare('SELECT id FROM users').get()?.id, 't:1');
    assert.equal(copy.prepare("SELECT count(*) AS n FROM sqlite_schema WHERE name = 'dropped_messages'").get()?.n, 1);
    copy.close();
  });

  test('one global grant of a role per user, though its scope is NULL', () => {
    const db = open();
    db.prepare("INSERT INTO users (id, kind, created_at) VALUES ('t:1', 't', 'now')").run();
    const grant = () =>
      db.prepare("INSERT INTO user_roles (user_id, role, granted_at) VALUES ('t:1', 'owner', 'now')").run();
    grant();
    assert.throws(grant, /UNIQUE/);
    db.close();
  });
});

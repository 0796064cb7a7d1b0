import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after } from 'node:test';
import { isoTime } from '../time.ts';
import { upgradeOutbound } from '../upgrade.ts';

/** A folder of this test file, removed after it. */
export function testFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'nanoclaw-protocol-'));
  after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Opens as a writer inside a sandbox does: patience first, since even the first pragma can meet a lock. */
export function openOutbound(file: string): DatabaseSync {
  const db = new DatabaseSync(file);
  db.exec('PRAGMA busy_timeout = 30000');
  upgradeOutbound(db);
  return db;
}

export function insertMessage(db: DatabaseSync, id: string, seq: number, text: string): void {
  db.prepare('INSERT INTO messages_out (id, seq, timestamp, kind, content) VALUES (?, ?, ?, ?, ?)').run(
    id,
    seq,
    isoTime(Date.now()),
    'chat',
    JSON.stringify({ text }),
  );
}

/** One number from a query without parameters. */
export function numberOf(db: DatabaseSync, sql: string): number {
  return Number(Object.values(db.prepare(sql).get() ?? {})[0]);
}

import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { MAX_OUTBOUND_BYTES } from '@nanoclaw/protocol/limits.ts';
import { readRegular, type Snapshot, takeSnapshot } from '@nanoclaw/protocol/snapshot.ts';

/** The last eight bytes of a journal that names a super-journal. */
const SUPER_JOURNAL_MAGIC = Buffer.from('d9d505f920a163d7', 'hex');

/**
 * A snapshot of a file whose writer died in mid-commit: the journal is played back on a private copy, never in place,
 * where SQLite would act with the host's rights on files that the agent has prepared. Only for a sandbox that is dead.
 */
export function recoverSnapshot(file: string, privateFolder: string): Snapshot {
  const journal = readRegular(`${file}-journal`, 2 * MAX_OUTBOUND_BYTES);
  if (journal.status === 'absent') return takeSnapshot(file, MAX_OUTBOUND_BYTES);
  if (journal.status !== 'ok') return journal;
  // One file has no use for a super-journal; SQLite would follow and delete what it names.
  if (journal.bytes.subarray(-8).equals(SUPER_JOURNAL_MAGIC)) {
    return { status: 'hostile', reason: 'has a journal that names another' };
  }
  const main = readRegular(file, MAX_OUTBOUND_BYTES);
  if (main.status !== 'ok') return main;
  const copy = join(privateFolder, 'outbound.db');
  try {
    writeFileSync(copy, main.bytes, { flag: 'wx' });
    writeFileSync(`${copy}-journal`, journal.bytes, { flag: 'wx' });
    playBack(copy);
    // What SQLite leaves had not been begun in earnest (its header was never synced): no page of the file was touched.
    rmSync(`${copy}-journal`, { force: true });
    return takeSnapshot(copy, MAX_OUTBOUND_BYTES);
  } finally {
    for (const name of readdirSync(privateFolder)) rmSync(join(privateFolder, name), { recursive: true, force: true });
  }
}

/** Opening to write and reading anything does it; the version is read without parsing the schema. */
function playBack(file: string): void {
  const db = new DatabaseSync(file, { allowExtension: false, limits: { attach: 0 } });
  try {
    db.prepare('PRAGMA user_version').get();
  } finally {
    db.close();
  }
}

import assert from 'node:assert/strict';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { describe, test } from 'node:test';
import { createAnchor } from '../../admin/audit/anchor.ts';
import { createRetention } from '../../admin/housekeeping/audit.ts';
import { readLimits } from '../../admin/housekeeping/limits.ts';
import { hashOf } from '../../src/audit/chain.ts';
import { createAudit } from '../../src/audit/index.ts';
import { transaction } from '../../src/db/group-commit.ts';
import { createInstall, type Install } from '../../test/support/central.ts';
import { readRows } from './read.ts';
import type { FindingKind } from './verify.ts';
import { verifyLog } from './verify-log.ts';

/** What somebody with a database tool may do, and what is said of it. */

const DAY = 86_400_000;

const verify = ({ root }: Install) => verifyLog(join(root, 'data/v2.db'), join(root, 'data/audit-head'));

/** Rows 1 to 20 in a segment of their own, the rest, up to 40, in the next one. */
function filled(): Install {
  const install = createInstall();
  const { db } = install;
  const audit = createAudit(db);
  const now = Date.now();
  const record = (subject: string, at: number) =>
    transaction(db, () =>
      audit.record({ actor: 'test:ada', action: 'member.added', subject, detail: { subject } }, at),
    );
  const first = Number(db.prepare('SELECT max(seq) AS n FROM audit_log').get()?.n);
  for (let n = first + 1; n <= 20; n += 1) record(`u${n}`, now);
  for (let n = 21; n <= 40; n += 1) record(`u${n}`, now + 40 * DAY);
  createAnchor(db, join(install.root, 'data/audit-head')).write();
  assert.equal(verify(install).problem, undefined);
  // As a tool would, and it doesn't know of the host's foreign keys.
  db.exec('DROP TRIGGER audit_no_update; DROP TRIGGER audit_no_delete; PRAGMA foreign_keys = OFF');
  return install;
}

function rowAt(db: DatabaseSync, seq: number) {
  const row = [...readRows(db)].find((one) => one.seq === seq);
  assert.ok(row);
  return row;
}

/** Makes the hash of a row anew, so that its content fits. */
function rehash(db: DatabaseSync, seq: number): string {
  const hash = hashOf(rowAt(db, seq));
  db.prepare('UPDATE audit_log SET hash = ? WHERE seq = ?').run(hash, seq);
  return hash;
}

function rehashFrom(db: DatabaseSync, first: number, last: number): void {
  for (let seq = first; seq <= last; seq += 1) {
    const hash = rehash(db, seq);
    db.prepare('UPDATE audit_log SET prev_hash = ? WHERE seq = ?').run(hash, seq + 1);
  }
}

const insert = `INSERT INTO audit_log SELECT ?1, segment, at, actor, action, 'put in', detail, prev_hash, hash FROM audit_log WHERE seq = ?2`;
const swap = (one: number, other: number) =>
  `UPDATE audit_log SET seq = -1 WHERE seq = ${one}; UPDATE audit_log SET seq = ${one} WHERE seq = ${other};
   UPDATE audit_log SET seq = ${other} WHERE seq = -1`;

const cases: [what: string, kind: FindingKind, seq: number, sentence: RegExp, deed: (db: DatabaseSync) => void][] = [
  ...['at', 'actor', 'action', 'subject', 'detail'].map((column): (typeof cases)[number] => [
    `${column} changed`,
    'content',
    7,
    /^Row 7 is not as it was written/,
    (db) => db.exec(`UPDATE audit_log SET ${column} = ${column} || ' ' WHERE seq = 7`),
  ]),
  [
    'a value of the same bytes, and no text',
    'content',
    7,
    /^Row 7 /,
    (db) => db.exec('UPDATE audit_log SET subject = CAST(subject AS BLOB) WHERE seq = 7'),
  ],
  [
    'its hash changed',
    'content',
    7,
    /^Row 7 /,
    (db) => db.exec(`UPDATE audit_log SET hash = '${'a'.repeat(64)}' WHERE seq = 7`),
  ],
  [
    'its link changed',
    'link',
    7,
    /^Row 7 has another link/,
    (db) => db.exec(`UPDATE audit_log SET prev_hash = '${'a'.repeat(64)}' WHERE seq = 7`),
  ],
  [
    'content changed, and its hash made anew',
    'link',
    8,
    /^Row 8 does not follow on row 7 as it stands: row 7 was changed/,
    (db) => {
      db.exec("UPDATE audit_log SET subject = 'another' WHERE seq = 7");
      rehash(db, 7);
    },
  ],
  [
    'the newest one changed, and its hash made anew',
    'head',
    40,
    /^Row 40 .*written anew/,
    (db) => {
      db.exec("UPDATE audit_log SET subject = 'another' WHERE seq = 40");
      rehash(db, 40);
    },
  ],
  [
    'all from one on written anew',
    'segment',
    20,
    /^Segment 1 did not end with row 20/,
    (db) => {
      db.exec("UPDATE audit_log SET subject = 'another' WHERE seq = 7");
      rehashFrom(db, 7, 40);
    },
  ],
  [
    'all of the open segment written anew',
    'head',
    40,
    /^Row 40 .*written anew/,
    (db) => {
      db.exec("UPDATE audit_log SET subject = 'another' WHERE seq = 33");
      rehashFrom(db, 33, 40);
    },
  ],
  ['one deleted', 'missing', 7, /^Row 7 is missing/, (db) => db.exec('DELETE FROM audit_log WHERE seq = 7')],
  [
    'some deleted',
    'missing',
    7,
    /^Rows 7 to 9 are missing/,
    (db) => db.exec('DELETE FROM audit_log WHERE seq BETWEEN 7 AND 9'),
  ],
  [
    'one deleted, and the others moved up',
    'order',
    7,
    /^Row 7 is the one that was written as row 8/,
    (db) => db.exec('DELETE FROM audit_log WHERE seq = 7; UPDATE audit_log SET seq = seq - 1 WHERE seq > 7'),
  ],
  [
    'the first ones deleted',
    'missing',
    1,
    /^Rows 1 to 5 are missing/,
    (db) => db.exec('DELETE FROM audit_log WHERE seq <= 5'),
  ],
  [
    'the newest ones cut off',
    'missing',
    38,
    /^Rows 38 to 40 are missing/,
    (db) => db.exec('DELETE FROM audit_log WHERE seq > 37'),
  ],
  [
    'the whole open segment cut off',
    'missing',
    21,
    /^Rows 21 to 40 are missing/,
    (db) => db.exec('DELETE FROM audit_log WHERE seq > 20'),
  ],
  [
    'everything deleted',
    'missing',
    1,
    /^Rows 1 to 40 are missing/,
    (db) => db.exec('DELETE FROM audit_log; DELETE FROM audit_segments'),
  ],
  ['one put in at the end', 'content', 41, /^Row 41 /, (db) => db.prepare(insert).run(41, 40)],
  ['one put in before the beginning', 'order', 0, /^Row 0 stands before/, (db) => db.prepare(insert).run(0, 1)],
  [
    'one put in between, and the others moved down',
    'content',
    8,
    /^Row 8 /,
    (db) => {
      db.exec('UPDATE audit_log SET seq = -seq WHERE seq > 7; UPDATE audit_log SET seq = 1 - seq WHERE seq < 0');
      db.prepare(insert).run(8, 7);
    },
  ],
  [
    'one put in with a number that is too large',
    'order',
    41,
    /^A row has a number/,
    (db) => db.prepare(insert).run(2n ** 60n, 40),
  ],
  [
    'two swapped',
    'order',
    7,
    /^Row 7 is the one that was written as row 12: they were reordered/,
    (db) => db.exec(swap(7, 12)),
  ],
  ['two neighbours swapped', 'order', 7, /^Row 7 is the one that was written as row 8/, (db) => db.exec(swap(7, 8))],
  [
    'two swapped, and linked and hashed anew',
    'segment',
    20,
    /^Segment 1 did not end/,
    (db) => {
      db.exec(swap(7, 8));
      db.prepare('UPDATE audit_log SET prev_hash = ? WHERE seq = 7').run(rowAt(db, 6).hash);
      rehashFrom(db, 7, 40);
    },
  ],
  ['its segment changed', 'content', 7, /^Row 7 /, (db) => db.exec('UPDATE audit_log SET segment = 2 WHERE seq = 7')],
  [
    "a segment's end changed",
    'segment',
    20,
    /^Segment 1 did not end with row 20/,
    (db) => db.exec(`UPDATE audit_segments SET last_hash = '${'a'.repeat(64)}' WHERE segment = 1`),
  ],
  [
    "a segment's beginning changed",
    'segment',
    21,
    /^Segment 2 did not begin after row 20/,
    (db) => db.exec(`UPDATE audit_segments SET first_prev = '${'a'.repeat(64)}' WHERE segment = 2`),
  ],
  [
    "a segment's rows counted otherwise",
    'segment',
    19,
    /^Segment 1 did not end with row 19/,
    (db) => db.exec('UPDATE audit_segments SET last_seq = 19 WHERE segment = 1'),
  ],
  [
    'a segment forgotten',
    'segment',
    21,
    /^Segment 2 is not known/,
    (db) => db.exec('DELETE FROM audit_segments WHERE segment = 2'),
  ],
  [
    'a segment dropped by hand, as retention would',
    'segment',
    1,
    /^Segment 1 is marked as dropped, which the log does not tell/,
    (db) =>
      db.exec(
        "UPDATE audit_segments SET dropped_at = '2026-01-01' WHERE segment = 1; DELETE FROM audit_log WHERE segment = 1",
      ),
  ],
  [
    'the newest segment dropped by hand',
    'segment',
    21,
    /^Segment 2 is marked as dropped out of its turn/,
    (db) =>
      db.exec(
        "UPDATE audit_segments SET dropped_at = '2026-01-01' WHERE segment = 2; DELETE FROM audit_log WHERE segment = 2",
      ),
  ],
  [
    'the newest segment sealed by hand',
    'segment',
    40,
    /^Segment 2 is the newest, and not open/,
    (db) =>
      db.exec(
        "UPDATE audit_segments SET sealed_at = 'x', last_seq = 40, last_hash = (SELECT hash FROM audit_log WHERE seq = 40) WHERE segment = 2",
      ),
  ],
  ['nothing but the triggers removed', 'guard', 40, /^Every row is as it was written, but the trigger/, () => {}],
];

describe('a log that was changed with a database tool', () => {
  for (const [what, kind, seq, sentence, deed] of cases) {
    test(what, () => {
      using install = filled();
      deed(install.db);
      const { problem } = verify(install);
      assert.deepEqual([problem?.kind, problem?.seq], [kind, seq], problem?.sentence);
      assert.match(problem?.sentence ?? '', sentence);
    });
  }

  test('after old segments were dropped: what is told of them is checked, too', () => {
    const dropped = () => {
      const install = filled();
      const { db } = install;
      const retention = createRetention(db, createAudit(db));
      const limit = { ...readLimits({}, () => {}).audit, ageMs: DAY, floorMs: 0 };
      retention.drop(limit, Date.now() + 60 * DAY, false);
      while (!transaction(db, () => retention.step()));
      createAnchor(db, join(install.root, 'data/audit-head')).write();
      db.exec('CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit_log BEGIN SELECT 1; END');
      db.exec('CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit_log BEGIN SELECT 1; END');
      return install;
    };
    {
      using install = dropped();
      const { problem, gone } = verify(install);
      assert.deepEqual([problem, gone.map(({ lastSeq }) => lastSeq)], [undefined, [20]]);
    }
    for (const [deed, kind, seq] of [
      ['DELETE FROM audit_log WHERE seq = 21', 'missing', 21],
      [`UPDATE audit_segments SET last_hash = '${'b'.repeat(64)}' WHERE segment = 1`, 'link', 21],
      ['UPDATE audit_segments SET dropped_at = NULL WHERE segment = 1', 'missing', 1],
      ["UPDATE audit_log SET detail = '{}' WHERE action = 'segment.dropped'", 'content', 41],
    ] as const) {
      using install = dropped();
      install.db.exec(deed);
      const { problem } = verify(install);
      assert.deepEqual([problem?.kind, problem?.seq], [kind, seq], `${deed}: ${problem?.sentence}`);
    }
  });
});

test('100,000 rows are looked at in about a second', (t) => {
  using install = createInstall();
  const { db } = install;
  const audit = createAudit(db);
  const detail = { role: 'admin', agentGroupId: 'ag-mf3k2abcdefghijkl', why: 'asked for in the family chat' };
  transaction(db, () => {
    for (let n = 0; n < 100_000; n += 1)
      audit.record(
        { actor: 'telegram:123456789', action: 'role.granted', subject: `telegram:${n}`, detail },
        Date.now(),
      );
  });
  createAnchor(db, join(install.root, 'data/audit-head')).write();
  const { rows, ms, problem } = verify(install);
  t.diagnostic(`${rows} rows in ${ms} ms`);
  assert.equal(problem, undefined);
  assert.ok(rows > 100_000 && ms < 5_000, `${rows} rows in ${ms} ms`);
});

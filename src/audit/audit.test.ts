import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { createAnchor, headOf, readHead } from '../../admin/audit/anchor.ts';
import { createCredentialUses } from '../../admin/audit/credential-uses.ts';
import { createRetention } from '../../admin/housekeeping/audit.ts';
import { readLimits } from '../../admin/housekeeping/limits.ts';
import { verifyLog } from '../../cli/audit/verify-log.ts';
import { createInstall, type Install } from '../../test/support/central.ts';
import { until } from '../../test/support/until.ts';
import { transaction } from '../db/group-commit.ts';
import { type AuditRow, hashOf, SEGMENT_ROWS } from './chain.ts';
import { type AuditEntry, createAudit } from './index.ts';

const DAY = 86_400_000;
const JANUARY = Date.parse('2026-01-15T00:00:00Z');
const limits = readLimits({}, (sentence) => assert.fail(sentence));

const pathsOf = ({ root }: Install) => [join(root, 'data/v2.db'), join(root, 'data/audit-head')] as const;
const verify = (install: Install) => verifyLog(...pathsOf(install));
const entry = (n: number): AuditEntry => ({ actor: 'host', action: 'member.added', subject: `u${n}`, detail: { n } });

function record(install: Install, count: number, now: number, of: (n: number) => AuditEntry = entry): void {
  const audit = createAudit(install.db);
  transaction(install.db, () => {
    for (let n = 1; n <= count; n += 1) audit.record(of(n), now);
  });
  createAnchor(install.db, pathsOf(install)[1]).write();
}

const segments = ({ db }: Install) => db.prepare('SELECT * FROM audit_segments ORDER BY segment').all();

test('what is rolled back leaves no trace and no gap, and an entry needs a transaction', () => {
  using install = createInstall();
  const { db } = install;
  const audit = createAudit(db);
  const { seq } = headOf(db);
  assert.throws(() => audit.record(entry(1), JANUARY), /needs a transaction/);
  assert.throws(() =>
    transaction(db, () => {
      audit.record(entry(1), JANUARY);
      throw new Error('undone');
    }),
  );
  assert.equal(headOf(db).seq, seq);
  record(install, 2, JANUARY);
  assert.equal(headOf(db).seq, seq + 2);
  assert.equal(verify(install).problem, undefined);
});

test('whatever stands in an entry, the row that is read back has its hash', () => {
  using install = createInstall();
  const any = fc.string({ unit: 'binary' });
  fc.assert(
    fc.property(any, any, any, fc.jsonValue(), (actor, action, subject, value) => {
      record(install, 1, JANUARY, () => ({ actor, action, subject, detail: { value } }));
    }),
    { numRuns: 200 },
  );
  record(install, 1, JANUARY, () => ({ actor: 'a\0b\ud800', action: 'x', subject: 'y'.repeat(5_000), detail: {} }));
  record(install, 1, JANUARY, () => ({ ...entry(1), detail: { many: Array.from({ length: 9_999 }, () => 'z') } }));
  assert.equal(verify(install).problem, undefined);
  const longest = install.db.prepare('SELECT max(length(subject)) AS s, max(length(detail)) AS d FROM audit_log').get();
  assert.ok(Number(longest?.s) < 1_100 && Number(longest?.d) <= 20_000, JSON.stringify(longest));
});

test('no two different rows are hashed alike, wherever their fields end', () => {
  const row = fc.record({
    ...{ seq: fc.nat(9), segment: fc.nat(9), at: fc.constant(''), prevHash: fc.constant('') },
    ...{ actor: fc.string(), action: fc.string(), subject: fc.string(), detail: fc.string() },
  });
  const key = (one: Omit<AuditRow, 'hash'>) => Object.entries(one).sort().flat();
  fc.assert(
    fc.property(row, row, (one, other) => {
      assert.equal(
        hashOf(one) === hashOf(other),
        key(one).every((part, index) => part === key(other)[index]),
      );
    }),
  );
  const base = { seq: 1, segment: 1, at: '', prevHash: '', detail: '{}' };
  const pairs = [
    { ...base, actor: 'a', action: 'bc', subject: '' },
    { ...base, actor: 'ab', action: 'c', subject: '' },
    { ...base, actor: 'a","bc', action: '', subject: '' },
  ];
  assert.equal(new Set(pairs.map(hashOf)).size, pairs.length);
});

test('a segment is sealed by its rows and by the month, and the chain goes on', () => {
  using install = createInstall();
  const before = segments(install).length;
  record(install, SEGMENT_ROWS + 5, JANUARY);
  record(install, 1, JANUARY + 31 * DAY);
  const added = segments(install).slice(before);
  assert.deepEqual(
    added.map(({ first_seq, last_seq }) => (last_seq === null ? 'open' : Number(last_seq) - Number(first_seq) + 1)),
    [SEGMENT_ROWS, 5, 'open'],
  );
  assert.deepEqual([verify(install).problem, verify(install).rows], [undefined, headOf(install.db).seq]);
});

test('old segments go whole, what is left still hangs together, and verify says what is gone', () => {
  using install = createInstall();
  const { db } = install;
  const audit = createAudit(db);
  const retention = createRetention(db, audit);
  const now = Date.now();
  for (const days of [1_300, 1_200, 1_100]) record(install, 300, now - days * DAY);
  record(install, 3, now);
  const newest = headOf(db).seq;
  assert.equal(retention.drop(limits.audit, now, true).count, segmentsBefore(install, 1_095));
  assert.equal(verify(install).gone.length, 0, 'a dry run changes nothing');
  const { count } = retention.drop(limits.audit, now, false);
  assert.ok(count > 0);
  // Cut short at any moment: what is given up and still there is no matter.
  transaction(db, () => retention.step());
  assert.equal(verify(install).problem, undefined);
  while (!transaction(db, () => retention.step()));
  const { problem, gone, rows } = verify(install);
  assert.deepEqual([problem, rows], [undefined, newest + 1 - count]);
  assert.equal(gone.at(-1)?.lastSeq, count);
  assert.equal(db.prepare('SELECT min(seq) AS n FROM audit_log').get()?.n, count + 1);
  assert.equal(retention.drop(limits.audit, now, false).count, 0);
  // Later all of that goes, too, with the entry that told of the first ones.
  record(install, 1, now + 40 * DAY);
  retention.drop(limits.audit, now + 1_300 * DAY, false);
  while (!transaction(db, () => retention.step()));
  assert.equal(verify(install).problem, undefined);
});

/** Rows in segments that were sealed more than so many days ago. */
function segmentsBefore(install: Install, days: number): number {
  const bound = new Date(Date.now() - days * DAY).toISOString();
  return segments(install)
    .filter(({ sealed_at }) => sealed_at !== null && String(sealed_at) < bound)
    .reduce((sum, { first_seq, last_seq }) => sum + Number(last_seq) - Number(first_seq) + 1, 0);
}

test('the head is noted after a commit, and a host that died before that is no alarm', async () => {
  using install = createInstall();
  const { db } = install;
  const file = pathsOf(install)[1];
  const anchor = createAnchor(db, file);
  const audit = createAudit(db, anchor.soon);
  const noted = readHead(file);
  assert.deepEqual(noted, headOf(db), 'the first agent was noted');
  // Killed right after the commit: the file lags.
  transaction(db, () => createAudit(db).record(entry(1), JANUARY));
  assert.deepEqual(readHead(file), noted);
  assert.equal(verify(install).problem, undefined);
  transaction(db, () => audit.record(entry(2), JANUARY));
  await until(() => readHead(file)?.seq === headOf(db).seq);
  assert.deepEqual(readHead(file), headOf(db));
  assert.equal(anchor.problem(), undefined);
});

test('neither beside a process that records, nor after kill -9 of it at any moment, is there an alarm', async () => {
  using install = createInstall();
  const [file, head] = pathsOf(install);
  const from = (path: string) => JSON.stringify(join(import.meta.dirname, path));
  const script = `
    import { openCentral } from ${from('../db/connection.ts')};
    import { transaction } from ${from('../db/group-commit.ts')};
    import { createAnchor } from ${from('../../admin/audit/anchor.ts')};
    import { createAudit } from ${from('index.ts')};
    const db = openCentral({ file: ${JSON.stringify(file)}, backups: '/nowhere', now: Date.now() });
    const anchor = createAnchor(db, ${JSON.stringify(head)});
    const audit = createAudit(db, anchor.soon);
    console.log('begun');
    for (let n = 0; ; n += 1) {
      transaction(db, () => audit.record({ actor: 'host', action: 'member.added', subject: 'u' + n }, Date.now()));
      if (n % 3 === 0) anchor.write();
      await new Promise(setImmediate);
    }`;
  for (let round = 0; round < 5; round += 1) {
    const before = headOf(install.db).seq;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const ended = once(child, 'exit');
    const died = ended.then(() => assert.fail('it died'));
    await Promise.race([once(child.stdout, 'data'), died]);
    died.catch(() => undefined);
    await until(() => {
      assert.equal(verify(install).problem, undefined);
      return headOf(install.db).seq > before + 50 + round * 7;
    });
    child.kill('SIGKILL');
    await ended;
    assert.equal(verify(install).problem, undefined);
  }
});

test('a log that lost its newest rows is not covered up by the next start, nor is a lost head', () => {
  using install = createInstall();
  const { db } = install;
  const file = pathsOf(install)[1];
  record(install, 9, JANUARY);
  const { seq } = headOf(db);
  db.exec('DROP TRIGGER audit_no_delete');
  db.prepare('DELETE FROM audit_log WHERE seq > ?').run(seq - 3);
  const anchor = createAnchor(db, file);
  anchor.write();
  assert.match(anchor.problem() ?? '', /ncl audit verify/);
  record(install, 9, JANUARY);
  const { problem } = verify(install);
  assert.equal(problem?.kind, 'recorded');
  assert.match(problem?.sentence ?? '', new RegExp(`rows ${seq - 2} to ${seq} were missing: row ${seq - 2} says so`));

  using other = createInstall();
  const lost = pathsOf(other)[1];
  for (const spoil of [() => rmSync(lost), () => writeFileSync(lost, '{"seq":')]) {
    spoil();
    assert.match(verify(other).problem?.sentence ?? '', /audit-head is gone or unreadable/);
  }
  createAnchor(other.db, lost).write();
  assert.match(verify(other).problem?.sentence ?? '', /the host found that data\/audit-head was gone/);
  assert.match(readFileSync(lost, 'utf8'), /^\{"seq":\d+,"hash":"[0-9a-f]{64}"\}\n$/);
});

test('a credential is noted once for each agent, host and hour, also across a restart', () => {
  using install = createInstall();
  const { db, agentId } = install;
  const uses = () => createCredentialUses(db, createAudit(db));
  const noted = () =>
    db
      .prepare("SELECT actor, detail ->> 'host' AS host FROM audit_log WHERE action = 'credential.used' ORDER BY seq")
      .all()
      .map(({ actor, host }) => `${actor} ${host}`);
  const before = uses();
  for (let n = 0; n < 3; n += 1) {
    before.add({ agentGroupId: agentId, host: 'api.test' });
    before.add({ agentGroupId: 'ag-other', host: 'api.test' });
    before.flush();
  }
  const after = uses();
  for (const host of ['api.test', 'other.test']) after.add({ agentGroupId: agentId, host });
  after.flush();
  // The hour may have come to its end meanwhile.
  assert.deepEqual(
    [...new Set(noted())].sort(),
    [`agent:${agentId} api.test`, `agent:${agentId} other.test`, 'agent:ag-other api.test'].sort(),
  );
  assert.ok(noted().length <= 4, noted().join());
  assert.equal(verify(install).problem, undefined);
});

import assert from 'node:assert/strict';
import { globSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, test } from 'node:test';
import { openCast } from '../support/cast.ts';
import { startHost, type TestHost } from '../support/host-process.ts';
import { askNcl } from '../support/ncl.ts';
import { until } from '../support/until.ts';

/** A host whose clock is the C library's, moved by libfaketime: it sleeps, wakes, and goes through both changes of the clocks. */

const [LIBRARY] = globSync('/usr/{lib,lib64}/{*/,}faketime/libfaketime.so.1');
const HERE = { in: 'local' };
const HOUR = 3_600_000;

interface Clocked extends AsyncDisposable {
  host: TestHost;
  now(): number;
  setTo(time: string): void;
  create(...flags: string[]): Promise<string>;
  /** Until all that is due by now has come, and ended. */
  rest(): Promise<void>;
  runs(id: string): { due: string; missed: number; status: string }[];
}

async function startClocked(time: string): Promise<Clocked> {
  const folder = mkdtempSync(join(tmpdir(), 'nanoclaw-faketime-'));
  const file = join(folder, 'ahead');
  let ahead = 0;
  const setTo = (to: string) => {
    ahead = Date.parse(to) - Date.now();
    writeFileSync(`${file}.new`, `${ahead < 0 ? '' : '+'}${ahead / 1000}\n`);
    // It is read at any moment.
    renameSync(`${file}.new`, file);
  };
  setTo(time);
  const host = await startHost({
    environment: {
      LD_PRELOAD: LIBRARY ?? '',
      FAKETIME_TIMESTAMP_FILE: file,
      FAKETIME_NO_CACHE: '1',
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
      DONT_FAKE_MONOTONIC: '1',
    },
  });
  const query = (sql: string, ...values: string[]) => {
    const db = new DatabaseSync(join(host.home, 'data/v2.db'), { readOnly: true, timeout: 10_000 });
    try {
      return db.prepare(sql).all(...values);
    } finally {
      db.close();
    }
  };
  const now = () => Date.now() + ahead;
  return {
    host,
    now,
    setTo,
    async create(...flags) {
      const { ok, text } = await askNcl(host.home, ['tasks', 'create', 'Andy', ...flags]);
      const [id] = /task-\w+/.exec(text) ?? [];
      assert.ok(ok && id, text);
      return id;
    },
    rest: () =>
      until(() => {
        const open = query('SELECT 1 FROM task_runs WHERE ended_at IS NULL').length;
        const due = query(
          "SELECT 1 FROM tasks WHERE status = 'active' AND next_at <= ?",
          new Date(now()).toISOString(),
        );
        return open === 0 && due.length === 0;
      }, 60_000),
    runs: (id) =>
      query('SELECT due_at, missed, status FROM task_runs WHERE task_id = ? ORDER BY due_at', id).map((row) => ({
        due: String(row.due_at).slice(0, 16),
        missed: Number(row.missed),
        status: String(row.status),
      })),
    async [Symbol.asyncDispose]() {
      await host[Symbol.asyncDispose]();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

describe('by a clock of the C library', {
  skip: LIBRARY ? false : 'libfaketime is not installed',
  concurrency: 2,
}, () => {
  test('a machine that sleeps through six times of three tasks wakes, and does what each of them says', async () => {
    await using clock = await startClocked('2027-02-01T07:30:00Z');
    const cast = await openCast(clock.host);
    const hourly = ['--when', '0 * * * *', '--timezone', 'UTC'];
    const [skip = '', once = '', all = ''] = await Promise.all(
      ['skip', 'once', 'all'].map((policy) =>
        clock.create(...hourly, '--prompt', `Reminder: ${policy}`, '--catch-up', policy),
      ),
    );
    clock.host.process.kill('SIGSTOP');
    clock.setTo('2027-02-01T13:30:00Z');
    clock.host.process.kill('SIGCONT');
    await until(() => clock.runs(all).length === 6);
    await until(() => !clock.runs(all).some(({ status }) => status === 'null'));
    assert.deepEqual(clock.runs(skip), [{ due: '2027-02-01T13:00', missed: 5, status: 'skipped' }]);
    assert.deepEqual(clock.runs(once), [{ due: '2027-02-01T13:00', missed: 5, status: 'answered' }]);
    assert.deepEqual(
      clock.runs(all),
      [8, 9, 10, 11, 12, 13].map((hour) => ({
        due: `2027-02-01T${String(hour).padStart(2, '0')}:00`,
        missed: 0,
        status: 'answered',
      })),
    );
    await until(() => clock.host.log().includes('the clock was set, or the machine slept'));
    // Each goes on with its next time, and none of what was comes again.
    clock.setTo('2027-02-01T12:00:00Z');
    await until(() => clock.host.log().match(/the clock was set/g)?.length === 2);
    clock.setTo('2027-02-01T14:00:01Z');
    await until(() => clock.runs(skip).at(-1)?.status === 'answered');
    await until(() => [once, all].every((id) => clock.runs(id).at(-1)?.status === 'answered'));
    for (const id of [skip, once, all]) {
      assert.deepEqual(clock.runs(id).at(-1), { due: '2027-02-01T14:00', missed: 0, status: 'answered' });
    }
    assert.equal(clock.runs(all).length, 7);
    const said = () =>
      cast
        .said(HERE)
        .join('\n')
        .match(/⏰ \w+/g) ?? [];
    await until(() => said().length === 10);
    assert.deepEqual(said().sort(), [...Array(7).fill('⏰ all'), ...Array(2).fill('⏰ once'), '⏰ skip']);
  });

  test('through both changes of the clocks, in three zones, each task comes as often as it should', async () => {
    await using clock = await startClocked('2027-03-13T00:00:00Z');
    const daily = async (zone: string, when: string) =>
      clock.create('--when', when, '--timezone', zone, '--prompt', 'stay silent', '--catch-up', 'all');
    for (const [zone, when, from, dues] of CHANGES) {
      clock.setTo(`${from}:00Z`);
      await until(() => clock.host.log().includes('the clock was set') || from === CHANGES[0]?.[2]);
      const [once, hourly] = await Promise.all([daily(zone, when), daily(zone, '40 * * * *')]);
      const begun = clock.now();
      // By steps that fall before, into and after the change.
      for (let hours = 14; hours <= 50; hours += 12) {
        clock.setTo(new Date(begun + hours * HOUR).toISOString());
        await clock.rest();
      }
      assert.deepEqual(
        clock.runs(once).map(({ due }) => due),
        dues,
        zone,
      );
      const times = clock.runs(hourly).map(({ due }) => Date.parse(`${due}Z`));
      const odd = times
        .slice(1)
        .flatMap((at, index) => (at - (times[index] ?? 0)) / HOUR)
        .filter((hours) => hours !== 1);
      // There the clocks move by half an hour.
      assert.deepEqual([times.length, odd], zone === 'Australia/Lord_Howe' ? [51, [0.5]] : [50, []], zone);
      for (const id of [once, hourly]) await askNcl(clock.host.home, ['tasks', 'cancel', id]);
    }
  });
});

/** What is due daily is due at these moments of UTC: in a gap at its end, of two the first. */
const CHANGES: readonly (readonly [zone: string, when: string, from: string, dues: readonly string[]])[] = [
  ['America/New_York', '30 2 * * *', '2027-03-13T12:00', ['2027-03-14T07:00', '2027-03-15T06:30']],
  ['Europe/Berlin', '30 2 * * *', '2027-03-27T12:00', ['2027-03-28T01:00', '2027-03-29T00:30']],
  ['Australia/Lord_Howe', '15 2 * * *', '2027-10-02T12:00', ['2027-10-02T15:30', '2027-10-03T15:15']],
  ['Europe/Berlin', '30 2 * * *', '2027-10-30T12:00', ['2027-10-31T00:30', '2027-11-01T01:30']],
  ['America/New_York', '30 1 * * *', '2027-11-06T12:00', ['2027-11-07T05:30', '2027-11-08T06:30']],
];

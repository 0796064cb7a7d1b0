import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { createAudit } from '../../src/audit/index.ts';
import { createLogger } from '../../src/log/index.ts';
import { pathsFor } from '../../src/paths.ts';
import { createInstall, type Install } from '../../test/support/central.ts';
import { createClockTrust } from './clock-trust.ts';
import { createHousekeeping } from './index.ts';

const DAY = 86_400_000;
const origin = { channel_type: 'terminal', platform_id: 'local', thread_id: null };
const logOf = (install: Install) => createLogger({ folder: join(install.root, 'logs'), secrets: () => [] });
const trustOf = (install: Install) => createClockTrust(install.db, join(install.root, 'data'), logOf(install));

function receive(install: Install, id: string, at: number): void {
  const sessionId = install.newSession().id;
  const timestamp = new Date(at).toISOString();
  install.messages.addInbound(
    { ...origin, id, sessionId, kind: 'chat', timestamp, trigger: true, content: { text: 'hi' } },
    at,
  );
  install.messages.settle(sessionId, id, 'completed', 'reply', at);
}

test('a clock that leaps ahead is not believed, nor after a restart, nor for what came in with it', () => {
  using install = createInstall();
  const now = Date.now();
  assert.ok(trustOf(install).believes(now, false));
  assert.ok(trustOf(install).believes(now + 29 * DAY, false));
  const wrong = now + 60 * DAY;
  assert.equal(trustOf(install).believes(wrong, false), false);
  receive(install, 'wrong', wrong);
  assert.equal(trustOf(install).believes(wrong + DAY, false), false);
  assert.match(trustOf(install).problem(wrong) ?? '', /nothing old is removed.*`ncl housekeeping`/);
  // Set right, it is.
  assert.ok(trustOf(install).believes(now, false));
  assert.equal(trustOf(install).problem(now), undefined);
});

test('where no time was noted, the newest message knows', () => {
  using install = createInstall();
  const now = Date.now();
  receive(install, 'one', now);
  assert.equal(trustOf(install).believes(now + 31 * DAY, false), false);
  assert.ok(trustOf(install).believes(now + 30 * DAY, false));
});

test('nothing goes by a clock that is not believed, until an owner runs it', async () => {
  using install = createInstall();
  // By a clock that was right then, this one is 400 days ahead.
  receive(install, 'old', Date.now() - 400 * DAY);
  const log = logOf(install);
  const { db, takeOver } = install;
  const parts = {
    db,
    paths: pathsFor(install.root),
    env: () => ({}),
    takeOver,
    audit: createAudit(db),
    deliver: () => undefined,
    log,
  };
  const isThere = (id: string) => db.prepare('SELECT 1 FROM messages WHERE id = ?').get(id) !== undefined;
  for (const start of ['the first', 'the next']) {
    const housekeeping = createHousekeeping(parts);
    await housekeeping.start();
    assert.deepEqual([(await housekeeping.run(false, false)).skipped, isThere('old')], [true, true], start);
    assert.match(housekeeping.problems().join(), /The clock says/);
    // What would go may be looked at.
    assert.equal((await housekeeping.run(true)).skipped, false);
    housekeeping.stop();
    receive(install, `new to ${start}`, Date.now());
  }
  const housekeeping = createHousekeeping(parts);
  assert.deepEqual([(await housekeeping.run(false)).skipped, isThere('old')], [false, false]);
  assert.deepEqual(housekeeping.problems(), []);
  assert.equal((await housekeeping.run(false, false)).skipped, false);
  housekeeping.stop();
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createInstall } from '../../test/support/central.ts';

test('what is open in a session is found as quickly after 20,000 messages as after none', () => {
  using install = createInstall();
  const { db, messages } = install;
  const session = install.newSession();
  const timed = (): number => {
    const begun = performance.now();
    for (let i = 0; i < 200; i += 1) {
      messages.openRows(session.id);
      messages.open(session.id);
      messages.due(session.id, Date.now());
      messages.countNotes(session.id);
      messages.dueSessions(Date.now());
    }
    return performance.now() - begun;
  };
  timed();
  const before = timed();
  db.exec(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)
    INSERT INTO messages (id, session_id, direction, seq, kind, timestamp, status, content, created_at)
    SELECT 'm' || i, '${session.id}', 'in', 2 * i, 'chat', '2026-01-01', 'completed', '{}', '2026-01-01' FROM n`);
  const after = timed();
  // Walking through them would take some hundred times as long.
  assert.ok(after < before * 10 + 50, `${before.toFixed(1)} ms before, ${after.toFixed(1)} ms after`);
});

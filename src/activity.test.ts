import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createActivities } from './activity.ts';
import type { OutboundSnapshot } from './mailbox/outbound-reader.ts';

const look = (phase: 'idle' | 'turn', tools: [id: string, timeout: number | null][] = []): OutboundSnapshot => ({
  messages: [],
  acks: [],
  more: false,
  phase: { phase, updated_at: '1970-01-01T00:00:00.000Z' },
  tools: tools.map(([id, declared_timeout_ms]) => ({
    id,
    tool: 'Bash',
    started_at: '2999-01-01T00:00:00.000Z',
    declared_timeout_ms,
  })),
});

test("times are the host's own, whatever the agent's file says", () => {
  let now = 1_000;
  const all = createActivities(() => now);
  all.started('s', 8);
  now = 2_000;
  all.seen('s', look('turn', [['a', 5_000]]));
  now = 3_000;
  all.seen(
    's',
    look('turn', [
      ['a', 5_000],
      ['b', null],
    ]),
  );
  const known = all.get('s');
  assert.equal(known?.turnSince, 2_000);
  assert.equal(known?.tools.get('a')?.since, 2_000, 'a tool that goes on keeps its start');
  assert.equal(known?.tools.get('b')?.since, 3_000);
  now = 4_000;
  all.settled('s');
  assert.equal(known?.turnSince, 4_000, 'what is left of a turn is measured anew');
  all.seen('s', look('idle'));
  assert.equal(known?.turnSince, null);
  assert.equal(known?.tools.size, 0);
});

test('a heartbeat lives as long as it changes, even into the past', () => {
  let now = 1_000;
  const all = createActivities(() => now);
  all.started('s', 0);
  assert.equal(all.looked('s', null, false)?.heartbeatAt, null);
  assert.equal(all.looked('s', 500, false)?.heartbeatAt, 1_000);
  now = 9_000;
  assert.equal(all.looked('s', 500, false)?.heartbeatAt, 1_000);
  assert.equal(all.looked('s', 400, false)?.heartbeatAt, 9_000);
  assert.equal(all.looked('s', null, false)?.heartbeatAt, 9_000, 'a file that is gone is no sign of life');
});

test('what waits is measured from the first look that found it', () => {
  let now = 1_000;
  const all = createActivities(() => now);
  all.started('s', 0);
  assert.equal(all.looked('s', null, true)?.dueSince, 1_000);
  now = 5_000;
  assert.equal(all.looked('s', null, true)?.dueSince, 1_000);
  assert.equal(all.looked('s', null, false)?.dueSince, null);
  assert.equal(all.ended('s')?.startedAt, 1_000);
  assert.equal(all.looked('s', null, true), undefined);
});

test('that it is needed is for the host to know', () => {
  let now = 1_000;
  const all = createActivities(() => now);
  all.started('s', 0);
  now = 2_000;
  const job = { id: 'a', what: 'Count', asked: null };
  all.seen('s', { ...look('turn', [['a', 5_000]]), background: [job] });
  assert.equal(all.looked('s', 7, false)?.neededAt, 1_000, 'neither its file nor its heartbeat says so');
  for (const needs of [() => all.touched('s'), () => all.settled('s'), () => all.looked('s', 7, true)]) {
    now += 1_000;
    needs();
    assert.equal(all.get('s')?.neededAt, now);
  }
});

test('a host that stood still holds it against nobody', () => {
  let now = 1_000;
  const all = createActivities(() => now);
  all.started('s', 0);
  all.seen('s', look('turn', [['a', 5_000]]));
  all.looked('s', 7, true);
  now += 3_600_000;
  all.paused(3_600_000);
  const known = all.get('s');
  const times = [known?.startedAt, known?.progressAt, known?.turnSince, known?.dueSince, known?.heartbeatAt];
  assert.deepEqual(times, Array(5).fill(now));
  assert.equal(known?.tools.get('a')?.since, now);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isoTime } from '@nanoclaw/protocol';
import { createActivities } from '../../src/activity.ts';
import { createInstall } from '../../test/support/central.ts';
import { createBehind } from './behind.ts';

/** What is said when work behind the turns comes to nothing, by why its sandbox has ended. */

const cases: [reason: string | undefined, text: string | undefined][] = [
  [undefined, 'was lost: my sandbox has ended.'],
  ['background', 'was ended: it took longer than two hours.'],
  ['place-needed', 'was ended: others needed its place.'],
  ['ncl', 'was ended by an admin.'],
  ['budget', 'was ended: my budget is used up.'],
  ['stop-command', undefined],
];
for (const [reason, text] of cases) {
  test(`ended by ${reason ?? 'itself'}`, () => {
    using install = createInstall();
    const { db, messages, deliveries, takeOver } = install;
    const session = install.newSession();
    const now = Date.now();
    const place = { channel_type: 'terminal', platform_id: 'local', thread_id: null };
    const content = { text: 'x', sender: 'A' };
    const row = { id: 'm1', sessionId: session.id, kind: 'chat' as const, timestamp: isoTime(now), trigger: true };
    messages.addInbound({ ...row, content, ...place }, now);
    const behind = createBehind({
      activity: createActivities(),
      deliveries,
      messages,
      takeOver,
      redact: (said) => said,
    });
    const said = behind.lost(session, [{ what: 'Count', asked: 'm1' }], reason ? { reason } : undefined, now);
    const texts = db.prepare("SELECT content ->> 'text' AS text FROM messages WHERE direction = 'out'").all();
    assert.equal(said.length, texts.length);
    const expected = text === undefined ? [] : [`⚠️ What I was doing in the background (Count) ${text}`];
    assert.deepEqual(
      texts.map((each) => each.text),
      expected,
    );
  });
}

test('one session for several chats: each sees its own, and hears what a command in another one has ended', () => {
  using install = createInstall();
  const { db, messages, deliveries, takeOver } = install;
  const session = install.newSession();
  const now = Date.now();
  const at = (platform_id: string) => ({ channel_type: 'terminal', platform_id, thread_id: null });
  for (const [id, chat] of Object.entries({ m1: 'home', m2: 'office', m3: 'office', m4: 'cellar' })) {
    const row = { id, sessionId: session.id, kind: 'chat' as const, timestamp: isoTime(now), trigger: true };
    messages.addInbound({ ...row, content: { text: 'x', sender: 'A' }, ...at(chat) }, now);
  }
  const activity = createActivities();
  activity.started(session.id, 0);
  const held = { status: 'processing' as const, status_changed: isoTime(now), error: null };
  activity.seen(session.id, {
    messages: [],
    acks: ['m2', 'm3', 'nobody-s'].map((message_id) => ({ message_id, ...held })),
    phase: null,
    tools: [],
    more: false,
    background: [
      { id: 'a', what: 'Mine', asked: 'm1' },
      { id: 'b', what: 'Theirs', asked: 'm4' },
      { id: 'c', what: 'Of nobody', asked: null },
    ],
  });
  const behind = createBehind({ activity, deliveries, messages, takeOver, redact: (said) => said });
  assert.equal(behind.inWords(session.id, at('home')), '3 in the background (Mine)');
  assert.ok(behind.isBusyFor(session.id, at('office')), 'what is nobody’s anybody may end');
  const said = behind.endedElsewhere(session, at('home'), now);
  const rows = db.prepare("SELECT platform_id, content ->> 'text' AS text FROM messages WHERE direction = 'out'").all();
  assert.equal(said.length, 2);
  assert.deepEqual(
    rows.map(({ platform_id, text }) => [platform_id, text]),
    [
      ['cellar', '⚠️ What I was doing in the background (Theirs) was ended by a command in another chat.'],
      ['office', '⚠️ What I was working on here was ended by a command in another chat. Ask me again.'],
    ],
  );
});

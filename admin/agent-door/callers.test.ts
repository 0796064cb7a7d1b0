import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isoTime } from '@nanoclaw/protocol';
import { transaction } from '../../src/db/group-commit.ts';
import { createRoles, ensureUser } from '../../src/people/roles.ts';
import { createInstall, type Install } from '../../test/support/central.ts';
import { createCallers, NOBODY } from './callers.ts';

/** For whom an agent acts, and what it may see by that, from the rows alone. */

const now = Date.parse('2026-11-21T08:00:00.000Z');
const owner = 'terminal:owner';
const ann = 'terminal:ann';

function stage() {
  const install = createInstall();
  const session = install.newSession();
  transaction(install.db, () => ensureUser(install.db, ann, 'Ann', now));
  const callers = createCallers(install.db, createRoles(install.db));
  let seconds = 0;
  return {
    install,
    session,
    callers,
    /** A message of somebody's, a second after the one before. */
    says(userId: string | null, { trigger = true } = {}): string {
      seconds += 1;
      return add(install, session.id, `m${seconds}`, userId, trigger, now + seconds * 1000);
    },
    settles(id: string): void {
      seconds += 1;
      transaction(install.db, () =>
        install.messages.settle(session.id, id, 'completed', 'silence', now + seconds * 1000),
      );
    },
    putsOff(id: string): void {
      transaction(install.db, () => install.messages.retry(session.id, id, now + 3_600_000));
    },
    scope: (to: string) => install.db.prepare('UPDATE container_configs SET cli_scope = ?').run(to),
    caller: () => callers.of(session, now + 60_000),
    [Symbol.dispose]: () => install[Symbol.dispose](),
  };
}

function add(install: Install, sessionId: string, id: string, userId: string | null, trigger: boolean, at: number) {
  const origin = { channel_type: 'terminal', platform_id: 'local', thread_id: null };
  const content = { text: 'hi', sender: 'Somebody' };
  const row = { id, sessionId, kind: 'chat', timestamp: isoTime(at), trigger, content, ...origin } as const;
  transaction(install.db, () => install.messages.addInbound({ ...row, ...(userId && { userId }) }, at));
  return id;
}

test('the owner alone: what the config says', () => {
  using on = stage();
  on.says(owner);
  for (const [to, seen] of [
    ['global', 'global'],
    ['group', 'group'],
    ['disabled', undefined],
  ] as const) {
    on.scope(to);
    assert.equal(on.caller()?.scope, seen);
  }
});

const cases: [name: string, play: (on: ReturnType<typeof stage>) => unknown, speakers: string[], scope: string][] = [
  ['nobody has said anything', () => {}, [], 'group'],
  ['a member alone', (on) => on.says(ann), [ann], 'group'],
  ['the weakest counts', (on) => [owner, ann].map((who) => on.says(who)), [ann, owner], 'group'],
  ['what nobody wrote has nobody’s rights', (on) => [owner, null].map((who) => on.says(who)), [NOBODY, owner], 'group'],
  [
    'context is nobody’s wish',
    (on) => [true, false].map((trigger) => on.says(trigger ? owner : ann, { trigger })),
    [owner],
    'global',
  ],
  [
    'what ended before is over',
    (on) => {
      on.settles(on.says(ann));
      on.says(owner);
    },
    [owner],
    'global',
  ],
  [
    'what ended beside an open one counts on: the agent itself says what has ended',
    (on) => {
      const hers = on.says(ann);
      on.says(owner);
      on.settles(hers);
    },
    [ann, owner],
    'group',
  ],
  [
    'it counts for as long as the other is open',
    (on) => {
      const hers = on.says(ann);
      const his = on.says(owner);
      on.settles(hers);
      on.settles(his);
      on.says(owner);
    },
    [owner],
    'global',
  ],
  [
    'what was tried and put off counts on: the agent itself says what has failed',
    (on) => {
      on.putsOff(on.says(ann));
      on.says(owner);
    },
    [ann, owner],
    'group',
  ],
];

for (const [name, play, speakers, scope] of cases) {
  test(name, () => {
    using on = stage();
    on.scope('global');
    play(on);
    const caller = on.caller();
    assert.deepEqual([caller?.speakers.toSorted(), caller?.scope], [speakers.toSorted(), scope]);
  });
}

test('another session’s owner lends nothing', () => {
  using on = stage();
  on.scope('global');
  on.says(ann);
  const other = transaction(on.install.db, () =>
    on.install.sessions.ensure(on.install.agentId, on.install.chatId, 't', now),
  );
  add(on.install, other.id, 'elsewhere', owner, true, now);
  assert.deepEqual(on.caller()?.speakers, [ann]);
  assert.equal(on.callers.of(other, now + 60_000)?.scope, 'global');
});

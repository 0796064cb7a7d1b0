import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createInstall } from '../test/support/central.ts';
import { until } from '../test/support/until.ts';
import { createLogger } from './log/index.ts';
import type { ReadResult } from './mailbox/outbound-reader.ts';
import { createMailboxPull } from './mailbox-pull.ts';

const EMPTY: ReadResult = { status: 'ok', snapshot: { messages: [], acks: [], phase: null, tools: [], more: false } };

/** A pull over a reader that answers when it is told to. */
function held(install: ReturnType<typeof createInstall>) {
  const { db, sessions, takeOver, root } = install;
  const asked: { recover: boolean; answer: (result: ReadResult) => void }[] = [];
  const mailbox = createMailboxPull({
    db,
    sessions,
    takeOver,
    reader: {
      read: (_box, _after, options) =>
        new Promise((answer) => asked.push({ recover: options?.recover ?? false, answer })),
      warm() {},
      async stop() {},
    },
    folders: () => ({
      session: root,
      box: root,
      inbound: root,
      home: root,
      claude: root,
      extra: root,
      group: root,
      run: root,
    }),
    perform() {},
    onSnapshot() {},
    onHostile: (_session, reason) => assert.fail(reason),
    log: createLogger({ folder: root, secrets: () => [] }),
  });
  return { mailbox, asked };
}

test('no plain read begins beside the last one, or after it', async () => {
  using install = createInstall();
  const { id } = install.newSession();
  const { mailbox, asked } = held(install);
  const first = mailbox.pull(id);
  const drained = mailbox.drain(id);
  void mailbox.pull(id);
  asked[0]?.answer(EMPTY);
  await first;
  await until(() => asked.length === 2);
  void mailbox.pull(id);
  asked[1]?.answer(EMPTY);
  assert.equal((await drained).complete, true);
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(
    asked.map(({ recover }) => recover),
    [false, true],
  );
});

test('a last read that finds no reader is tried again in its own time', async () => {
  using install = createInstall();
  const { id } = install.newSession();
  const { mailbox, asked } = held(install);
  const drained = mailbox.drain(id);
  await until(() => asked.length === 1);
  asked[0]?.answer({ status: 'busy' });
  await until(() => asked.length === 2);
  asked[1]?.answer(EMPTY);
  assert.equal((await drained).complete, true);
});

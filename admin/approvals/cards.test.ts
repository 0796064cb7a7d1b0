import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { MessageOutRow } from '@nanoclaw/protocol';
import type { ChannelAdapter, DeliveryResult, OutboundMessage } from '../../src/channels/adapter.ts';
import { transaction } from '../../src/db/group-commit.ts';
import { createDelivery } from '../../src/delivery/index.ts';
import { createLogger } from '../../src/log/index.ts';
import { createInstall, type Install } from '../../test/support/central.ts';
import { until } from '../../test/support/until.ts';

/** Cards and their changes, from the database to the adapter. */

const origin = { channel_type: 'terminal', platform_id: 'local', thread_id: null };
const card = { title: 'T', body: 'B', buttons: [{ data: 'a:appr-1:0', label: 'Allow' }] };

function setup(
  install: Install,
  rich: boolean,
  answer: (message: OutboundMessage) => DeliveryResult | undefined = () => undefined,
) {
  const calls: OutboundMessage[] = [];
  mkdirSync(join(install.root, 'logs'), { recursive: true });
  const adapter: ChannelAdapter = {
    channelType: 'terminal',
    capabilities: { threads: false, maxTextLength: 1e6, buttons: rich, edits: rich },
    start: async () => {},
    stop: async () => {},
    async deliver(message) {
      calls.push(message);
      return answer(message) ?? { status: 'sent', platformMessageId: `p-${message.id}` };
    },
    typing: () => {},
  };
  const queue = createDelivery({
    db: install.db,
    deliveries: install.deliveries,
    adapter: () => adapter,
    boxOf: () => undefined,
    scratch: join(install.root, 'scratch'),
    onDelivered: () => {},
    onUndeliverable: () => [],
    log: createLogger({ folder: join(install.root, 'logs'), secrets: () => [] }),
  });
  const say = (...[text, extra]: [string, Parameters<typeof install.takeOver.say>[5]?]) => {
    const id = transaction(install.db, () => install.takeOver.say(origin, null, text, null, Date.now(), extra));
    queue.enqueue([id]);
    return id;
  };
  const settled = (id: string) =>
    until(() =>
      ['sent', 'failed'].includes(
        String(install.db.prepare('SELECT status FROM deliveries WHERE message_id = ?').get(id)?.status),
      ),
    );
  return { calls, queue, say, settled };
}

test('a card has its buttons where there are some; elsewhere its text says it all', async () => {
  for (const rich of [true, false]) {
    using install = createInstall();
    const { calls, say, settled } = setup(install, rich);
    await settled(say('T\n\nB\n\n1. Allow', { card }));
    assert.deepEqual([calls[0]?.text, calls[0]?.card], ['T\n\nB\n\n1. Allow', rich ? card : undefined]);
  }
});

test('a change names the message as the platform does, found when it is sent', async () => {
  using install = createInstall();
  const { calls, say, settled } = setup(install, true);
  const first = say('card', { card });
  await settled(say('short', { edits: { message: first, text: 'whole' } }));
  assert.deepEqual([calls[1]?.text, calls[1]?.edits, calls[1]?.card], ['whole', `p-${first}`, undefined]);
});

test('where it can not be changed, or what it changes never arrived, a short message says it', async () => {
  using install = createInstall();
  const plain = setup(install, false);
  const first = plain.say('card', { card });
  await plain.settled(plain.say('short', { edits: { message: first, text: 'whole' } }));
  assert.deepEqual([plain.calls[1]?.text, plain.calls[1]?.edits], ['short', undefined]);
  const rich = setup(install, true);
  await rich.settled(rich.say('short', { edits: { message: 'note-unknown', text: 'whole' } }));
  assert.deepEqual([rich.calls[0]?.text, rich.calls[0]?.edits], ['short', undefined]);
});

test('a change that the platform refuses for good is said anew; one that is late is tried again as it was', async () => {
  using install = createInstall();
  let refusals = 0;
  const { calls, say, settled } = setup(install, true, ({ edits }) => {
    if (edits === undefined) return undefined;
    refusals += 1;
    return { status: 'failed', retryable: refusals === 1, retryAfterMs: 1, error: 'too old' };
  });
  const first = say('card', { card });
  await settled(say('short', { edits: { message: first, text: 'whole' } }));
  assert.deepEqual(
    calls.map(({ text }) => text),
    ['card', 'whole', 'whole', 'short'],
  );
});

test("an agent can't make a card or change one, whatever it writes", async () => {
  using install = createInstall();
  const { calls, queue, say, settled } = setup(install, true);
  const host = say('card', { card });
  await settled(host);
  const session = transaction(install.db, () => install.newSession());
  const contents = [
    { text: 'x', card },
    { text: 'x', edits: { message: host, text: 'whole' } },
    { text: 'x', edits: `p-${host}`, card: JSON.stringify(card) },
  ];
  const rows = contents.flatMap((content, index) =>
    [`note-${index}`, `../note-${index}`, host].map(
      (id, at): MessageOutRow => ({
        id: `${id}-${index}-${at}`,
        seq: index * 10 + at * 2 + 1,
        in_reply_to: null,
        timestamp: '2026-11-21T08:00:00.000Z',
        deliver_after: null,
        kind: 'chat',
        ...origin,
        content: JSON.stringify(content),
      }),
    ),
  );
  const snapshot = { messages: rows, acks: [], phase: null, tools: [], more: false };
  const { deliver } = transaction(install.db, () => install.takeOver.apply(session, snapshot, Date.now()));
  // With a card that nobody reads; what names a message that isn't its own is refused.
  assert.equal(deliver.length, 3);
  queue.enqueue(deliver);
  await settled(deliver.at(-1) ?? '');
  for (const call of calls.slice(1)) assert.deepEqual([call.text, call.card, call.edits], ['x', undefined, undefined]);
});

import assert from 'node:assert/strict';
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, test } from 'node:test';
import { readStored } from '../../cli/trace/stored.ts';
import { createOutboundReader } from '../../src/mailbox/outbound-reader.ts';
import { createMessagesApi, message, say, TEST_KEY, tool } from '../fakes/messages-api/index.ts';
import { addChats, addMembers, type Cast, openCast } from '../support/cast.ts';
import { startHost, type TestHost } from '../support/host-process.ts';
import { sandboxProcesses } from '../support/sandbox-search.ts';
import { startPlatform } from '../support/scripted/platform.ts';
import { until } from '../support/until.ts';

/** Questions of a real agent in a real sandbox: with buttons and without, and with everything that dies in between. */

const ASK = 'ask me Which colour?: blue, red';

async function again(host: TestHost): Promise<[TestHost, Cast]> {
  await host.end('SIGKILL');
  const next = await startHost({ home: host.home });
  return [next, await openCast(next)];
}

function query(home: string, sql: string): Record<string, unknown>[] {
  const db = new DatabaseSync(join(home, 'data/v2.db'), { readOnly: true, timeout: 10_000 });
  try {
    return db.prepare(sql).all();
  } finally {
    db.close();
  }
}

const waits = (home: string) => query(home, "SELECT 1 FROM questions WHERE status = 'open' AND waits = 1").length;

test('a question with buttons is answered there: the tool goes on, and the card shows who chose what', async () => {
  await using host = await startHost();
  const cast = await openCast(host);
  const sent = await cast.owner.says(ASK, { in: 'local' });
  const card = await cast.card({}, /Which colour\?/);
  assert.deepEqual(
    card.buttons.map(({ label }) => label),
    ['blue', 'red'],
  );
  assert.equal(await cast.owner.presses(card, 'red'), '✅ You: red');
  assert.equal(await sent.settled(), 'reply');
  assert.match(cast.said({}).at(-1) ?? '', /^owner answered: red$/i);
  assert.match(await cast.edited(card), /❓ Which colour\?\nChoose one\.\n\n✅ Owner: red/i);
  assert.equal(await cast.owner.presses(card, 'blue'), '✅ You: red');
  const steps = readStored(join(host.home, 'data/v2.db'), sent.messageIds[0]).steps.map(({ what, fields }) => [
    what,
    fields.answer,
  ]);
  assert.ok(
    steps.some(([what, answer]) => what === 'question answered' && answer === 'red'),
    JSON.stringify(steps),
  );
  // The same question in a turn of its own is another one.
  const later = await cast.owner.says(ASK, { in: 'local' });
  const second = await cast.card({}, /Which colour\?/);
  assert.notEqual(second.id, card.id);
  await cast.owner.presses(second, 'blue');
  assert.equal(await later.settled(), 'reply');
  assert.match(cast.said({}).at(-1) ?? '', /^owner answered: blue$/i);
});

test('in a group only those who asked for it answer; what others say meanwhile is answered after it', async () => {
  await using host = await startHost();
  addChats(host.home, [{ chat: 'family' }]);
  addMembers(host.home, ['terminal:kim', 'terminal:mel']);
  const cast = await openCast(host);
  const sent = await cast.user('kim').says(`@bot ${ASK}`, { in: 'family' });
  const card = await cast.card({ in: 'family' }, /Which colour\?/);
  assert.match(card.text, /\(for kim\)/);
  assert.equal(await cast.user('mel').presses(card, 'red'), 'This question is not for you.');
  assert.equal(await cast.user('eve').presses(card, 'red'), 'This question is not for you.');
  assert.match(await cast.user('kim').presses(card, 'red', { in: 'local' }), /^This card was passed on/);
  const [button] = card.buttons;
  for (const data of [`${button?.data}9`, 'q:q-0:0', 'q:', 'x:1']) {
    assert.equal(await cast.user('kim').pressesData(card, data, { in: 'family' }), 'This button has no use any more.');
  }
  const meanwhile = await cast.user('mel').says('@bot run echo meanwhile', { in: 'family' });
  // Her words are hers, not an answer.
  const word = await cast.user('mel').says('@bot red', { in: 'family' });
  assert.deepEqual([meanwhile.status, word.status], ['accepted', 'accepted']);
  assert.equal(waits(host.home), 1);
  assert.equal((await cast.user('kim').says('@bot Blue!', { in: 'family' })).status, 'answered');
  for (const each of [sent, meanwhile, word]) assert.equal(await each.settled(), 'reply');
  const said = cast.said({ in: 'family' });
  const answered = said.findIndex((text) => /^kim answered: blue$/.test(text));
  assert.ok(answered > 0 && said.findIndex((text) => /meanwhile/.test(text)) > answered, said.join(' | '));
});

test('where there are no buttons: by number, by word; what is no answer goes to the agent', async () => {
  using platform = await startPlatform();
  await using _host = await startHost({ platform, chats: ['a', 'b'] });
  for (const [chat, answer] of [
    ['a', '2'],
    ['b', 'RED.'],
  ] as const) {
    const asked = platform.send(chat, ASK);
    await until(() => platform.said(chat).some((text) => /1\. blue\n2\. red\n\nAnswer with the number/.test(text)));
    // Waiting for a person is no work.
    await until(() => platform.typing.findLast((one) => one.chat === chat)?.on === false);
    const other = platform.send(chat, 'what shall I say?');
    await until(() => platform.events.get(other)?.acceptance !== undefined);
    assert.equal(platform.events.get(other)?.acceptance?.status, 'stored');
    const eve = platform.send(chat, answer, { sender: 'scripted:eve' });
    await until(() => platform.events.get(eve)?.acceptance !== undefined);
    assert.equal(platform.events.get(eve)?.acceptance?.status, 'dropped');
    platform.send(chat, answer);
    await until(() => platform.events.get(asked)?.outcome === 'reply');
    assert.ok(platform.said(chat).includes('✅ You: red'), platform.said(chat).join(' | '));
    assert.ok(platform.said(chat).some((text) => /answered: red$/.test(text)));
  }
});

test('an answer after the limit reaches the agent as a message, in a turn of its own', async () => {
  await using host = await startHost();
  const cast = await openCast(host);
  const [told] = (await cast.owner.asks('ask me within 1 second Which colour?: blue, red', { in: 'local' })).slice(-1);
  assert.match(told ?? '', /^Nobody has answered within 1 s\. It can still be answered/);
  const card = await cast.card({}, /Which colour\?/);
  const [next, recast] = await again(host);
  await using _next = next;
  assert.equal(await recast.owner.presses(card, 'red'), '✅ You: red');
  await recast.seen({}, /^I am told: Your question “Which colour\?”: .*answered: red$/i);
});

test('a host that is killed while a question is open shows it once, and the answer after its start counts', async () => {
  await using host = await startHost();
  const cast = await openCast(host);
  await cast.owner.says(ASK, { in: 'local' });
  const card = await cast.card({}, /Which colour\?/);
  const [next, recast] = await again(host);
  await using _next = next;
  await until(() => waits(host.home) === 1);
  assert.equal(await recast.owner.presses(card, 'red'), '✅ You: red');
  await recast.seen({}, /^owner answered: red$/i);
  assert.match(await recast.edited(card), /✅ Owner: red/i);
  const asked = query(host.home, `SELECT count(*) AS n FROM messages WHERE content LIKE '%"buttons"%'`);
  assert.equal(asked[0]?.n, 1);
  assert.equal(recast.said({}).filter((text) => /answered: red/i.test(text)).length, 1);
});

/** Points at which the host dies, in the transaction that it is in; the answer is pressed before it, or after the next start. */
for (const [fault, pressedBefore] of [
  ['takeover.committing@1', false],
  ['takeover.committed@1', false],
  ['delivery.sending@1', false],
  ['delivery.called@1', false],
  ['accept.committing@2', true],
  ['accept.committed@2', true],
] as const) {
  test(`a host that dies at ${fault}: asked once, answered once`, async () => {
    const first = await startHost({ environment: { NANOCLAW_FAULT: fault } });
    const cast = await openCast(first);
    await cast.owner.says(ASK, { in: 'local' });
    if (pressedBefore) {
      const card = await cast.card({}, /Which colour\?/);
      // Nobody answers this press.
      const { socket } = await first.terminal();
      const press = { type: 'press', id: 'p1', card: card.id, data: card.buttons[1]?.data };
      socket.write(`${JSON.stringify(press)}\n`);
    }
    await until(() => first.process.signalCode === 'SIGKILL');
    await using next = await startHost({ home: first.home });
    const recast = await openCast(next);
    if (!(pressedBefore && fault.startsWith('accept.committed'))) {
      await until(() => query(next.home, "SELECT 1 FROM questions WHERE status = 'open'").length === 1);
      const [row] = query(next.home, 'SELECT id, message_id FROM questions');
      const press = () => recast.owner.pressesData({ id: String(row?.message_id) }, `q:${row?.id}:1`, { in: 'local' });
      assert.equal(await press(), '✅ You: red');
    }
    await recast.seen({}, /^owner answered: red$/i);
    assert.equal(query(next.home, 'SELECT 1 FROM questions').length, 1);
    const cards = query(
      next.home,
      `SELECT d.status FROM messages m JOIN deliveries d ON d.message_id = m.id
      WHERE m.content LIKE '%"buttons"%'`,
    );
    assert.equal(cards.length, 1);
    await next.end();
    rmSync(first.home, { recursive: true, force: true });
  });
}

test('a sandbox that is killed while a question is open: an answer that comes meanwhile is there when it asks again', async () => {
  await using host = await startHost();
  const cast = await openCast(host);
  const sent = await cast.owner.says(ASK, { in: 'local' });
  const card = await cast.card({}, /Which colour\?/);
  await until(() => waits(host.home) === 1);
  for (const pid of sandboxProcesses(boxOf(host))) process.kill(pid, 'SIGKILL');
  await cast.seen({}, /I'll try again/);
  assert.equal(await cast.owner.presses(card, 'blue'), '✅ You: blue');
  assert.equal(await sent.settled(), 'reply');
  assert.match(cast.said({}).at(-1) ?? '', /^owner answered: blue$/i);
  assert.equal(cast.said({}).filter((text) => text.startsWith('❓')).length, 1);
});

test('/stop ends the question', async () => {
  await using host = await startHost();
  const cast = await openCast(host);
  const sent = await cast.owner.says(ASK, { in: 'local' });
  const card = await cast.card({}, /Which colour\?/);
  await cast.owner.says('/stop', { in: 'local' });
  assert.equal(await sent.settled(), 'stopped');
  assert.match(await cast.edited(card), /⏹️ This is not asked any more\./);
  assert.match(await cast.owner.presses(card, 'red'), /not asked any more/);
  assert.match((await cast.owner.asks('ping', { in: 'local' })).join(), /pong/);
});

test('elsewhere it is asked only where the agent may send, and whoever may talk to it there answers', async () => {
  await using host = await startHost();
  addChats(host.home, [{ chat: 'family' }, { chat: 'work' }]);
  addMembers(host.home, ['terminal:kim']);
  const db = new DatabaseSync(join(host.home, 'data/v2.db'), { timeout: 10_000 });
  db.exec(
    `INSERT INTO agent_destinations SELECT id, 'family', 'channel', 'mg-terminal-family', '2026-01-01T00:00:00.000Z' FROM agent_groups`,
  );
  db.close();
  const cast = await openCast(host);
  const [refused] = await cast.owner.asks('ask work Which colour?: blue, red', { in: 'local' });
  assert.match(refused ?? '', /There is no destination "work"\. Known destinations: .*family/);
  const sent = await cast.owner.says('ask family Which colour?: blue, red', { in: 'local' });
  const card = await cast.card({ in: 'family' }, /Which colour\?/);
  assert.equal(await cast.user('eve').presses(card, 'red'), 'This question is not for you.');
  assert.equal(await cast.user('kim').presses(card, 'red'), '✅ You: red');
  assert.equal(await sent.settled(), 'reply');
  assert.match(cast.said({}).at(-1) ?? '', /^kim answered: red$/);
});

test('a card does not wait; a message is changed; a reaction says what became of it', async () => {
  await using host = await startHost();
  const cast = await openCast(host);
  const [shown] = (await cast.owner.asks('show me Pick one: left, right', { in: 'local' })).slice(-1);
  assert.match(shown ?? '', /^It is shown with its buttons/);
  const card = await cast.card({}, /Pick one/);
  assert.equal(await cast.owner.presses(card, 'left'), '✅ You: left');
  await cast.seen({}, /^I am told: Your question “Pick one”: owner answered: left$/i);
  const [changed] = (await cast.owner.asks('say first words, then other words', { in: 'local' })).slice(-1);
  assert.match(changed ?? '', /^Delivered\.$/);
  const first = await cast.seen({}, /^first words$/);
  assert.equal(await cast.edited(first), 'other words');
  const [reacted] = (await cast.owner.asks('react with 👍', { in: 'local' })).slice(-1);
  assert.match(reacted ?? '', /^That did not work: No reactions can be shown here\.$/);
  const [wrong] = (await cast.owner.asks('ask me What?: one, ONE.', { in: 'local' })).slice(-1);
  assert.match(wrong ?? '', /^That did not work: It could not be asked: an option is empty, or there twice\.$/);
  const [many] = (await cast.owner.asks('ask me What?: 1, 2, 3, 4, 5, 6, 7, 8, 9', { in: 'local' })).slice(-1);
  assert.match(many ?? '', /^That did not work: /);
});

test('a real harness waits for the answer as long as it takes, as a tool that has declared it; /stop ends that', async () => {
  const api = await createMessagesApi();
  const env = { ANTHROPIC_API_KEY: TEST_KEY, ANTHROPIC_BASE_URL: api.url };
  await using host = await startHost({ provider: 'claude', env });
  const cast = await openCast(host);
  const ask = () =>
    message(
      tool('mcp__nanoclaw__ask_user_question', {
        title: 'Colour',
        question: 'Which colour?',
        options: ['blue', 'red'],
        timeout_seconds: 1200,
      }),
    );
  api.script(ask(), say('so be it'), ask());
  const sent = await cast.owner.says('go', { in: 'local' });
  const card = await cast.card({}, /Which colour\?/);
  await until(async () =>
    (await inFlight(host)).some(([name, ms]) => /ask_user_question/.test(name) && ms === 1_260_000),
  );
  await cast.owner.presses(card, 'red');
  assert.equal(await sent.settled(), 'reply');
  assert.equal(cast.said({}).at(-1), 'so be it');
  assert.match(JSON.stringify(api.messages.at(-1)), /owner answered: red/i);
  const second = await cast.owner.says('again', { in: 'local' });
  const open = await cast.card({}, /Which colour\?/);
  assert.notEqual(open.id, card.id);
  await cast.owner.says('/stop', { in: 'local' });
  assert.equal(await second.settled(), 'stopped');
  assert.match(await cast.edited(open), /not asked any more/);
  api.script(say('here again'));
  assert.match((await cast.owner.asks('hello', { in: 'local' })).join(), /here again/);
  await api.close();
});

test('one session for all chats: it asks where it was asked, and in a thread', async () => {
  await using host = await startHost();
  addChats(host.home, [{ chat: 'family' }]);
  addMembers(host.home, ['terminal:kim']);
  const db = new DatabaseSync(join(host.home, 'data/v2.db'), { timeout: 10_000 });
  db.exec("UPDATE messaging_group_agents SET session_mode = 'agent-shared'");
  db.close();
  const cast = await openCast(host);
  const sent = await cast.user('kim').says(`@bot ${ASK}`, { in: 'family' });
  const card = await cast.card({ in: 'family' }, /Which colour\?/);
  assert.equal(query(host.home, 'SELECT 1 FROM sessions WHERE messaging_group_id IS NULL').length, 1);
  assert.equal(await cast.user('kim').presses(card, 'blue'), '✅ You: blue');
  assert.equal(await sent.settled(), 'reply');
  const late = 'ask me within 1 second Which size?: small, large';
  await cast.user('kim').asks(`@bot ${late}`, { in: 'family' });
  await cast.user('kim').presses(await cast.card({ in: 'family' }, /Which size\?/), 'large');
  await cast.seen({ in: 'family' }, /^I am told: Your question “Which size\?”: kim answered: large$/);
});

/** The host's own way to look. */
const reader = createOutboundReader({ log: () => {} });
after(() => reader.stop());

/** What the sandbox of the only session runs, as its file says. */
async function inFlight(host: TestHost): Promise<[string, number | null][]> {
  const read = await reader.read(boxOf(host), 0);
  return read.status === 'ok' ? read.snapshot.tools.map((each) => [each.tool, each.declared_timeout_ms]) : [];
}

function boxOf(host: TestHost): string {
  const root = join(host.home, 'data/v2-sessions');
  const [agent = ''] = readdirSync(root);
  const [session = ''] = readdirSync(join(root, agent));
  return join(root, agent, session, 'box');
}

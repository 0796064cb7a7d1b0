import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { openTestClient, type TestClient } from '../../cli/sockets/test-client.ts';
import type {
  Acceptance,
  ButtonPress,
  ChannelAdapter,
  ChannelHost,
  DeliveryResult,
  InboundEvent,
  OutboundMessage,
} from '../../src/channels/adapter.ts';
import { createLogger, type Logger } from '../../src/log/index.ts';
import { createTerminals } from './index.ts';

let folder: string;
let log: Logger;
let adapter: ChannelAdapter;
let second: ChannelAdapter;
let presses: ButtonPress[];
let events: InboundEvent[];
let available: string[];
let answer: (event: InboundEvent) => Acceptance;
let clients: TestClient[];

const path = () => join(folder, 'cli.sock');
const reply = (change: Partial<OutboundMessage> = {}): OutboundMessage => ({
  id: 'out-1',
  platformId: 'local',
  threadId: null,
  text: 'hello',
  progress: false,
  files: [],
  ...change,
});
const isType = (type: string) => (frame: Record<string, unknown>) => frame.type === type;

/** One that asks for nothing, as all did before there were chats to ask for. */
async function silent(): Promise<TestClient> {
  const opened = await openTestClient(path());
  clients.push(opened);
  return opened;
}

/** One that watches these places; without any, the owner's chat. */
async function client(...places: { channel?: string; chat?: string }[]): Promise<TestClient> {
  const opened = await silent();
  for (const place of places.length > 0 ? places : [{}]) {
    await opened.send({ type: 'watch', id: JSON.stringify(place), ...place });
    await opened.next((frame) => frame.type === 'watching' && frame.id === JSON.stringify(place));
  }
  return opened;
}

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'term-'));
  log = createLogger({ folder, secrets: () => [] });
  events = [];
  presses = [];
  available = [];
  clients = [];
  answer = (event) => ({ status: 'stored', messageIds: [`msg-${event.platformMessageId}`] });
  const [first, other] = createTerminals({ socketPath: path(), log, env: { NANOCLAW_TERMINALS: '2' } });
  assert.ok(other);
  [adapter, second] = [first, other];
  const host: ChannelHost = {
    accept: async (event) => {
      events.push(event);
      return answer(event);
    },
    press: async (press) => {
      presses.push(press);
      return `You chose ${press.data}.`;
    },
    available: (channelType) => available.push(channelType),
  };
  await Promise.all([first.start(host), other.start(host)]);
});

afterEach(async () => {
  for (const { socket } of clients) socket.destroy();
  await adapter.stop();
  log.close();
  rmSync(folder, { recursive: true });
});

test('a message becomes an event of the owner and is accepted after the host has it', async () => {
  const one = await client();
  await one.send({ type: 'message', id: 'a', text: 'h\u00e9 \0 \ud800 </message>' });
  assert.deepEqual(await one.next(isType('accepted')), { type: 'accepted', id: 'a', messageIds: ['msg-a'] });
  const [event] = events;
  assert.ok(event);
  assert.equal(event.text, 'h\u00e9 \uFFFD \uFFFD </message>');
  assert.equal(event.senderId, 'terminal:owner');
  assert.equal(event.platformId, 'local');
  assert.equal(event.platformMessageId, 'a');
  assert.match(event.timestamp, /^\d{4}-.*Z$/);
});

const acceptances: [acceptance: Acceptance, frame: Record<string, unknown>][] = [
  [{ status: 'duplicate' }, { type: 'accepted', id: 'a', messageIds: [], duplicate: true }],
  [{ status: 'held' }, { type: 'accepted', id: 'a', messageIds: [], held: true }],
  [
    { status: 'answered', messageIds: ['m'] },
    { type: 'accepted', id: 'a', messageIds: ['m'], answered: true },
  ],
  [
    { status: 'dropped', reason: 'no wiring' },
    {
      type: 'refused',
      id: 'a',
      code: 'NC_MESSAGE_DROPPED',
      sentence: 'No agent took the message. The reason is: no wiring.',
    },
  ],
  [
    { status: 'dropped', reason: 'unknown-chat' },
    {
      type: 'refused',
      id: 'a',
      code: 'NC_MESSAGE_DROPPED',
      sentence:
        'No agent took the message. No agent listens in that chat: mention @bot there to ask for one, or use `ncl wirings create`.',
    },
  ],
  [
    { status: 'refused', code: 'NC_CLOCK', sentence: 'The clock.' },
    { type: 'refused', id: 'a', code: 'NC_CLOCK', sentence: 'The clock.' },
  ],
];
for (const [acceptance, frame] of acceptances) {
  test(`a client is told of "${acceptance.status}"`, async () => {
    answer = () => acceptance;
    const one = await client();
    await one.send({ type: 'message', id: 'a', text: 'x' });
    assert.deepEqual(await one.next((line) => line.id === 'a'), frame);
  });
}

const refused: [what: string, line: unknown, code: string, id: string | null][] = [
  ['nothing', { type: 'message', id: 'a', text: '' }, 'NC_MESSAGE_EMPTY', 'a'],
  ['blanks', { type: 'message', id: 'a', text: ' \n\t' }, 'NC_MESSAGE_EMPTY', 'a'],
  ['more than 256 KB', { type: 'message', id: 'a', text: 'é'.repeat(128 * 1024 + 1) }, 'NC_MESSAGE_TOO_LARGE', 'a'],
  ['more than 1 MB', { type: 'message', id: 'a', text: 'x'.repeat(10 * 1024 * 1024) }, 'NC_MESSAGE_TOO_LARGE', null],
  ['no text', { type: 'message', id: 'a' }, 'NC_USAGE', null],
  ['another type', { type: 'settled', id: 'a' }, 'NC_USAGE', null],
  ['a list', [], 'NC_USAGE', null],
  ['a channel that is not there', { type: 'message', id: 'a', text: 'x', channel: 'terminal-3' }, 'NC_NOT_FOUND', 'a'],
  ['a watch of no channel', { type: 'watch', id: 'a', channel: '__proto__' }, 'NC_NOT_FOUND', 'a'],
  ['a watch of no chat', { type: 'watch', id: 'a', chat: '../x' }, 'NC_USAGE', 'a'],
  ['a chat with a blank', { type: 'message', id: 'a', text: 'x', chat: 'the family' }, 'NC_USAGE', 'a'],
  ['every chat', { type: 'message', id: 'a', text: 'x', chat: '*' }, 'NC_USAGE', 'a'],
  ['a user of two channels', { type: 'message', id: 'a', text: 'x', user: 'terminal:eve' }, 'NC_USAGE', 'a'],
  ['a user without a name', { type: 'message', id: 'a', text: 'x', user: '' }, 'NC_USAGE', 'a'],
  ['a long name', { type: 'message', id: 'a', text: 'x', user: 'x'.repeat(65) }, 'NC_USAGE', 'a'],
  ['a thread with a line end', { type: 'message', id: 'a', text: 'x', thread: 'a\n' }, 'NC_USAGE', 'a'],
  ['a press of nothing', { type: 'press', id: 'a', card: 'c', data: '' }, 'NC_USAGE', null],
  ['a press by nobody', { type: 'press', id: 'a', card: 'c', data: 'd', user: '\u202e' }, 'NC_USAGE', 'a'],
];
for (const [what, line, code, id] of refused) {
  test(`${what} is refused with a sentence, and the connection goes on`, async () => {
    const one = await client();
    await one.send(line);
    const frame = await one.next(isType('refused'));
    assert.deepEqual([frame.code, frame.id], [code, id]);
    assert.match(String(frame.sentence), /^[A-Z].*\.$/);
    await one.send({ type: 'message', id: 'after', text: 'x', chat: 'local', user: 'owner', thread: null });
    await one.next((next) => next.type === 'accepted' && next.id === 'after');
    assert.equal(events.length, 1);
  });
}

test('what is no JSON is refused; a character cut by chunks arrives whole', async () => {
  const one = await client();
  one.socket.write('no json\n\n');
  assert.equal((await one.next(isType('refused'))).code, 'NC_USAGE');
  const bytes = Buffer.from(`${JSON.stringify({ type: 'message', id: 'a', text: 'é€😀' })}\n`);
  for (const byte of bytes) {
    one.socket.write(Buffer.from([byte]));
    await new Promise(setImmediate);
  }
  await one.next(isType('accepted'));
  assert.equal(events[0]?.text, 'é€😀');
});

test('a reply, progress, typing and the end of a turn go to every client', async () => {
  const all = [await client(), await client()];
  adapter.typing('local', null, true);
  assert.deepEqual(await adapter.deliver(reply({ progress: true, text: 'looking' })), { status: 'sent' });
  assert.equal((await adapter.deliver(reply({ inReplyTo: 'msg-a' }))).status, 'sent');
  adapter.typing('local', null, false);
  adapter.settled?.('local', 'a', 'reply');
  for (const one of all) {
    assert.deepEqual(await one.next(isType('typing')), { type: 'typing', on: true });
    assert.deepEqual(await one.next(isType('progress')), { type: 'progress', text: 'looking' });
    const message = { type: 'message', id: 'out-1', text: 'hello', files: [], inReplyTo: 'msg-a' };
    assert.deepEqual(await one.next(isType('message')), message);
    assert.deepEqual(await one.next(isType('typing')), { type: 'typing', on: false });
    assert.deepEqual(await one.next(isType('settled')), { type: 'settled', id: 'a', outcome: 'reply' });
  }
});

test('with nobody there a reply waits, and the host is told when somebody comes', async () => {
  const away = { status: 'failed', retryable: true, offline: true, error: 'Nobody watches that chat.' };
  assert.deepEqual(await adapter.deliver(reply()), away);
  const one = await client();
  assert.deepEqual(available, ['terminal']);
  one.socket.destroy();
  await one.closed;
  while ((await adapter.deliver(reply())).status === 'sent') await new Promise(setImmediate);
  assert.deepEqual(await adapter.deliver(reply()), away);
});

test('a chat that can not be is an error for good', async () => {
  await client({ chat: '*' });
  const result = await adapter.deliver(reply({ platformId: 'else where' }));
  assert.ok(result.status === 'failed' && !result.retryable && result.error.includes('else where'));
});

const voices: [who: Record<string, unknown>, event: Partial<InboundEvent>][] = [
  [{}, { platformId: 'local', senderId: 'terminal:owner', threadId: null, isMention: true, isGroup: false }],
  [{ user: 'ann' }, { platformId: 'local', senderId: 'terminal:ann', senderName: 'ann', isGroup: false }],
  [
    { user: 'ann', chat: 'dm-ann' },
    { platformId: 'dm-ann', isMention: true, isGroup: false },
  ],
  [{ user: 'ann', chat: `dm-${'x'.repeat(64)}` }, { isGroup: false }],
  [
    { chat: 'family', thread: 't1' },
    { platformId: 'family', threadId: 't1', isMention: false, isGroup: true },
  ],
  [
    { chat: 'family', thread: null },
    { threadId: null, chatName: 'family' },
  ],
  [{ chat: 'family', text: 'well, @Bot: hi' }, { isMention: true }],
  [{ chat: 'family', text: 'me@bot or @bottle' }, { isMention: false }],
  [
    { channel: 'terminal-2', user: 'ann' },
    { channelType: 'terminal-2', senderId: 'terminal-2:ann' },
  ],
  [{ replyTo: { id: 'out-1', text: 'x\0' } }, { replyTo: { id: 'out-1', sender: 'bot', text: 'x\uFFFD' } }],
];
for (const [who, expected] of voices) {
  test(`${JSON.stringify(who)} speaks as ${JSON.stringify(expected)}`, async () => {
    const one = await client();
    await one.send({ type: 'message', id: 'a', text: 'hello', ...who });
    await one.next(isType('accepted'));
    const [event] = events;
    assert.ok(event);
    assert.deepEqual({ ...event, ...expected }, event);
  });
}

test('each chat is told to those who watch it, with its place', async () => {
  const family = await client({ chat: 'family' });
  const both = await client({ chat: 'dm-ann' }, { channel: 'terminal-2', chat: 'family' });
  const all = await client({ chat: '*' });
  assert.equal((await second.deliver(reply({ platformId: 'local' }))).status, 'failed', 'nobody is there');
  await adapter.deliver(reply({ id: 'one', platformId: 'family', threadId: 't1' }));
  await adapter.deliver(reply({ id: 'two', platformId: 'dm-ann' }));
  await second.deliver(reply({ id: 'three', platformId: 'family' }));
  second.typing('family', null, true);
  adapter.settled?.('family', 'x', 'silence');
  const told = async (one: TestClient, id: string) => {
    const { channel, chat, thread } = await one.next((frame) => frame.id === id && frame.type === 'message');
    return { channel, chat, thread };
  };
  const [none, t1] = [undefined, 't1'];
  assert.deepEqual(await told(family, 'one'), { channel: none, chat: 'family', thread: t1 });
  assert.deepEqual(await told(all, 'one'), { channel: none, chat: 'family', thread: t1 });
  // The first that each is told: nothing came before it.
  assert.deepEqual(await both.next(isType('message')), { ...(await all.next(isType('message'))), id: 'two' });
  assert.deepEqual(await told(both, 'three'), { channel: 'terminal-2', chat: 'family', thread: none });
  assert.deepEqual(await both.next(isType('typing')), {
    type: 'typing',
    on: true,
    channel: 'terminal-2',
    chat: 'family',
  });
  const settled = { type: 'settled', id: 'x', outcome: 'silence', chat: 'family' };
  assert.deepEqual([await family.next(isType('settled')), await all.next(isType('settled'))], [settled, settled]);
});

test('whoever comes later is told where the agent works', async () => {
  await client({ chat: 'family' });
  adapter.typing('family', 't1', true);
  adapter.typing('family', 't2', true);
  adapter.typing('family', 't2', false);
  const late = await client({ chat: 'local' }, { chat: 'family' });
  assert.deepEqual(await late.next(isType('typing')), { type: 'typing', on: true, chat: 'family', thread: 't1' });
  adapter.typing('family', 't1', false);
  assert.equal((await late.next(isType('typing'))).on, false);
});

const card = {
  title: 'A stranger',
  body: 'Bob wants in.',
  buttons: [
    { data: 'ap-1/0', label: 'Allow' },
    { data: 'ap-1/1', label: 'Deny' },
  ],
};

test('a card is shown, pressed, edited; one that is open is shown to whoever comes', async () => {
  const one = await client();
  const sent = await adapter.deliver(reply({ id: 'c-1', text: 'Bob wants in: /approve', card }));
  assert.deepEqual(sent, { status: 'sent', platformMessageId: 'c-1' });
  const shown = await one.next(isType('card'));
  assert.deepEqual([shown.id, shown.title, shown.body, shown.buttons], ['c-1', card.title, card.body, card.buttons]);
  await one.send({ type: 'press', id: 'p', card: 'c-1', data: 'ap-1/1', user: 'ann', chat: 'family', thread: 't' });
  assert.deepEqual(await one.next(isType('pressed')), { type: 'pressed', id: 'p', text: 'You chose ap-1/1.' });
  assert.deepEqual(presses, [
    {
      channelType: 'terminal',
      platformId: 'family',
      threadId: 't',
      platformMessageId: 'c-1',
      senderId: 'terminal:ann',
      senderName: 'ann',
      data: 'ap-1/1',
    },
  ]);

  const left = { ...card, buttons: card.buttons.slice(1) };
  assert.equal(
    (await adapter.deliver(reply({ id: 'e-1', text: 'Once more?', edits: 'c-1', card: left }))).status,
    'sent',
  );
  const edited = { type: 'edited', id: 'c-1', text: 'Once more?', buttons: left.buttons };
  assert.deepEqual(await one.next(isType('edited')), edited);
  const two = await client();
  assert.deepEqual((await two.next(isType('card'))).buttons, left.buttons);

  const done = await adapter.deliver(reply({ id: 'e-2', text: 'Denied by ann.', edits: 'c-1' }));
  assert.deepEqual(done, { status: 'sent', platformMessageId: 'c-1' });
  assert.deepEqual(await two.next(isType('edited')), { type: 'edited', id: 'c-1', text: 'Denied by ann.' });
  const three = await client();
  await adapter.deliver(reply({ id: 'after' }));
  assert.equal((await three.next(({ type }) => type === 'card' || type === 'message')).id, 'after');
});

test('a card that is settled while nobody looks is shown to nobody who comes, but how it ended is', async () => {
  const one = await client();
  await adapter.deliver(reply({ id: 'c-1', text: 'Bob wants in: /approve', card }));
  await one.next(isType('card'));
  one.socket.destroy();
  const edit = reply({ id: 'e-1', text: 'Denied by ann.', edits: 'c-1' });
  // Until it is noticed that it has gone, it is told.
  const isAway = (result: DeliveryResult) => result.status === 'failed' && result.offline === true;
  while (!isAway(await adapter.deliver(reply({ id: 'x' })))) await new Promise(setImmediate);
  assert.ok(isAway(await adapter.deliver(edit)));
  const two = await client();
  assert.equal((await adapter.deliver(edit)).status, 'sent');
  const [first] = [await two.next(({ type }) => type === 'card' || type === 'edited')];
  assert.deepEqual(first, { type: 'edited', id: 'c-1', text: 'Denied by ann.' });
});

test('a client that asks for no chat has the owner’s, and a card as a text', async () => {
  const one = await silent();
  while (available.length === 0) await new Promise(setImmediate);
  await adapter.deliver(reply({ id: 'c-1', text: 'Bob wants in: /approve', card }));
  await adapter.deliver(reply({ id: 'e-1', text: 'Denied.', edits: 'c-1' }));
  assert.deepEqual(
    [(await one.next(isType('message'))).text, (await one.next(isType('message'))).text],
    ['Bob wants in: /approve', 'Denied.'],
  );
  const quick = await silent();
  await quick.send({ type: 'message', id: 'a', text: 'x' });
  await quick.next(isType('accepted'));
  assert.equal((await adapter.deliver(reply())).status, 'sent');
  await quick.next(isType('message'));
});

test('a DM is opened with anybody who can be named', async () => {
  const handles = ['owner', 'ann', 'a b', ''];
  const chats = await Promise.all(handles.map((handle) => second.openDm?.(handle)));
  assert.deepEqual(chats, ['local', 'dm-ann', undefined, undefined]);
});

test('instances are as many as are asked for, each with its own threads', () => {
  const made = (env: Record<string, string>) =>
    createTerminals({ socketPath: path(), log, env }).map(
      ({ channelType, capabilities }) => `${channelType}${capabilities.threads ? ' with threads' : ''}`,
    );
  assert.deepEqual(made({}), ['terminal with threads']);
  assert.deepEqual(made({ NANOCLAW_TERMINALS: 'many' }), ['terminal with threads']);
  const three = { NANOCLAW_TERMINALS: '3', NANOCLAW_TERMINAL_THREADS: 'terminal-3' };
  assert.deepEqual(made(three), ['terminal with threads', 'terminal-2', 'terminal-3 with threads']);
  assert.equal(made({ NANOCLAW_TERMINALS: '1e9' }).length, 9);
});

test('files are kept under names that lead nowhere else', async () => {
  const one = await client();
  const source = join(folder, 'source');
  writeFileSync(source, 'content');
  const names = [
    'a.txt',
    '../../A.txt',
    '.bashrc',
    'x/../y',
    'a.txt',
    '',
    `${'n'.repeat(300)}.pdf`,
    'r\u202etxt.exe\u001b',
  ];
  const files = names.map((name) => ({ name, path: source, size: 7 }));
  await adapter.deliver(reply({ id: '../out', files }));
  const frame = await one.next(isType('message'));
  assert.ok(Array.isArray(frame.files));
  const kept = join(folder, 'received', '__out');
  for (const file of frame.files) {
    assert.equal(join(kept, file.name), file.path);
    assert.equal(readFileSync(file.path, 'utf8'), 'content');
  }
  assert.equal(new Set(frame.files.map((file) => file.path)).size, names.length);
  assert.equal(statSync(kept).mode & 0o077, 0);
});

test('a file that can not be kept is told to the host, to be tried again', async () => {
  await client();
  const result = await adapter.deliver(reply({ files: [{ name: 'a', path: join(folder, 'not-there'), size: 1 }] }));
  assert.ok(result.status === 'failed' && result.retryable && !result.offline && /ENOENT/.test(result.error));
});

test('a message sent again is told how it ended', async () => {
  const one = await client();
  adapter.settled?.('local', 'a', 'silence');
  answer = () => ({ status: 'duplicate' });
  const two = await client();
  await two.send({ type: 'message', id: 'a', text: 'x' });
  assert.equal((await two.next(isType('settled'))).outcome, 'silence');
  await one.next(isType('settled'));
});

test('a client that does not read does not hold up the others', async () => {
  const stuck = await client();
  stuck.socket.pause();
  const reading = await client();
  for (let number = 0; number < 40; number++) {
    const result = await adapter.deliver(reply({ id: `out-${number}`, text: 'x'.repeat(200_000) }));
    assert.equal(result.status, 'sent');
    await reading.next((frame) => frame.id === `out-${number}`);
  }
});

test('stopping tells the clients and ends them', async () => {
  const one = await client();
  await adapter.stop();
  await one.next(isType('ended'));
  await one.closed;
});

import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { createLogger, type Logger } from '../../log/index.ts';
import { openTestClient, type TestClient } from '../../sockets/test-client.ts';
import type { Acceptance, ChannelAdapter, InboundEvent, OutboundMessage } from '../adapter.ts';
import { createTerminalAdapter } from './index.ts';

let folder: string;
let log: Logger;
let adapter: ChannelAdapter;
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

async function client(): Promise<TestClient> {
  const before = available.length;
  const opened = await openTestClient(path());
  clients.push(opened);
  while (available.length === before) await new Promise(setImmediate);
  return opened;
}

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'term-'));
  log = createLogger({ folder, secrets: () => [] });
  events = [];
  available = [];
  clients = [];
  answer = (event) => ({ status: 'stored', messageIds: [`msg-${event.platformMessageId}`] });
  adapter = createTerminalAdapter({ socketPath: path(), log });
  await adapter.start({
    accept: async (event) => {
      events.push(event);
      return answer(event);
    },
    press: async () => '',
    available: (channelType) => available.push(channelType),
  });
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
  [{ status: 'answered' }, { type: 'accepted', id: 'a', messageIds: [], answered: true }],
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
        'No agent took the message. This install has no agent yet: run `bash nanoclaw.sh`, or make one by `ncl init-first-agent`.',
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
  ['another chat', { type: 'message', id: 'a', text: 'x', chat: 'family' }, 'NC_NOT_FOUND', 'a'],
  ['another user', { type: 'message', id: 'a', text: 'x', user: 'eve' }, 'NC_NOT_FOUND', 'a'],
  ['a thread', { type: 'message', id: 'a', text: 'x', thread: 't' }, 'NC_NOT_FOUND', 'a'],
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
  const away = { status: 'failed', retryable: true, offline: true, error: 'No terminal is connected.' };
  assert.deepEqual(await adapter.deliver(reply()), away);
  const one = await client();
  assert.deepEqual(available, ['terminal']);
  one.socket.destroy();
  await one.closed;
  while ((await adapter.deliver(reply())).status === 'sent') await new Promise(setImmediate);
  assert.deepEqual(await adapter.deliver(reply()), away);
});

test('another chat is an error for good', async () => {
  await client();
  const result = await adapter.deliver(reply({ platformId: 'elsewhere' }));
  assert.ok(result.status === 'failed' && !result.retryable && result.error.includes('elsewhere'));
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

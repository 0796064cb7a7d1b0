import assert from 'node:assert/strict';
import { createHmac, randomBytes, randomUUID } from 'node:crypto';
import { test } from 'node:test';
import type { Acceptance, ChannelHost, InboundEvent } from '../../src/channels/adapter.ts';
import { createWebDoors } from '../web-server/index.ts';
import { raw, requestText, testLog } from '../web-server/test-support.ts';
import { plugin } from './index.ts';
import { standardSignature } from './signature.ts';

/** The channel behind the web server, over real sockets. */

const secrets = { alarm: randomBytes(32), repo: randomBytes(32) };
const written = (secret: Buffer) => `whsec_${secret.toString('base64')}`;
const settings = {
  SOURCES: 'alarm repo',
  SECRET: written(secrets.alarm),
  SECRET_REPO: secrets.repo.toString('hex'),
  SIGNATURE_REPO: 'github',
};

interface Opened extends AsyncDisposable {
  port: number;
  events: InboundEvent[];
  send(request: Sent): Promise<{ status: number; text: string }>;
}

interface Sent {
  path?: string;
  body?: string;
  headers?: Record<string, string>;
}

async function open(accept: (event: InboundEvent) => Acceptance = stored): Promise<Opened> {
  const log = testLog();
  const doors = createWebDoors({ env: () => ({ WEBHOOK_PORT: '0' }), log });
  const context = {
    instance: 'webhook',
    settings,
    folder: '/nonexistent',
    recall: () => undefined,
    remember() {},
    web: doors.of('webhook'),
    log,
  };
  const adapter = plugin.create(context);
  const events: InboundEvent[] = [];
  const host: ChannelHost = {
    async accept(event) {
      events.push(event);
      return accept(event);
    },
    press: async () => '',
    available() {},
  };
  await adapter.start(host);
  const port = doors.port() ?? 0;
  return {
    port,
    events,
    async send({ path = '/webhook/webhook/alarm', body = '{"type":"ping"}', headers = signed({ body }) }) {
      const { statuses, text } = await raw(port, [
        Buffer.from(requestText(path, { body, headers: { 'content-type': 'application/json', ...headers } })),
      ]);
      return { status: statuses[0] ?? 0, text: text.replace(/^Date: .*\r\n/m, '') };
    },
    async [Symbol.asyncDispose]() {
      await adapter.stop();
      log.close();
    },
  };
}

function stored(): Acceptance {
  return { status: 'stored', messageIds: ['msg-1'] };
}

function signed({ body = '', key = secrets.alarm, at = Date.now(), id = randomUUID() as string } = {}) {
  const time = String(Math.floor(at / 1000));
  return {
    'webhook-id': id,
    'webhook-timestamp': time,
    'webhook-signature': standardSignature(key, id, time, Buffer.from(body)),
  };
}

function signedAsGithub(body: string) {
  const key = Buffer.from(secrets.repo.toString('hex'));
  return { 'x-hub-signature-256': `sha256=${createHmac('sha256', key).update(body).digest('hex')}` };
}

test('an event is handed on as its source, and told to have been stored', async () => {
  await using web = await open();
  const body = '{"type":"door.open","where":"<b>cellar</b>"}';
  const { status, text } = await web.send({ body, headers: signed({ body, id: 'one' }) });
  assert.equal(status, 202);
  assert.match(text, /\{"status":"stored","id":"msg-1","ids":\["msg-1"\]\}$/);
  const [{ timestamp, ...event } = { timestamp: '' }] = web.events;
  assert.match(timestamp, /^20.*Z$/);
  assert.deepEqual(event, {
    channelType: 'webhook',
    platformId: 'alarm',
    threadId: null,
    platformMessageId: 'one',
    senderId: 'webhook:alarm',
    senderName: 'alarm',
    isMention: true,
    isGroup: false,
    chatName: 'alarm',
    text: body,
    webhook: { source: 'alarm', event: 'door.open', payload: { type: 'door.open', where: '<b>cellar</b>' } },
  });
});

test("GitHub's way of signing", async () => {
  await using web = await open();
  const body = '{"action":"opened","number":1}';
  const headers = { ...signedAsGithub(body), 'x-github-event': 'issues', 'x-github-delivery': 'abc' };
  assert.equal((await web.send({ path: '/webhook/webhook/repo', body, headers })).status, 202);
  assert.equal(web.events[0]?.webhook?.event, 'issues.opened');
  assert.match(web.events[0]?.platformMessageId ?? '', /^sha256:/);
});

const body = '{"type":"ping"}';
const repo = '/webhook/webhook/repo';
const refused: readonly [string, Sent][] = [
  ['no signature', { headers: {} }],
  ['a wrong signature', { headers: { ...signed({ body }), 'webhook-signature': `v1,${'A'.repeat(43)}=` } }],
  ["another source's secret", { headers: signed({ body, key: secrets.repo }) }],
  ['a signature over another body', { headers: signed({ body: '{"type":"pong"}' }) }],
  ['an old time', { headers: signed({ body, at: Date.now() - 400_000 }) }],
  ['a future time', { headers: signed({ body, at: Date.now() + 400_000 }) }],
  ['its signature twice, once wrong', { headers: { ...signed({ body }), 'Webhook-Signature': 'v1,x' } }],
  ["GitHub's signature where it isn't used", { headers: signedAsGithub(body) }],
  ['a standard signature where GitHub is wanted', { path: repo }],
  ['an unknown source', { path: '/webhook/webhook/nobody' }],
  ['no source, when there are two', { path: '/webhook/webhook' }],
  ['a source of another name in capitals', { path: '/webhook/webhook/Alarm' }],
  ['constructor', { path: '/webhook/webhook/constructor' }],
];

test('whoever did not sign gets one and the same answer, and reaches nobody', async () => {
  await using web = await open();
  const seen = new Set<string>();
  for (const [what, request] of refused) {
    const { status, text } = await web.send({ body, ...request });
    assert.equal(status, 401, what);
    seen.add(text);
  }
  assert.equal(seen.size, 1);
  assert.equal(web.events.length, 0);
});

test('what is signed and can not be read is refused for good', async () => {
  await using web = await open();
  const table: readonly [string, string, string, number][] = [
    ['no JSON', 'application/json', '{"a"', 400],
    ['nothing', 'application/json', '', 400],
    ['a wrong type', 'image/png', '{}', 415],
    ['a form', 'application/x-www-form-urlencoded', 'payload=1', 415],
    ['nested', 'application/json', '['.repeat(5_000), 400],
    ['too large', 'text/plain', 'a'.repeat(600 * 1024), 413],
  ];
  for (const [what, type, sent, wanted] of table) {
    const { status } = await web.send({ body: sent, headers: { ...signed({ body: sent }), 'content-type': type } });
    assert.equal(status, wanted, what);
  }
  assert.equal(web.events.length, 0);
});

const answers: readonly [Acceptance, number, RegExp][] = [
  [{ status: 'duplicate' }, 200, /duplicate/],
  [{ status: 'held' }, 202, /held/],
  [{ status: 'dropped', reason: 'denied-sender' }, 200, /dropped/],
  [{ status: 'refused', code: 'NC_DISK_FULL', sentence: 'The disk is full.' }, 503, /retry-after: 30[\s\S]*not now/i],
  [{ status: 'refused', code: 'NC_INTERNAL', sentence: 'At /home/me.' }, 503, /not now/],
  [{ status: 'refused', code: 'NC_MESSAGE_TOO_LARGE', sentence: 'Too long.' }, 413, /Too long/],
  [{ status: 'refused', code: 'NC_MESSAGE_EMPTY', sentence: 'Empty.' }, 400, /Empty/],
];

for (const [acceptance, wanted, words] of answers) {
  test(`${acceptance.status}${'code' in acceptance ? ` for ${acceptance.code}` : ''} is told by ${wanted}`, async () => {
    await using web = await open(() => acceptance);
    const { status, text } = await web.send({});
    assert.equal(status, wanted);
    assert.match(text, words);
    assert.doesNotMatch(text, /disk|home|denied/);
  });
}

test('an answer without ANSWER_URL is dropped, with that in its record', async () => {
  const log = testLog();
  const doors = createWebDoors({ env: () => ({ WEBHOOK_PORT: '0' }), log });
  const context = { instance: 'webhook', settings, folder: '', recall: () => undefined, remember() {}, log };
  const adapter = plugin.create({ ...context, web: doors.of('webhook') });
  await adapter.start({ accept: async () => stored(), press: async () => '', available() {} });
  const message = { id: 'm', platformId: 'alarm', threadId: null, text: 'hi', progress: false, files: [] };
  assert.deepEqual(await adapter.deliver(message), { status: 'sent', platformMessageId: 'dropped:no-answer-url' });
  assert.match(log.text(), /an answer is dropped.*no ANSWER_URL/);
  const gone = await adapter.deliver({ ...message, platformId: 'gone' });
  assert.equal(gone.status === 'failed' && !gone.retryable, true);
  await adapter.stop();
});

test('its test says where events are taken, and what is wrong', async () => {
  const doors = createWebDoors({ env: () => ({ PUBLIC_URL: 'https://a.example' }), log: testLog() });
  const context = { instance: 'webhook', settings, folder: '', recall: () => undefined, remember() {}, log: testLog() };
  const good = await plugin.test({ ...context, web: doors.of('webhook') });
  assert.equal(good.ok, true);
  assert.match(good.sentence, /alarm.*repo.*https:\/\/a\.example\/webhook\/webhook/);
  const bad = await plugin.test({ ...context, settings: {} });
  assert.equal(bad.ok, false);
});

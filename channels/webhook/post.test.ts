import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { post, waitOf } from './post.ts';
import { verify } from './signature.ts';

const key = randomBytes(32);
const body = Buffer.from('{"type":"answer"}');

async function receiver(answer: (response: ServerResponse) => void) {
  const got: { headers: IncomingHttpHeaders; body: Buffer; path: string }[] = [];
  const server: Server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    got.push({ headers: request.headers, body: Buffer.concat(chunks), path: request.url ?? '' });
    answer(response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    got,
    url: new URL(`http://localhost:${port}/in?a=1`),
    port,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

const ok =
  (status: number, headers = {}) =>
  (response: ServerResponse) =>
    void response.writeHead(status, headers).end('x');

test('an answer is signed, with its id as the key that makes a repeat harmless', async () => {
  await using far = await receiver(ok(204));
  assert.deepEqual(await post({ url: far.url, key, isPrivate: true }, { id: 'msg-1', body }), { status: 'sent' });
  const [got] = far.got;
  assert.ok(got);
  const headers = Object.fromEntries(Object.entries(got.headers).map(([name, value]) => [name, String(value)]));
  assert.equal(verify({ scheme: 'standard', keys: [key] }, { headers, body: got.body }, Date.now())?.id, 'msg-1');
  assert.equal(got.path, '/in?a=1');
  assert.equal(headers['content-type'], 'application/json');
});

const meanings: readonly [number, Record<string, string>, Record<string, unknown>][] = [
  [200, {}, { status: 'sent' }],
  [202, {}, { status: 'sent' }],
  [301, { location: 'https://a.example' }, { status: 'failed', retryable: false }],
  [307, { location: 'http://127.0.0.1:1' }, { status: 'failed', retryable: false }],
  [304, {}, { status: 'failed', retryable: false }],
  [400, {}, { status: 'failed', retryable: false }],
  [401, {}, { status: 'failed', retryable: false }],
  [404, {}, { status: 'failed', retryable: false }],
  [410, { 'retry-after': '5' }, { status: 'failed', retryable: false, retryAfterMs: undefined }],
  [408, {}, { status: 'failed', retryable: true }],
  [429, { 'retry-after': '7' }, { status: 'failed', retryable: true, retryAfterMs: 7_000 }],
  [429, { 'retry-after': 'soon' }, { status: 'failed', retryable: true, retryAfterMs: undefined }],
  [500, {}, { status: 'failed', retryable: true }],
  [503, { 'retry-after': '999999' }, { status: 'failed', retryable: true, retryAfterMs: 3_600_000 }],
];

for (const [status, headers, wanted] of meanings) {
  test(`${status}${headers['retry-after'] ? ` with Retry-After ${headers['retry-after']}` : ''} is ${JSON.stringify(wanted)}`, async () => {
    await using far = await receiver(ok(status, headers));
    const result: Record<string, unknown> = {
      ...(await post({ url: far.url, key, isPrivate: true }, { id: 'a', body })),
    };
    for (const [name, value] of Object.entries(wanted)) assert.equal(result[name], value, name);
    assert.equal(far.got.length, 1);
  });
}

test('Retry-After may be a date', () => {
  const now = Date.parse('2026-11-21T10:00:00Z');
  assert.equal(waitOf('Sat, 21 Nov 2026 10:00:30 GMT', now), 30_000);
  assert.equal(waitOf('Sat, 21 Nov 2026 09:00:00 GMT', now), 0);
});

test('without an answer it may have been taken; before it was sent it was not', async () => {
  await using silent = await receiver(() => {});
  const late = await post({ url: silent.url, key, isPrivate: true }, { id: 'a', body }, 200);
  assert.equal(late.status, 'unknown');
  await using cut = await receiver((response) => response.destroy());
  const lost = await post({ url: cut.url, key, isPrivate: true }, { id: 'a', body });
  assert.equal(lost.status, 'unknown');
  const { port } = cut;
  await cut[Symbol.asyncDispose]();
  const refused = await post({ url: new URL(`http://127.0.0.1:${port}/`), key, isPrivate: true }, { id: 'a', body });
  assert.deepEqual(refused, {
    status: 'failed',
    retryable: true,
    error: "The receiver can't be reached: ECONNREFUSED.",
  });
  const nowhere = await post({ url: new URL('https://nowhere.invalid/'), key, isPrivate: false }, { id: 'a', body });
  assert.equal(nowhere.status === 'failed' && nowhere.retryable, true);
});

test('an address of this machine or of the network is reached only where that was allowed', async () => {
  await using far = await receiver(ok(200));
  const table: readonly [string, boolean, RegExp][] = [
    [`http://localhost:${far.port}/`, false, /loopback.*ANSWER_PRIVATE/],
    [`https://127.0.0.1:${far.port}/`, false, /loopback/],
    [`https://[::1]:${far.port}/`, false, /loopback/],
    [`https://[::ffff:127.0.0.1]:${far.port}/`, false, /loopback/],
    [`https://2130706433:${far.port}/`, false, /loopback/],
    ['https://10.0.0.1/', false, /private/],
    ['https://169.254.169.254/latest', false, /metadata/],
    ['https://169.254.169.254/latest', true, /metadata/],
    ['https://0.0.0.0/', true, /unspecified/],
    ['http://93.184.216.34/', true, /public address/],
  ];
  for (const [url, isPrivate, reason] of table) {
    const result = await post({ url: new URL(url), key, isPrivate }, { id: 'a', body });
    assert.ok(
      result.status === 'failed' && !result.retryable && reason.test(result.error),
      `${url}: ${JSON.stringify(result)}`,
    );
  }
  assert.equal(far.got.length, 0);
});

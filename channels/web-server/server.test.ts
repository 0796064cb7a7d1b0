import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { test } from 'node:test';
import type { WebAnswer, WebRequest } from '../../src/channels/plugin.ts';
import { until } from '../../test/support/until.ts';
import { createWebDoors } from './index.ts';
import type { LIMITS } from './server.ts';
import { raw, requestText, testLog } from './test-support.ts';

interface Opened extends AsyncDisposable {
  port: number;
  requests: WebRequest[];
  log: ReturnType<typeof testLog>;
}

async function open(
  answer: (request: WebRequest) => Promise<WebAnswer> = async () => ({ status: 202 }),
  limits: Partial<typeof LIMITS> = {},
): Promise<Opened> {
  const log = testLog();
  const doors = createWebDoors({ env: () => ({ WEBHOOK_PORT: '0' }), log, limits: { checkMs: 50, ...limits } });
  const requests: WebRequest[] = [];
  const close = await doors.of('telegram').serve((request) => {
    requests.push(request);
    return answer(request);
  });
  const end = async () => {
    await close();
    log.close();
  };
  return { port: doors.port() ?? 0, requests, log, [Symbol.asyncDispose]: end };
}

test('the handler gets the bytes as they came, the headers, and one more part of the path', async () => {
  await using web = await open();
  const body = '{ "a":  "é" }\r\n';
  const text = requestText('/webhook/telegram/github', { body, headers: { 'X-Signature': 'abc' } });
  const { statuses } = await raw(web.port, [Buffer.from(text)]);
  assert.deepEqual(statuses, [202]);
  const [request] = web.requests;
  assert.equal(request?.path, 'github');
  assert.equal(request?.body.toString(), body);
  assert.equal(request?.headers['x-signature'], 'abc');
});

test('a platform is answered after the handler has resolved, and with a 5xx when it rejects', async () => {
  const { promise, resolve } = Promise.withResolvers<WebAnswer>();
  await using web = await open(() => promise);
  let answered = false;
  const asked = raw(web.port, [requestText('/webhook/telegram')]).then((result) => {
    answered = true;
    return result;
  });
  await until(() => web.requests.length === 1);
  assert.equal((await raw(web.port, [requestText('/health', { method: 'GET' })])).statuses[0], 200);
  assert.equal(answered, false);
  resolve({ status: 200 });
  assert.deepEqual((await asked).statuses, [200]);

  await using broken = await open(() => Promise.reject(new Error('the disk is full')));
  const { text, statuses } = await raw(broken.port, [requestText('/webhook/telegram')]);
  assert.deepEqual(statuses, [500]);
  assert.doesNotMatch(text, /disk/);
  assert.match(broken.log.text(), /the disk is full/);
});

test('a handler that takes too long is a 503, so that the platform tries again', async () => {
  await using web = await open(() => new Promise(() => {}), { handlerMs: 50 });
  assert.deepEqual((await raw(web.port, [requestText('/webhook/telegram')])).statuses, [503]);
});

test('whatever is not there gets one and the same answer', async () => {
  await using web = await open();
  const nothing: readonly [string, string?][] = [
    ['/'],
    ['/webhook'],
    ['/webhook/'],
    ['/webhook/nobody'],
    ['/webhook/telegram/'],
    ['/webhook/telegram/a/b'],
    ['/webhook/telegram?a=1'],
    ['/webhook/Telegram'],
    ['//webhook/telegram'],
    ['/webhook//telegram'],
    ['/webhook/%74elegram'],
    ['/webhook/telegram%2f'],
    ['/%2e%2e/webhook/telegram'],
    ['/webhook/../health'],
    ['/webhook/telegram/..'],
    ['/webhook/telegram/%2e%2e'],
    ['/webhook\\telegram'],
    ['/webhook/telegram#a'],
    ['/webhook/telegram;a'],
    ['/webhook/toString'],
    ['/webhook/constructor'],
    ['http://localhost/webhook/telegram'],
    ['*', 'OPTIONS'],
    ['/webhook/telegram', 'GET'],
    ['/webhook/telegram', 'PUT'],
    ['/webhook/telegram', 'TRACE'],
    ['/webhook/telegram', 'OPTIONS'],
    ['/health', 'POST'],
    ['/health/'],
    ['/health', 'DELETE'],
    ['/data/v2.db', 'GET'],
    ['/../../../../etc/passwd', 'GET'],
    ['/admin', 'GET'],
  ];
  const seen = new Set<string>();
  for (const [path, method = 'POST'] of nothing) {
    const { statuses, text } = await raw(web.port, [requestText(path, { method })]);
    assert.deepEqual(statuses, [404], `${method} ${path}`);
    seen.add(text.replace(/^Date: .*\r\n/m, ''));
  }
  assert.equal(seen.size, 1, [...seen].join('\n'));
  assert.equal(web.requests.length, 0);
  const health = await raw(web.port, [requestText('/health', { method: 'GET' })]);
  assert.match(health.text, /\r\n\r\nok\n$/);
});

test('what is no proper HTTP is refused, and goes on to be answered for others', async () => {
  await using web = await open();
  const post = 'POST /webhook/telegram HTTP/1.1\r\nHost: a\r\n';
  const table: readonly [string, string | Buffer, number[]][] = [
    ['no HTTP', 'hello\r\n\r\n', [400]],
    ['TLS', Buffer.from('16030100ca010000c60303', 'hex'), [400]],
    ['another protocol', 'POST /webhook/telegram HTTP/9.9\r\nHost: a\r\n\r\n', [400]],
    ['no host', 'POST /webhook/telegram HTTP/1.1\r\nContent-Length: 0\r\n\r\n', [400]],
    ['a path in bytes', Buffer.from('POST /webhook/téle HTTP/1.1\r\nHost: a\r\n\r\n', 'utf8'), [404, 400]],
    ['two lengths', `${post}Content-Length: 1\r\nContent-Length: 2\r\n\r\nab`, [400]],
    ['a length and chunks', `${post}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`, [400]],
    ['chunked twice', `${post}Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n`, [400]],
    ['an unknown coding', `${post}Transfer-Encoding: gzip\r\n\r\n`, [400]],
    ['a negative length', `${post}Content-Length: -1\r\n\r\n`, [400]],
    ['a length in hex', `${post}Content-Length: 0x10\r\n\r\n`, [400]],
    ['a length of no number', `${post}Content-Length: 99999999999999999999999\r\n\r\n`, [400]],
    ['a chunk of no size', `${post}Transfer-Encoding: chunked\r\n\r\nxyz\r\n\r\n`, [400]],
    ['a chunk that is longer', `${post}Transfer-Encoding: chunked\r\n\r\n2\r\nabcdef\r\n0\r\n\r\n`, [400]],
    ['a folded header', `${post}X-A: 1\r\n  2\r\nContent-Length: 0\r\n\r\n`, [400, 202]],
    ['a blank before the colon', `${post}X-A : 1\r\n\r\n`, [400]],
    ['a bare line feed', 'POST /webhook/telegram HTTP/1.1\nHost: a\n\n', [400]],
    ['a NUL in a header', `${post}X-A: \0\r\n\r\n`, [400]],
    ['long headers', `${post}X-A: ${'a'.repeat(20_000)}\r\n\r\n`, [431]],
    ['many headers', `${post}${'X-A: 1\r\n'.repeat(5_000)}\r\n`, [431]],
    ['a long path', `POST /webhook/${'a'.repeat(20_000)} HTTP/1.1\r\nHost: a\r\n\r\n`, [431]],
    ['an expectation', `${post}Expect: tea\r\nContent-Length: 0\r\n\r\n`, [417]],
    ['CONNECT', 'CONNECT localhost:22 HTTP/1.1\r\nHost: a\r\n\r\n', []],
    ['a WebSocket', 'GET /health HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n', [200]],
  ];
  for (const [what, request, wanted] of table) {
    const { statuses } = await raw(web.port, [request], { withinMs: 5_000 });
    assert.ok(
      wanted.length === 0 ? statuses.length === 0 : wanted.includes(statuses[0] ?? 0),
      `${what}: ${statuses.join()} instead of ${wanted.join(' or ')}`,
    );
  }
  assert.deepEqual((await raw(web.port, [requestText('/webhook/telegram')])).statuses, [202]);
});

test('what proxies do is fine: HTTP/1.0, chunks, a body after 100 Continue, several requests one after the other', async () => {
  await using web = await open();
  const old = 'POST /webhook/telegram HTTP/1.0\r\nContent-Length: 2\r\n\r\nhi';
  assert.deepEqual((await raw(web.port, [old])).statuses, [202]);
  const chunked = 'POST /webhook/telegram HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n';
  assert.deepEqual((await raw(web.port, [chunked, '2\r\nhi\r\n', '0\r\n\r\n'])).statuses, [202]);
  const expects = 'POST /webhook/telegram HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n';
  const continued = await raw(web.port, [expects, 'hi']);
  assert.match(continued.text, /^HTTP\/1\.1 100 Continue/);
  assert.deepEqual(continued.statuses, [202]);
  assert.deepEqual(
    web.requests.map(({ body }) => body.toString()),
    ['hi', 'hi', 'hi'],
  );
  const socket = connect(web.port, '127.0.0.1');
  for (let turn = 0; turn < 3; turn += 1) {
    socket.write(requestText('/webhook/telegram'));
    const [chunk] = await once(socket, 'data');
    assert.match(String(chunk), /^HTTP\/1\.1 202/);
  }
  socket.destroy();
});

test('who asks again before the answer gets one answer', async () => {
  const { promise, resolve } = Promise.withResolvers<WebAnswer>();
  await using web = await open(() => promise);
  const asked = raw(web.port, [requestText('/webhook/telegram').repeat(50)], { answers: 50 });
  await until(() => web.requests.length === 1);
  resolve({ status: 202 });
  assert.deepEqual((await asked).statuses, [202]);
  assert.equal(web.requests.length, 1);
});

test('50 MB are refused before they are here, said or unsaid, and hold no memory', async () => {
  await using web = await open();
  const large = Buffer.alloc(1024 * 1024, 'a');
  const said = `POST /webhook/telegram HTTP/1.1\r\nHost: a\r\nContent-Length: ${50 * large.length}\r\n\r\n`;
  const unsaid = 'POST /webhook/telegram HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n';
  const chunk = Buffer.concat([Buffer.from(`${large.length.toString(16)}\r\n`), large, Buffer.from('\r\n')]);
  const first = await raw(web.port, [said, ...Array<Buffer>(50).fill(large)]);
  assert.deepEqual(first.statuses, [413]);
  const second = await raw(web.port, [unsaid, ...Array<Buffer>(50).fill(chunk)]);
  assert.deepEqual(second.statuses, [413]);
  const expects = `POST /webhook/telegram HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: ${50 * large.length}\r\n\r\n`;
  assert.deepEqual((await raw(web.port, [expects])).statuses, [413]);
  assert.equal(web.requests.length, 0);
});

test('bodies of all together are limited', async () => {
  await using web = await open(undefined, { bodyBytes: 100 });
  const half = 'POST /webhook/telegram HTTP/1.1\r\nHost: a\r\nContent-Length: 80\r\n\r\n';
  const waiting = connect(web.port, '127.0.0.1');
  waiting.write(`${half}${'a'.repeat(79)}`);
  await until(async () => {
    const { statuses } = await raw(web.port, [requestText('/webhook/telegram', { body: 'b'.repeat(80) })]);
    return statuses[0] === 503;
  });
  waiting.write('a');
  await once(waiting, 'data');
  waiting.destroy();
  const { statuses } = await raw(web.port, [requestText('/webhook/telegram', { body: 'b'.repeat(80) })]);
  assert.deepEqual(statuses, [202]);
});

test('the slow are let go: without a word, in the headers, in the body', async () => {
  await using web = await open(undefined, { headersMs: 200, bodyMs: 200 });
  const start = 'POST /webhook/telegram HTTP/1.1\r\nHost: a\r\n';
  const table: readonly [string, string[], number[]][] = [
    ['not a word', [], [408]],
    ['half of the headers', [start], [408]],
    ['half of the body', [`${start}Content-Length: 10\r\n\r\n`, 'abc'], [408]],
    ['half of a chunk', [`${start}Transfer-Encoding: chunked\r\n\r\n`, '5\r\nab'], [408]],
  ];
  for (const [what, parts, wanted] of table) {
    const { statuses } = await raw(web.port, parts, { withinMs: 5_000 });
    assert.deepEqual(statuses, wanted, what);
  }
  // One byte now and then doesn't help.
  const drip = connect(web.port, '127.0.0.1');
  const since = performance.now();
  drip.write(start);
  const timer = setInterval(() => drip.write('X'), 40);
  drip.on('error', () => {});
  await once(drip.resume(), 'close');
  clearInterval(timer);
  assert.ok(performance.now() - since < 3_000);
  assert.equal(web.requests.length, 0);
});

test('who hangs up in the middle of a body is not handed on', async () => {
  await using web = await open();
  const socket = connect(web.port, '127.0.0.1');
  socket.write('POST /webhook/telegram HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc');
  await once(socket, 'connect');
  socket.destroy();
  assert.deepEqual((await raw(web.port, [requestText('/webhook/telegram')])).statuses, [202]);
  assert.equal(web.requests.length, 1);
});

test('too much of one address, or for one account, is told when to come again', async () => {
  await using web = await open(undefined, { addressRate: { perSecond: 0.01, burst: 3 } });
  const statuses: (number | undefined)[] = [];
  for (let turn = 0; turn < 5; turn += 1) {
    const forged = { 'X-Forwarded-For': `198.51.100.${turn}, 203.0.113.9` };
    const answer = await raw(web.port, [requestText('/webhook/telegram', { headers: forged })]);
    statuses.push(answer.statuses[0]);
    if (answer.statuses[0] === 429) assert.match(answer.text, /retry-after: \d+/i);
  }
  assert.deepEqual(statuses, [202, 202, 202, 429, 429]);
  const other = { 'X-Forwarded-For': '203.0.113.10' };
  assert.deepEqual((await raw(web.port, [requestText('/webhook/telegram', { headers: other })])).statuses, [202]);

  await using crowded = await open(undefined, { routeRate: { perSecond: 0.01, burst: 1 } });
  for (const [turn, wanted] of [202, 429].entries()) {
    const headers = { 'X-Forwarded-For': `203.0.113.${turn}` };
    assert.deepEqual((await raw(crowded.port, [requestText('/webhook/telegram', { headers })])).statuses, [wanted]);
  }
});

test('connections have a limit', async () => {
  await using web = await open(undefined, { connections: 3 });
  const held = [1, 2, 3].map(() => connect(web.port, '127.0.0.1'));
  await Promise.all(held.map((socket) => once(socket, 'connect')));
  assert.deepEqual((await raw(web.port, [requestText('/webhook/telegram')])).statuses, []);
  for (const socket of held) socket.destroy();
  await until(async () => (await raw(web.port, [requestText('/webhook/telegram')])).statuses[0] === 202);
});

test('it listens while an account wants it, and says where the next is to look when the port is taken', async () => {
  const doors = createWebDoors({ env: () => ({ WEBHOOK_PORT: '0' }), log: testLog() });
  assert.equal(doors.port(), undefined);
  const leave = await Promise.all(
    ['telegram', 'slack'].map((name) => doors.of(name).serve(async () => ({ status: 200 }))),
  );
  const port = doors.port() ?? 0;
  await leave[0]?.();
  assert.deepEqual((await raw(port, [requestText('/webhook/telegram')])).statuses, [404]);
  assert.deepEqual((await raw(port, [requestText('/webhook/slack')])).statuses, [200]);
  const second = createWebDoors({ env: () => ({ WEBHOOK_PORT: String(port) }), log: testLog() });
  const serving = second.of('web').serve(async () => ({ status: 200 }));
  await assert.rejects(serving, { code: 'NC_CHANNEL' });
  await leave[1]?.();
  assert.equal(doors.port(), undefined);
  await assert.rejects(once(connect(port, '127.0.0.1'), 'connect'));
  const again = await second.of('web').serve(async () => ({ status: 200 }));
  assert.deepEqual((await raw(port, [requestText('/webhook/web')])).statuses, [200]);
  await again();
});

test('what is under way when it closes is answered', async () => {
  const { promise, resolve } = Promise.withResolvers<WebAnswer>();
  const web = await open(() => promise);
  const asked = raw(web.port, [requestText('/webhook/telegram')]);
  await until(() => web.requests.length === 1);
  const closed = web[Symbol.asyncDispose]();
  resolve({ status: 202 });
  assert.deepEqual((await asked).statuses, [202]);
  await closed;
});

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext as T, test } from 'node:test';
import { z } from 'zod';
import { Lost } from '../http/lost.ts';
import { createApi, isSlacks, Refusal } from './api.ts';

/** The Web API's answers, byte by byte, and what each means. */

const TOKEN = 'xoxb-secret';

async function serve(t: T, listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const ANSWERS: readonly [string, number, string, Record<string, string>, (error: unknown) => boolean][] = [
  ['a page instead of JSON', 200, '<html>', {}, (error) => error instanceof Lost && !error.unsent],
  ['nothing', 200, '', {}, (error) => error instanceof Lost && !error.unsent],
  ['something else that is well', 200, '{"ok":true}', {}, (error) => error instanceof Lost && !error.unsent],
  ['a gateway in trouble', 502, '<html>', {}, (error) => error instanceof Lost && !error.unsent],
  ['a gateway that turns it away', 403, '<html>', {}, (error) => error instanceof Lost && error.unsent],
  [
    'a refusal',
    200,
    '{"ok":false,"error":"is_archived"}',
    {},
    (error) => error instanceof Refusal && error.code === 'is_archived',
  ],
  [
    'a refusal that says which scope',
    200,
    '{"ok":false,"error":"missing_scope","needed":"chat:write"}',
    {},
    (error) => error instanceof Refusal && error.needed === 'chat:write',
  ],
  [
    'a refusal for now',
    429,
    '',
    { 'retry-after': '17' },
    (error) => error instanceof Refusal && error.retryAfterMs === 17_000,
  ],
  ['one without a time', 429, '{}', {}, (error) => error instanceof Refusal && error.retryAfterMs === 30_000],
  [
    'one with nonsense',
    429,
    '{}',
    { 'retry-after': 'soon' },
    (error) => error instanceof Refusal && error.retryAfterMs === 30_000,
  ],
];

for (const [name, status, body, headers, isRight] of ANSWERS) {
  test(`${name} is what it is, and shows no token`, async (t) => {
    const url = await serve(t, (_, response) => response.writeHead(status, headers).end(body));
    const call = createApi(url, TOKEN).call('chat.postMessage', { channel: 'C1' }, z.object({ ts: z.string() }));
    await assert.rejects(call, (error) => isRight(error) && !String(error).includes(TOKEN));
  });
}

test('nobody there is surely nothing sent; a line that breaks is not', async (t) => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  const gone = createApi(`http://127.0.0.1:${port}`, TOKEN).call('auth.test', {}, z.unknown());
  await assert.rejects(gone, (error) => error instanceof Lost && error.unsent);
  const url = await serve(t, (request) => request.socket.destroy());
  const broken = createApi(url, TOKEN).call('auth.test', {}, z.unknown());
  await assert.rejects(broken, (error) => error instanceof Lost && !error.unsent);
});

test('a file is fetched with the token, which a redirect carries to nobody else', async (t) => {
  const asked: (string | undefined)[] = [];
  const elsewhere = await serve(t, (request, response) => {
    asked.push(request.headers.authorization);
    response.end('stolen');
  });
  const url = await serve(t, (request, response) => {
    if (request.url === '/away') return void response.writeHead(302, { location: `${elsewhere}/x` }).end();
    if (request.url === '/round') return void response.writeHead(302, { location: '/round' }).end();
    if (request.url === '/moved') return void response.writeHead(302, { location: '/file' }).end();
    if (request.url === '/login') return void response.writeHead(200, { 'content-type': 'text/html' }).end('Sign in');
    response.end(request.headers.authorization);
  });
  const api = createApi(`${url}/api`, TOKEN);
  const { signal } = new AbortController();
  assert.equal(await (await api.fetchFile(`${url}/moved`, signal)).text(), `Bearer ${TOKEN}`);
  await assert.rejects(api.fetchFile(`${url}/away`, signal), { code: 'file_elsewhere' });
  await assert.rejects(api.fetchFile(`${url}/round`, signal), { code: 'too_many_redirects' });
  await assert.rejects(api.fetchFile(`${url}/login`, signal), { code: 'file_access_denied' });
  assert.deepEqual(asked, []);
});

test('Slack’s own servers, and nobody who looks like them', () => {
  const api = 'https://slack.com/api';
  for (const url of ['https://files.slack.com/x', 'https://slack.com/api/x', 'https://a.slack-edge.com/x']) {
    assert.ok(isSlacks(new URL(url), api), url);
  }
  for (const url of [
    'http://files.slack.com/x',
    'https://slack.com.evil.test/',
    'https://evilslack.com/',
    'https://x.test/slack.com',
  ]) {
    assert.ok(!isSlacks(new URL(url), api), url);
  }
});

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import { createServer as createTcpServer, type Socket } from 'node:net';
import { describe, test } from 'node:test';
import { createServer as createTlsServer } from 'node:tls';
import { describeFailure } from './failure.ts';
import { ask, type Handler, listen, openBench, SECRET, startFarEnd, until } from './test-support.ts';

const ok: Handler = (_seen, reply) => void reply.end('{"ok":true}');
const MESSAGES = { method: 'POST', path: '/v1/messages?beta=true' };

describe('the credential', () => {
  const kinds = [
    { kind: 'api-key', header: 'x-api-key', value: SECRET, beta: 'a,b' },
    { kind: 'auth-token', header: 'authorization', value: `Bearer ${SECRET}`, beta: 'a,b' },
    { kind: 'oauth-token', header: 'authorization', value: `Bearer ${SECRET}`, beta: 'a,b,oauth-2025-04-20' },
  ] as const;
  for (const { kind, header, value, beta } of kinds) {
    test(`${kind} is put on, and nothing that the sandbox sent in its place passes`, async (t) => {
      const far = await startFarEnd(t, ok);
      const credential = () => ({ kind, secret: SECRET });
      const bench = await openBench(t, `http://127.0.0.1:${far.port}`, { credential });
      const answer = await bench.ask({
        ...MESSAGES,
        body: '{"model":"x"}',
        headers: {
          'x-api-key': 'placeholder',
          authorization: 'Bearer placeholder',
          cookie: 'a=b',
          range: 'bytes=0-3',
          'proxy-authorization': 'Basic eA==',
          'proxy-connection': 'keep-alive',
          connection: 'keep-alive, x-hop',
          'x-hop': 'gone',
          te: 'trailers',
          'anthropic-beta': ['a', 'b'],
          'anthropic-version': '2023-06-01',
          'accept-encoding': 'gzip, br',
        },
      });
      assert.equal(answer.status, 200);
      const [seen] = far.seen;
      assert.equal(seen?.headers[header], value);
      assert.equal(seen?.url, '/v1/messages?beta=true');
      assert.equal(seen?.body, '{"model":"x"}');
      assert.equal(seen?.headers['anthropic-beta'], beta);
      assert.equal(seen?.headers['anthropic-version'], '2023-06-01');
      assert.equal(seen?.headers['accept-encoding'], 'identity');
      assert.equal(seen?.headers.host, `127.0.0.1:${far.port}`);
      assert.doesNotMatch(JSON.stringify(seen?.headers), /placeholder|a=b|Basic|bytes=|x-hop|proxy|trailers/);
    });
  }

  test('the oauth beta is not sent twice, and is sent when there was none', async (t) => {
    const far = await startFarEnd(t, ok);
    const credential = () => ({ kind: 'oauth-token' as const, secret: SECRET });
    const bench = await openBench(t, `http://127.0.0.1:${far.port}`, { credential });
    await bench.ask({ ...MESSAGES, headers: { 'anthropic-beta': 'oauth-2025-04-20, z' } });
    await bench.ask(MESSAGES);
    assert.deepEqual(
      far.seen.map((seen) => seen.headers['anthropic-beta']),
      ['oauth-2025-04-20,z', 'oauth-2025-04-20'],
    );
  });

  for (const [why, credential] of [
    ['none', undefined],
    ['one that no header can carry', { kind: 'api-key' as const, secret: 'two\nlines-of-a-key' }],
  ] as const) {
    test(`${why}: 401, and nothing goes out`, async (t) => {
      const far = await startFarEnd(t, ok);
      const onCredential = () => assert.fail('no credential was used');
      const bench = await openBench(t, `http://127.0.0.1:${far.port}`, { credential: () => credential, onCredential });
      const answer = await bench.ask({ ...MESSAGES, body: '{}' });
      assert.equal(answer.status, 401);
      const { type, error } = JSON.parse(answer.body);
      assert.deepEqual([type, error.type], ['error', 'authentication_error']);
      assert.match(error.message, /credential for the model API.*\.env/);
      assert.doesNotMatch(answer.body, /lines-of/);
      assert.equal(far.seen.length, 0);
    });
  }

  test('is asked for at each request, and told of, but not for what is refused', async (t) => {
    const far = await startFarEnd(t, ok);
    let secret = 'first-key-first-key';
    const credential = () => ({ kind: 'api-key' as const, secret });
    const uses: unknown[] = [];
    const onCredential = (use: unknown) => uses.push(use);
    const bench = await openBench(t, `http://127.0.0.1:${far.port}`, { credential, onCredential });
    await bench.ask(MESSAGES);
    await bench.ask({ path: '/v1/files' });
    assert.deepEqual(uses, [{ agentGroupId: 'g1', host: '127.0.0.1' }]);
    secret = 'second-key-second-key';
    await bench.ask(MESSAGES);
    assert.deepEqual(
      far.seen.map((seen) => seen.headers['x-api-key']),
      ['first-key-first-key', 'second-key-second-key'],
    );
  });
});

describe('what comes back never holds the key', () => {
  const reflect: Handler = (seen, reply) => {
    const body = JSON.stringify({ type: 'error', error: { type: 'x', message: 'debug', headers: seen.headers } });
    reply.writeHead(Number(seen.url.split('status=')[1]), {
      'content-length': Buffer.byteLength(body),
      'set-cookie': ['a=b', 'c=d'],
      'x-debug': `got ${seen.headers['x-api-key'] ?? seen.headers.authorization}`,
      location: `https://example.com/?k=${encodeURIComponent(SECRET)}`,
      authorization: 'x',
      'request-id': 'r1',
    });
    reply.end(body);
  };
  for (const status of [200, 302, 400, 401, 500]) {
    for (const kind of ['api-key', 'auth-token'] as const) {
      test(`a far end that repeats its request's headers, status ${status}, ${kind}`, async (t) => {
        const far = await startFarEnd(t, reflect);
        const credential = () => ({ kind, secret: SECRET });
        const bench = await openBench(t, `http://127.0.0.1:${far.port}`, { credential });
        const answer = await bench.ask({ method: 'POST', path: `/v1/messages?status=${status}`, body: '{}' });
        assert.equal(answer.status, status);
        assert.equal(answer.headers['request-id'], 'r1');
        assert.equal(answer.headers['set-cookie'], undefined);
        assert.equal(answer.headers.authorization, undefined);
        assert.match(String(answer.headers['x-debug']), /^got (Bearer )?\*+$/);
        assert.equal(JSON.parse(answer.body).error.message, 'debug');
        assert.doesNotMatch(JSON.stringify(answer), new RegExp(SECRET));
      });
    }
  }

  test('an event stream with the key cut across chunks', async (t) => {
    const far = await startFarEnd(t, (_seen, reply) => {
      reply.writeHead(200, { 'content-type': 'text/event-stream' });
      reply.write(`data: ${SECRET.slice(0, 11)}`, () => reply.end(`${SECRET.slice(11)}\n\n`));
    });
    const bench = await openBench(t, `http://127.0.0.1:${far.port}`);
    assert.equal((await bench.ask(MESSAGES)).body, `data: ${'*'.repeat(SECRET.length)}\n\n`);
  });

  test('an answer that is compressed all the same is withheld', async (t) => {
    const far = await startFarEnd(t, (_seen, reply) => void reply.setHeader('content-encoding', 'gzip').end('x'));
    const bench = await openBench(t, `http://127.0.0.1:${far.port}`);
    const answer = await bench.ask(MESSAGES);
    assert.equal(answer.status, 502);
    assert.match(answer.body, /compressed/);
  });
});

describe('paths', () => {
  const passed = [
    'POST /v1/messages',
    'POST /v1/messages?beta=true',
    'POST /v1/messages/count_tokens?beta=true',
    'GET /v1/models',
    'GET /v1/models?limit=5',
    'GET /v1/models/claude-x.1:y@z',
    'GET /api/hello',
    'HEAD /api/hello',
  ];
  const refused = [
    'GET /v1/messages',
    'DELETE /v1/models/x',
    'POST /v1/messages/',
    'POST /v1/messages/batches',
    'POST //v1/messages',
    'POST /v1/messages/../organizations',
    'POST /v1/./messages',
    'POST /v1/messages%2f..',
    'POST /v1/messages;x',
    'POST /V1/MESSAGES',
    'GET /v1/models/..',
    'GET /v1/models/.',
    'GET /v1/models/x/y',
    'GET /v1/models/%2e%2e',
    'GET /v1/models?a#b',
    'GET /v1/files',
    'GET /v1/organizations/api_keys',
    'POST /api/hello',
    'TRACE /v1/messages',
    'PUT /v1/messages',
    'GET /',
    'OPTIONS /v1/messages',
  ];
  test('that are needed pass, below the path of the address', async (t) => {
    const far = await startFarEnd(t, ok);
    const bench = await openBench(t, `http://127.0.0.1:${far.port}/gate/way/`);
    for (const line of passed) {
      const [method = '', path = ''] = line.split(' ');
      assert.equal((await bench.ask({ method, path })).status, 200, line);
    }
    assert.deepEqual(
      far.seen.map((seen) => `${seen.method} ${seen.url}`),
      passed.map((line) => line.replace(' ', ' /gate/way')),
    );
    assert.deepEqual(bench.records, []);
  });

  test('that are not are refused in the shape of the API, and recorded', async (t) => {
    const far = await startFarEnd(t, ok);
    const bench = await openBench(t, `http://127.0.0.1:${far.port}`);
    for (const line of refused) {
      const [method = '', path = ''] = line.split(' ');
      const answer = await bench.ask({ method, path });
      assert.equal(answer.status, 403, line);
      assert.equal(answer.headers['content-type'], 'application/json');
      assert.equal(JSON.parse(answer.body).error.type, 'permission_error');
    }
    assert.equal(far.seen.length, 0);
    assert.equal(bench.records.length, refused.length);
    assert.equal(bench.records[0]?.allowed, false);
  });
});

describe('streams', () => {
  test('each event arrives before the next is sent', async (t) => {
    let reply: ServerResponse | undefined;
    const far = await startFarEnd(t, (_seen, response) => {
      reply = response.writeHead(200, { 'content-type': 'text/event-stream' });
      reply.flushHeaders();
    });
    const bench = await openBench(t, `http://127.0.0.1:${far.port}`);
    const outgoing = request({ socketPath: bench.socketPath, method: 'POST', path: '/v1/messages' });
    outgoing.end('{}');
    const [answer] = (await once(outgoing, 'response')) as [IncomingMessage];
    assert.equal(answer.headers['content-type'], 'text/event-stream');
    for (let i = 0; i < 50; i++) {
      const event = `event: e\ndata: {"i":${i}}\n\n`;
      reply?.write(event);
      const [chunk] = await once(answer, 'data');
      assert.equal(String(chunk), event);
    }
    reply?.end();
    await once(answer, 'end');
  });

  test('a body goes up as it comes, also without a length', async (t) => {
    const parts: string[] = [];
    const server = createServer((incoming, reply) => {
      incoming.on('data', (chunk: Buffer) => parts.push(chunk.toString()));
      incoming.on('end', () => reply.end(incoming.headers['transfer-encoding']));
    });
    const port = await listen(t, server);
    const bench = await openBench(t, `http://127.0.0.1:${port}`);
    const outgoing = request({ socketPath: bench.socketPath, method: 'POST', path: '/v1/messages' });
    for (let i = 0; i < 5; i++) {
      outgoing.write(`part${i}`);
      await until(`part ${i}`, () => parts.join('').endsWith(`part${i}`));
    }
    outgoing.end();
    const [answer] = (await once(outgoing, 'response')) as [IncomingMessage];
    assert.equal(String((await once(answer, 'data'))[0]), 'chunked');
  });

  test('a slow reader holds the far end back, and gets every byte', async (t) => {
    const total = 96 * 1024 * 1024;
    const block = Buffer.alloc(1024 * 1024, 'x');
    let socket: Socket | undefined;
    const far = await startFarEnd(t, (_seen, reply, incoming) => {
      socket = incoming.socket;
      let sent = 0;
      const more = () => {
        while (sent < total) {
          sent += block.length;
          if (!reply.write(block)) return void reply.once('drain', more);
        }
        reply.end();
      };
      more();
    });
    const bench = await openBench(t, `http://127.0.0.1:${far.port}`);
    const outgoing = request({ socketPath: bench.socketPath, method: 'POST', path: '/v1/messages' });
    outgoing.end('{}');
    const [answer] = (await once(outgoing, 'response')) as [IncomingMessage];
    let before = -1;
    let calm = 0;
    await until('the far end is held back', () => {
      calm = socket?.bytesWritten === before ? calm + 1 : 0;
      before = socket?.bytesWritten ?? -1;
      return calm > 20;
    });
    assert.ok(before < total / 2, `${before} bytes were taken with nobody reading`);
    let read = 0;
    answer.on('data', (chunk: Buffer) => {
      read += chunk.length;
    });
    await once(answer, 'end');
    assert.equal(read, total);
  });

  test('the sandbox goes away: the far end sees it, before and during its answer', async (t) => {
    let gone = 0;
    const far = await startFarEnd(t, (seen, reply) => {
      reply.once('close', () => gone++);
      if (seen.body === 'stream') reply.writeHead(200).write('x');
    });
    const bench = await openBench(t, `http://127.0.0.1:${far.port}`);
    const silent = request({ socketPath: bench.socketPath, method: 'POST', path: '/v1/messages' }).on(
      'error',
      () => {},
    );
    silent.end('silent');
    await until('the request is there', () => far.seen.length === 1);
    silent.destroy();
    await until('the far end sees it', () => gone === 1);
    const streaming = request({ socketPath: bench.socketPath, method: 'POST', path: '/v1/messages' });
    streaming.end('stream');
    const [answer] = (await once(streaming, 'response')) as [IncomingMessage];
    answer.on('error', () => {});
    streaming.destroy();
    await until('the far end sees that too', () => gone === 2);
  });

  test('the sandbox goes away in the middle of its request', async (t) => {
    let cut = false;
    const server = createServer((incoming) => {
      incoming.on('error', () => {
        cut = true;
      });
      incoming.resume();
    });
    const bench = await openBench(t, `http://127.0.0.1:${await listen(t, server)}`);
    const socket = bench.dial('POST /v1/messages HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf');
    await once(server, 'request');
    socket.destroy();
    await until('the far end sees it', () => cut);
  });

  for (const framing of ['chunked', 'length'] as const) {
    test(`the far end breaks off: the sandbox sees a cut, never a clean end (${framing})`, async (t) => {
      const far = await startFarEnd(t, (_seen, reply, incoming) => {
        reply.writeHead(200, framing === 'length' ? { 'content-length': 1000 } : {});
        reply.write('data: 1\n\n', () => incoming.socket.destroy());
      });
      const bench = await openBench(t, `http://127.0.0.1:${far.port}`);
      await assert.rejects(bench.ask(MESSAGES), /aborted|terminated|hang up|ECONNRESET/);
      assert.match(bench.logs.join(), /broke off/);
    });
  }

  test('one connection of the sandbox and one to the far end serve request after request', async (t) => {
    const connections = new Set<unknown>();
    const far = await startFarEnd(t, (_seen, reply, incoming) => {
      connections.add(incoming.socket);
      reply.end('ok');
    });
    const bench = await openBench(t, `http://127.0.0.1:${far.port}`);
    const socket = bench.dial();
    let read = '';
    socket.on('data', (chunk: Buffer) => {
      read += chunk.toString();
    });
    for (let i = 1; i <= 20; i++) {
      socket.write('POST /v1/messages HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}');
      await until(`answer ${i}`, () => read.split('200 OK').length === i + 1 && read.endsWith('\r\n\r\nok'));
    }
    assert.equal(connections.size, 1);
    assert.deepEqual(bench.logs, []);
  });

  test('an early refusal leaves the connection usable', async (t) => {
    const server = createServer((incoming, reply) => {
      if (incoming.url?.includes('early')) {
        reply.writeHead(413, { connection: 'close' }).end('too large');
        reply.once('finish', () => incoming.socket.destroySoon());
      } else incoming.resume().on('end', () => reply.end('fine'));
    });
    const bench = await openBench(t, `http://127.0.0.1:${await listen(t, server)}`);
    const socket = bench.dial();
    let read = '';
    socket.on('data', (chunk: Buffer) => {
      read += chunk.toString();
    });
    const size = 4 * 1024 * 1024;
    socket.write(`POST /v1/messages?early HTTP/1.1\r\nHost: x\r\nContent-Length: ${size}\r\n\r\nx`);
    await until('the refusal', () => read.includes('too large'));
    socket.write(Buffer.alloc(size - 1, 'x'));
    socket.write('POST /v1/messages HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}');
    await until('the next answer', () => read.includes('fine'));
  });
});

describe('a far end that fails gives a 502 that says how', () => {
  const failing: readonly [string, RegExp, () => ReturnType<typeof createTcpServer>, string][] = [
    ['cuts at once', /was cut/, () => createTcpServer((socket) => socket.destroy()), 'http'],
    [
      'speaks no HTTP',
      /not answer in HTTP/,
      () => createTcpServer((socket) => void socket.end('hello\r\n\r\n')),
      'http',
    ],
    ['never answers', /not answer in time/, () => createTcpServer(() => {}), 'http'],
    ['never shakes hands', /not answer in time/, () => createTcpServer(() => {}), 'https'],
    ['has no TLS', /TLS failed/, () => createServer(), 'https'],
    ['has no certificate', /TLS failed/, () => createTlsServer({}), 'https'],
    [
      'switches protocols',
      /was cut/,
      () =>
        createTcpServer(
          (socket) =>
            void socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n'),
        ),
      'http',
    ],
  ];
  for (const [what, pattern, make, scheme] of failing) {
    test(what, async (t) => {
      const port = await listen(t, make());
      const bench = await openBench(t, `${scheme}://127.0.0.1:${port}`, {
        timeouts: { dial: 300, idle: 300, probe: 300 },
      });
      const answer = await bench.ask({ ...MESSAGES, body: '{}' });
      assert.equal(answer.status, 502);
      const { type, error } = JSON.parse(answer.body);
      assert.deepEqual([type, error.type], ['error', 'api_error']);
      assert.match(error.message, pattern);
      assert.match(error.message, new RegExp(`127\\.0\\.0\\.1:${port}`));
      assert.match(bench.logs.join(), pattern);
      const probe = await bench.relay.probe();
      assert.equal(probe.ok, false);
      assert.match(probe.ok ? '' : probe.sentence, /^The model API at 127\.0\.0\.1:\d+ can not be reached: .*\.$/);
    });
  }

  test('nothing listens', async (t) => {
    const server = createTcpServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    server.close();
    await once(server, 'close');
    const port = typeof address === 'object' ? address?.port : 0;
    const bench = await openBench(t, `http://127.0.0.1:${port}`);
    const answer = await bench.ask(MESSAGES);
    assert.equal(answer.status, 502);
    assert.match(answer.body, /connection was refused \(ECONNREFUSED\)/);
  });

  const phrases: readonly [string, string | undefined, RegExp][] = [
    ['ENOTFOUND', 'getaddrinfo', /name does not exist/],
    ['EAI_AGAIN', 'getaddrinfo', /DNS gave no answer/],
    ['ENOTFOUND', 'queryA', /name does not exist/],
    ['ESERVFAIL', 'queryA', /DNS gave no answer/],
    ['ECONNREFUSED', 'queryA', /DNS gave no answer/],
    ['CERT_HAS_EXPIRED', undefined, /certificate is not trusted/],
    ['DEPTH_ZERO_SELF_SIGNED_CERT', undefined, /certificate is not trusted/],
    ['ERR_TLS_CERT_ALTNAME_INVALID', undefined, /certificate is not trusted/],
    ['ENETUNREACH', 'connect', /no network route/],
    ['ERR_PROXY_TUNNEL', undefined, /outbound proxy/],
    ['EWHATEVER', undefined, /^the connection failed \(EWHATEVER\)$/],
  ];
  for (const [code, syscall, pattern] of phrases) {
    test(`${code} ${syscall ?? ''}`, () => {
      assert.match(describeFailure(Object.assign(new Error('http://user:password@proxy'), { code, syscall })), pattern);
    });
  }
});

describe('probe', () => {
  for (const status of [200, 404, 500]) {
    test(`${status} is an answer, and no key was sent for it`, async (t) => {
      const far = await startFarEnd(t, (_seen, reply) => void reply.writeHead(status).end());
      const bench = await openBench(t, `http://127.0.0.1:${far.port}/base`);
      assert.deepEqual(await bench.relay.probe(), { ok: true });
      assert.equal(far.seen[0]?.url, '/base/api/hello');
      assert.equal(far.seen[0]?.headers['x-api-key'], undefined);
    });
  }
});

describe("the owner's own outbound proxy", () => {
  test('carries model requests', async (t) => {
    const proxy = await startFarEnd(t, ok);
    const env = { HTTP_PROXY: `http://127.0.0.1:${proxy.port}` };
    const bench = await openBench(t, 'http://model.invalid', { env });
    assert.equal((await bench.ask({ ...MESSAGES, body: '{}' })).status, 200);
    assert.equal(proxy.seen[0]?.url, 'http://model.invalid/v1/messages?beta=true');
  });

  test('is not asked for an upstream on this machine', async (t) => {
    const [proxy, far] = [await startFarEnd(t, ok), await startFarEnd(t, ok)];
    const env = { HTTP_PROXY: `http://127.0.0.1:${proxy.port}` };
    const bench = await openBench(t, `http://localhost:${far.port}`, { env });
    assert.equal((await bench.ask(MESSAGES)).status, 200);
    assert.equal(proxy.seen.length, 0);
  });
});

test('an upstream with a password or of another scheme is refused when the relay is made', async (t) => {
  for (const upstream of ['http://user:pass@127.0.0.1', 'ftp://127.0.0.1', 'file:///x', 'https://x/?key=1']) {
    await assert.rejects(openBench(t, upstream), { code: 'NC_ENV_INVALID' });
  }
});

test('two sessions have a socket each', async (t) => {
  const far = await startFarEnd(t, ok);
  const bench = await openBench(t, `http://127.0.0.1:${far.port}`);
  const socketPath = `${bench.folder}/other.sock`;
  await bench.relay.open({ sessionId: 's2', agentGroupId: 'g2', socketPath, egress: 'none', allow: [] });
  await ask(socketPath, { path: '/nothing' });
  assert.deepEqual([bench.records[0]?.sessionId, bench.records[0]?.agentGroupId], ['s2', 'g2']);
  await bench.relay.close('s2');
  await assert.rejects(ask(socketPath, MESSAGES), /ENOENT/);
  assert.equal((await bench.ask(MESSAGES)).status, 200);
});

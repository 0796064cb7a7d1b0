import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, request } from 'node:http';
import { connect, createServer as createTcpServer, type Socket } from 'node:net';
import { hostname, networkInterfaces } from 'node:os';
import { describe, test } from 'node:test';
import type { RelayOptions, RelaySession } from './index.ts';
import { MAX_OUTGOING } from './session.ts';
import { type Bench, listen, openBench, readUntil, SECRET, startFarEnd, until } from './test-support.ts';

const ESTABLISHED = /^HTTP\/1\.1 200 Connection established\r\n\r\n$/;

/** The forward proxy alone: nothing answers at this upstream. */
function bench(
  t: Parameters<typeof openBench>[0],
  session: Partial<RelaySession> = {},
  options: Partial<RelayOptions> = {},
): Promise<Bench> {
  return openBench(t, 'http://127.0.0.1:9', options, session);
}

function connectLine(authority: string): string {
  return `CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n\r\n`;
}

/** A tunnel that stands. */
async function openTunnel(relay: Bench, authority: string): Promise<Socket> {
  const socket = relay.dial(connectLine(authority));
  assert.match(await readUntil(socket, '\r\n\r\n'), ESTABLISHED);
  return socket;
}

async function firstLine(socket: Socket): Promise<string> {
  return (await readUntil(socket, '\r\n')).split('\r\n')[0] ?? '';
}

function echo() {
  return createTcpServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => {});
    socket.pipe(socket);
  });
}

describe('what is not public is refused', () => {
  test('with a text that says why and which rule would allow it; nothing is connected to', async (t) => {
    let connections = 0;
    const far = await startFarEnd(t, (_seen, reply) => void reply.end('secret'));
    far.server.on('connection', () => connections++);
    const relay = await bench(t);
    const hosts = [
      '127.0.0.1',
      '127.1',
      '2130706433',
      '0x7f.1',
      '0177.0.0.1',
      'localhost',
      'LOCALHOST.',
      '[::1]',
      '0.0.0.0',
    ];
    hosts.push(
      '[::ffff:127.0.0.1]',
      '[0:0:0:0:0:ffff:7f00:1]',
      'a.localhost',
      'ip6-localhost',
      '%6cocalhost',
      hostname(),
    );
    for (const addresses of Object.values(networkInterfaces())) {
      for (const { address, family } of addresses ?? []) hosts.push(family === 'IPv6' ? `[${address}]` : address);
    }
    for (const host of hosts) {
      const tunnel = await relay.raw(connectLine(`${host}:${far.port}`));
      assert.match(tunnel, /^HTTP\/1\.1 403 Forbidden\r\n/, host);
      assert.match(tunnel, /Refused by the host of this sandbox: .*The owner can allow it with a rule: \S+:\d+\n$/);
      const plain = await relay.ask({ path: `http://${host}:${far.port}/x` });
      assert.equal(plain.status, 403, host);
      assert.match(plain.body, /^Refused by the host/);
    }
    assert.equal(connections, 0);
    assert.equal(relay.records.length, hosts.length * 2);
    assert.ok(
      relay.records.every((record) => !record.allowed && record.reason !== undefined && record.port === far.port),
    );
    assert.deepEqual(relay.records[0], {
      agentGroupId: 'g1',
      sessionId: 's1',
      host: '127.0.0.1',
      port: far.port,
      allowed: false,
      reason: '127.0.0.1 is a loopback address of this machine',
    });
  });

  test('everything is, when the group has no egress, whatever its rules say', async (t) => {
    const far = await startFarEnd(t, (_seen, reply) => void reply.end('x'));
    const relay = await bench(t, { egress: 'none', allow: [`127.0.0.1:${far.port}`] });
    assert.match(await relay.raw(connectLine(`127.0.0.1:${far.port}`)), /403 Forbidden.*egress: none/s);
    const plain = await relay.ask({ path: `http://127.0.0.1:${far.port}/` });
    assert.deepEqual([plain.status, /egress: none/.test(plain.body)], [403, true]);
    assert.equal(far.seen.length, 0);
  });

  test('a rule that is not host:port counts for nothing and is told to the log', async (t) => {
    const relay = await bench(t, { allow: ['127.0.0.0/8', '*'] });
    assert.match(await relay.raw(connectLine('127.0.0.1:80')), /403/);
    assert.match(relay.logs.join(), /counts for nothing.*127\.0\.0\.0/);
  });
});

describe('names', () => {
  test('are resolved once for a connection, and only what was judged is connected to', async (t) => {
    const far = await listen(t, echo());
    const answers = [['93.184.216.34', '127.0.0.1'], ['127.0.0.1'], ['10.9.9.9', '169.254.169.254']];
    let asked = 0;
    const relay = await bench(
      t,
      { allow: [`pinned.test:${far}`] },
      {
        resolve: async () => answers[asked++] ?? ['127.0.0.1'],
        timeouts: { dial: 200 },
      },
    );
    // Rebinding: public when first asked, loopback from then on. The first answer is what counts, and only its public part.
    const first = await relay.raw(connectLine(`rebind.test:${far}`));
    assert.doesNotMatch(first, /200|127\.0\.0\.1/);
    assert.equal(asked, 1);
    assert.match(await relay.raw(connectLine(`rebind.test:${far}`)), /403.*rebind\.test has the address 127\.0\.0\.1/s);
    assert.match(await relay.raw(connectLine(`rebind.test:${far}`)), /403.*169\.254\.169\.254/s);
    assert.equal(asked, 3);
    const tunnel = await openTunnel(relay, `pinned.test:${far}`);
    assert.equal(asked, 4);
    tunnel.write('ping');
    assert.equal(await readUntil(tunnel, 'ping'), 'ping');
  });

  test('are asked for as judged, and whether a rule names them is known', async (t) => {
    const asked: unknown[] = [];
    const relay = await bench(
      t,
      { allow: ['Named.test:*'] },
      {
        resolve: async (...question) => {
          asked.push(question);
          return [];
        },
      },
    );
    await relay.raw(connectLine('NAMED.test.:80'));
    await relay.raw(connectLine('ｏther.test:80'));
    assert.deepEqual(asked, [
      ['named.test', true],
      ['other.test', false],
    ]);
  });

  test('that do not exist, or are never answered, give a 502 that says so', async (t) => {
    const failure = Object.assign(new Error('x'), { code: 'ENOTFOUND', syscall: 'queryA' });
    const relay = await bench(
      t,
      {},
      {
        resolve: (name) => (name === 'none.test' ? Promise.reject(failure) : new Promise(() => {})),
        timeouts: { dial: 100 },
      },
    );
    assert.match(
      await relay.raw(connectLine('none.test:80')),
      /502 Bad Gateway.*none\.test:80 can not be reached: .*does not exist/s,
    );
    assert.match(
      (await relay.ask({ path: 'http://silent.test/' })).body,
      /silent\.test:80 can not be reached: the DNS gave no answer/,
    );
    assert.deepEqual(
      relay.records.map(({ host, allowed }) => [host, allowed]),
      [
        ['none.test', false],
        ['silent.test', false],
      ],
    );
  });
});

describe('tunnels', () => {
  test('carry bytes both ways, those sent too early included', async (t) => {
    const far = await listen(t, echo());
    const relay = await bench(t, { allow: ['127.0.0.1:*'] });
    const socket = relay.dial(`${connectLine(`127.0.0.1:${far}`)}early `);
    assert.match(await readUntil(socket, 'early '), /^HTTP\/1\.1 200 Connection established\r\n\r\nearly $/);
    socket.write('late');
    assert.equal(await readUntil(socket, 'late'), 'late');
    assert.deepEqual(relay.records, [
      { agentGroupId: 'g1', sessionId: 's1', host: '127.0.0.1', port: far, allowed: true },
    ]);
  });

  test('carry 64 MB unchanged, in both directions at once', async (t) => {
    const far = await listen(t, echo());
    const relay = await bench(t, { allow: ['127.0.0.1:*'] });
    const socket = await openTunnel(relay, `127.0.0.1:${far}`);
    const total = 64 * 1024 * 1024;
    let [sent, read] = [0, 0];
    socket.on('data', (chunk: Buffer) => {
      for (const at of [0, chunk.length - 1]) assert.equal(chunk[at], (read + at) & 255);
      read += chunk.length;
    });
    socket.resume();
    const block = Buffer.from(Array.from({ length: 65_536 }, (_, index) => index & 255));
    while (sent < total) {
      sent += block.length;
      if (!socket.write(block)) await once(socket, 'drain');
    }
    socket.end();
    await once(socket, 'end');
    assert.equal(read, total);
  });

  test('may end on one side and go on on the other', async (t) => {
    const far = createTcpServer({ allowHalfOpen: true }, async (socket) => {
      const chunks: string[] = [];
      socket.on('data', (chunk) => chunks.push(String(chunk)));
      await once(socket, 'end');
      socket.end(`heard ${chunks.join('')}`);
    });
    const relay = await bench(t, { allow: ['127.0.0.1:*'] });
    const socket = await openTunnel(relay, `127.0.0.1:${await listen(t, far)}`);
    socket.end('all of it');
    assert.equal(await readUntil(socket, 'all of it'), 'heard all of it');
  });

  test('may end at the far side first', async (t) => {
    const heard: string[] = [];
    const far = createTcpServer({ allowHalfOpen: true }, (socket) => {
      socket.end('goodbye');
      socket.on('data', (chunk) => heard.push(String(chunk)));
      socket.once('end', () => heard.push('END'));
    });
    const relay = await bench(t, { allow: ['127.0.0.1:*'] });
    const socket = relay.dial(connectLine(`127.0.0.1:${await listen(t, far)}`));
    socket.resume();
    await once(socket, 'end');
    socket.write('still here');
    await until('the far end hears it', () => heard.includes('still here'));
    socket.end();
    await until('the far end hears the end', () => heard.includes('END'));
  });

  test('end when the sandbox is gone, though the far end goes on sending', async (t) => {
    let gone = false;
    const far = createTcpServer({ allowHalfOpen: true }, (socket) => {
      const sending = setInterval(() => socket.write('more'), 5);
      socket.once('close', () => {
        clearInterval(sending);
        gone = true;
      });
    });
    const relay = await bench(t, { allow: ['127.0.0.1:*'] });
    const socket = await openTunnel(relay, `127.0.0.1:${await listen(t, far)}`);
    socket.destroy();
    await until('the far end sees it', () => gone);
  });

  test('are not waited for without end: a far end that takes no connection', {
    skip: process.platform !== 'linux',
  }, async (t) => {
    // A process that is stopped accepts nothing, and once its queue is full its kernel answers nothing either.
    const program = `require('net').createServer().listen({ port: 0, host: '127.0.0.1', backlog: 1 }, function () {
      console.log(this.address().port) })`;
    const child = spawn(process.execPath, ['-e', program], { stdio: ['ignore', 'pipe', 'inherit'] });
    t.after(() => child.kill('SIGKILL'));
    const port = Number(String((await once(child.stdout, 'data'))[0]));
    child.kill('SIGSTOP');
    await until('it is stopped', () => / T /.test(readFileSync(`/proc/${child.pid}/stat`, 'latin1')));
    const queue = Array.from({ length: 8 }, () => connect(port, '127.0.0.1').on('error', () => {}));
    t.after(() => queue.forEach((socket) => void socket.destroy()));
    await until('its queue is full', () => queue.filter((socket) => !socket.connecting).length >= 2);
    const relay = await bench(t, { allow: ['127.0.0.1:*'] }, { timeouts: { dial: 200 } });
    assert.match(await relay.raw(connectLine(`127.0.0.1:${port}`)), /502 Bad Gateway.*did not answer in time/s);
  });

  test('end on both sides when either breaks', async (t) => {
    const sockets: Socket[] = [];
    const far = await listen(
      t,
      createTcpServer((socket) => sockets.push(socket.on('error', () => {}))),
    );
    const relay = await bench(t, { allow: ['127.0.0.1:*'] });
    const first = await openTunnel(relay, `127.0.0.1:${far}`);
    sockets[0]?.resume();
    first.destroy();
    await until('the far end closes', () => sockets[0]?.destroyed === true);
    const second = await openTunnel(relay, `127.0.0.1:${far}`);
    sockets[1]?.resetAndDestroy();
    second.resume();
    await once(second, 'end');
  });

  test('end when nothing moves for long', async (t) => {
    const far = await listen(t, echo());
    const relay = await bench(t, { allow: ['127.0.0.1:*'] }, { timeouts: { idle: 100 } });
    const socket = await openTunnel(relay, `127.0.0.1:${far}`);
    socket.resume();
    await once(socket, 'end');
  });

  test('are limited for each session, and a place is given back', async (t) => {
    const far = await listen(t, echo());
    const relay = await bench(t, { allow: ['127.0.0.1:*'] });
    const authority = `127.0.0.1:${far}`;
    const open = await Promise.all(Array.from({ length: MAX_OUTGOING }, () => openTunnel(relay, authority)));
    assert.match(await relay.raw(connectLine(authority)), /^HTTP\/1\.1 503 .*64 connections open already/s);
    assert.equal((await relay.ask({ path: `http://${authority}/` })).status, 503);
    assert.equal((await relay.ask({ path: '/refused' })).status, 403, 'the model API has room still');
    open[0]?.destroy();
    let answer = '';
    // Whether the relay has seen the end already shows in its answer alone.
    while (!answer.includes('200')) answer = await firstLine(relay.dial(connectLine(authority)));
  });

  test('a port where nothing listens: 502', async (t) => {
    const server = createTcpServer();
    const port = await listen(t, server);
    server.close();
    await once(server, 'close');
    const relay = await bench(t, { allow: ['127.0.0.1:*'] });
    assert.match(await relay.raw(connectLine(`127.0.0.1:${port}`)), /502 Bad Gateway.*connection was refused/s);
  });

  test('closing the session cuts what is under way', async (t) => {
    const far = await listen(t, echo());
    const relay = await bench(t, { allow: ['127.0.0.1:*'] });
    const socket = await openTunnel(relay, `127.0.0.1:${far}`);
    socket.resume();
    const ended = once(socket, 'end');
    await relay.relay.close('s1');
    await ended;
    await relay.relay.close('s1');
  });
});

describe('requests in absolute form', () => {
  test('go on without what is of this hop, and with no credential', async (t) => {
    const far = await startFarEnd(t, (_seen, reply) => {
      reply.writeHead(201, {
        'set-cookie': ['a=1', 'b=2'],
        'x-hop': 'x',
        connection: 'x-hop',
        'keep-alive': 'timeout=9',
      });
      reply.end('made');
    });
    const relay = await bench(t, { allow: [`localhost:${far.port}`] });
    const answer = await relay.ask({
      method: 'PUT',
      path: `http://LOCALHOST:${far.port}/a/../b?q=%20`,
      headers: {
        host: 'elsewhere.test',
        'proxy-authorization': 'Basic eA==',
        'proxy-connection': 'keep-alive',
        authorization: "Bearer the-agent's-own",
        connection: 'close, x-named, content-length',
        'x-named': 'gone',
        'keep-alive': 'timeout=5',
        'content-length': '4',
      },
      body: 'body',
    });
    assert.deepEqual([answer.status, answer.body], [201, 'made']);
    assert.deepEqual(answer.headers['set-cookie'], ['a=1', 'b=2']);
    assert.equal(answer.headers['x-hop'], undefined);
    const [seen] = far.seen;
    assert.deepEqual([seen?.method, seen?.url, seen?.body], ['PUT', '/b?q=%20', 'body']);
    assert.equal(seen?.headers.host, `localhost:${far.port}`);
    assert.equal(seen?.headers.authorization, "Bearer the-agent's-own");
    assert.equal(seen?.headers['x-api-key'], undefined);
    assert.doesNotMatch(JSON.stringify(seen?.headers), new RegExp(`proxy|x-named|keep-alive|${SECRET}`));
  });

  test('the body of a GET can not become a second request', async (t) => {
    const far = await startFarEnd(t, (_seen, reply) => void reply.end('ok'));
    const relay = await bench(t, { allow: [`127.0.0.1:${far.port}`] });
    const inner = 'GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n';
    const chunk = `${inner.length.toString(16)}\r\n${inner}\r\n0\r\n\r\n`;
    const url = `http://127.0.0.1:${far.port}/outer`;
    for (const named of ['', 'Connection: close, transfer-encoding\r\n', 'Connection: close, content-length\r\n']) {
      await relay.raw(
        `GET ${url} HTTP/1.1\r\nHost: x\r\n${named || 'Connection: close\r\n'}Transfer-Encoding: chunked\r\n\r\n${chunk}`,
      );
      const length = `Content-Length: ${inner.length}\r\n`;
      await relay.raw(`GET ${url} HTTP/1.1\r\nHost: x\r\n${named || 'Connection: close\r\n'}${length}\r\n${inner}`);
    }
    assert.deepEqual(
      far.seen.map((seen) => [seen.url, seen.body]),
      Array(6).fill(['/outer', inner]),
    );
  });

  test('stream both ways, and a break on either side reaches the other', async (t) => {
    let gone = 0;
    const far = createServer((incoming, reply) => {
      reply.once('close', () => gone++);
      reply.writeHead(200).flushHeaders();
      incoming.on('data', (part: Buffer) => reply.write(part));
      if (incoming.url === '/break') reply.write('x', () => incoming.socket.destroy());
    });
    const relay = await bench(t, { allow: ['127.0.0.1:*'] });
    const base = `http://127.0.0.1:${await listen(t, far)}`;
    const outgoing = request({ socketPath: relay.socketPath, method: 'POST', path: `${base}/echo` });
    outgoing.write('first');
    const [answer] = (await once(outgoing, 'response')) as [IncomingMessage];
    answer.on('error', () => {});
    assert.equal(String((await once(answer, 'data'))[0]), 'first');
    outgoing.write('second');
    assert.equal(String((await once(answer, 'data'))[0]), 'second');
    outgoing.destroy();
    await until('the far end sees it', () => gone === 1);
    await assert.rejects(relay.ask({ path: `${base}/break` }), /aborted|terminated|hang up|ECONNRESET/);
  });

  test('the sandbox goes away before there is an answer: the far end sees it', async (t) => {
    let gone = false;
    const far = await startFarEnd(t, (_seen, reply) => void reply.once('close', () => (gone = true)));
    const relay = await bench(t, { allow: ['127.0.0.1:*'] });
    const path = `http://127.0.0.1:${far.port}/`;
    const outgoing = request({ socketPath: relay.socketPath, path }).on('error', () => {});
    outgoing.end();
    await until('the request is there', () => far.seen.length === 1);
    outgoing.destroy();
    await until('the far end sees it', () => gone);
  });

  test('a far end that never answers, or not in HTTP: 502', async (t) => {
    const silent = await listen(
      t,
      createTcpServer(() => {}),
    );
    const garbled = await listen(
      t,
      createTcpServer((socket) => void socket.end('what?\r\n')),
    );
    const relay = await bench(t, { allow: ['127.0.0.1:*'] }, { timeouts: { idle: 200 } });
    assert.match(
      (await relay.ask({ path: `http://127.0.0.1:${silent}/` })).body,
      /did not answer: it did not answer in time/,
    );
    assert.match((await relay.ask({ path: `http://127.0.0.1:${garbled}/` })).body, /did not answer: .*HTTP/);
  });
});

describe('malformed and hostile requests', () => {
  const lines: readonly [what: string, bytes: string, expected: RegExp][] = [
    [
      'both framings',
      'POST /v1/messages HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nG',
      /^HTTP\/1\.1 400/,
    ],
    [
      'both framings, the other way round',
      'POST /v1/messages HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\nG',
      /^HTTP\/1\.1 400/,
    ],
    [
      'two lengths',
      'POST /v1/messages HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab',
      /^HTTP\/1\.1 400/,
    ],
    [
      'a length that is no number',
      'POST /v1/messages HTTP/1.1\r\nHost: x\r\nContent-Length: 1e1\r\n\r\nab',
      /^HTTP\/1\.1 400/,
    ],
    ['a negative length', 'POST /v1/messages HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n', /^HTTP\/1\.1 400/],
    [
      'a coding that hides',
      'POST /v1/messages HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n',
      /^HTTP\/1\.1 (400|501)/,
    ],
    [
      'a coding besides',
      'POST /v1/messages HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n',
      /^HTTP\/1\.1 (400|501)/,
    ],
    [
      'a chunk size that is none',
      'POST /v1/messages HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n',
      /^HTTP\/1\.1 (400|502)/,
    ],
    ['a space before the colon', 'GET /v1/models HTTP/1.1\r\nHost: x\r\nx-api-key : y\r\n\r\n', /^HTTP\/1\.1 400/],
    ['a folded header', 'GET /v1/models HTTP/1.1\r\n Host: x\r\n\r\n', /^HTTP\/1\.1 400/],
    ['a bare CR in a header', 'GET /v1/models HTTP/1.1\r\nHost: x\r\nx: a\rb: c\r\n\r\n', /^HTTP\/1\.1 400/],
    ['a NUL in a header', 'GET /v1/models HTTP/1.1\r\nHost: x\r\nx: a\0b\r\n\r\n', /^HTTP\/1\.1 400/],
    ['no host', 'GET /v1/models HTTP/1.1\r\n\r\n', /^HTTP\/1\.1 400/],
    ['a space in the path', 'GET /v1/models x HTTP/1.1\r\nHost: x\r\n\r\n', /^HTTP\/1\.1 400/],
    ['another protocol', 'SSH-2.0-x\r\n\r\n', /^HTTP\/1\.1 400/],
    ['HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', /^HTTP\/1\.1 400/],
    ['TLS', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc', /^HTTP\/1\.1 400/],
    [
      'headers without end',
      `GET /v1/models HTTP/1.1\r\nHost: x\r\nx: ${'y'.repeat(70_000)}\r\n\r\n`,
      /^HTTP\/1\.1 431/,
    ],
    [
      'an upgrade',
      'GET /v1/models HTTP/1.1\r\nHost: x\r\nConnection: upgrade, close\r\nUpgrade: websocket\r\n\r\n',
      /^HTTP\/1\.1 501/,
    ],
    [
      'an upgrade through the proxy',
      'GET http://example.com/ HTTP/1.1\r\nHost: x\r\nConnection: upgrade, close\r\nUpgrade: h2c\r\n\r\n',
      /^HTTP\/1\.1 501/,
    ],
    ['the whole server', 'OPTIONS * HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n', /^HTTP\/1\.1 400/],
    [
      'https in absolute form',
      'GET https://example.com/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n',
      /^HTTP\/1\.1 400/,
    ],
    [
      'a user in the address',
      'GET http://u:p@example.com/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n',
      /^HTTP\/1\.1 400/,
    ],
    ['a path in a CONNECT', 'CONNECT /v1/messages HTTP/1.1\r\nHost: x\r\n\r\n', /^HTTP\/1\.1 400/],
    ['no port in a CONNECT', 'CONNECT example.com HTTP/1.1\r\nHost: x\r\n\r\n', /^HTTP\/1\.1 400/],
    ['a port of 0', 'CONNECT example.com:0 HTTP/1.1\r\nHost: x\r\n\r\n', /^HTTP\/1\.1 400/],
    ['a user in a CONNECT', 'CONNECT user@example.com:80 HTTP/1.1\r\nHost: x\r\n\r\n', /^HTTP\/1\.1 400/],
    ['a zone in a CONNECT', 'CONNECT [::1%lo]:80 HTTP/1.1\r\nHost: x\r\n\r\n', /^HTTP\/1\.1 400/],
    ['a URL in a CONNECT', 'CONNECT http://example.com:80 HTTP/1.1\r\nHost: x\r\n\r\n', /^HTTP\/1\.1 400/],
  ];
  for (const [what, bytes, expected] of lines) {
    test(what, async (t) => {
      const far = await startFarEnd(t, (_seen, reply) => void reply.end('answered'));
      const relay = await openBench(t, `http://127.0.0.1:${far.port}`, { resolve: async () => [] });
      const read = await relay.raw(bytes);
      assert.match(read, expected);
      assert.doesNotMatch(read, /answered/);
      assert.equal((await relay.ask({ path: '/v1/models' })).status, 200, 'the relay goes on');
    });
  }

  test('a second request before the first is answered ends the connection', async (t) => {
    const far = await startFarEnd(t, () => {});
    const relay = await openBench(t, `http://127.0.0.1:${far.port}`);
    const one = 'GET /v1/models HTTP/1.1\r\nHost: x\r\n\r\n';
    assert.equal(await relay.raw(one + one), '');
    assert.equal(await relay.raw(one + connectLine('example.com:80')), '');
    await until('no more than the first went out', () => far.seen.length <= 2);
  });

  test('a crowd of connections is turned away and does no harm', async (t) => {
    const far = await startFarEnd(t, (_seen, reply) => void reply.end('ok'));
    const relay = await openBench(t, `http://127.0.0.1:${far.port}`);
    const crowd = Array.from({ length: 300 }, () => relay.dial());
    await until(
      'the rest is closed',
      () => crowd.filter((socket) => socket.resume().readableEnded).length >= 300 - 128,
    );
    for (const socket of crowd) socket.destroy();
    await until('there is room', () => crowd.every((socket) => socket.closed));
    assert.equal((await relay.ask({ path: '/v1/models' })).status, 200);
  });
});

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { type Door, openDoor } from './door.ts';
import { MAX_CONNECTIONS } from './session.ts';
import { listen, openBench, portOf, startFarEnd, until } from './test-support.ts';

const isRoot = process.getuid?.() === 0;

async function bench(t: TestContext, uid?: number) {
  const far = await startFarEnd(t, (_seen, reply) => reply.end('{"data":[]}'));
  const port = await freePort();
  const door: Door = await openDoor({ host: '127.0.0.1', port });
  t.after(() => door.close());
  const relay = await openBench(t, `http://127.0.0.1:${far.port}`, {}, { door, ...(uid !== undefined && { uid }) });
  const file = join(relay.folder, 'token');
  return {
    ...relay,
    door,
    port,
    file,
    token: () => readFileSync(file, 'utf8'),
    dial(firstBytes: string): Socket {
      const socket = connect({ host: '127.0.0.1', port, allowHalfOpen: true }).on('error', () => {});
      t.after(() => socket.destroy());
      socket.write(firstBytes);
      return socket;
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const port = portOf(server);
  server.close();
  await once(server, 'close');
  return port;
}

const REQUEST = 'GET /v1/models HTTP/1.1\r\nHost: relay\r\n\r\n';

/** All that comes until the other side ends. */
async function answerTo(socket: Socket): Promise<string> {
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk)).once('end', () => socket.end());
  await once(socket, 'close');
  return Buffer.concat(chunks).toString();
}

describe('the door', () => {
  test('leads to the session whose token is said, in one piece or in many', async (t) => {
    const { dial, token } = await bench(t);
    const whole = dial(token() + REQUEST.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n'));
    assert.match(await answerTo(whole), /^HTTP\/1\.1 200 .*\{"data":\[\]\}/s);
    const slow = dial('');
    for (const byte of token()) slow.write(byte);
    slow.write(REQUEST.slice(0, 9));
    await until('it has taken the token', () => slow.bytesWritten > 50);
    slow.write(REQUEST.slice(9).replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n'));
    assert.match(await answerTo(slow), /^HTTP\/1\.1 200 /);
  });

  test('is shut for every other word, for none, and for an endless one', async (t) => {
    const { dial, token } = await bench(t);
    const wrong = [
      `${token().slice(0, -2)}!\n`,
      '\n',
      'x'.repeat(1000),
      `${REQUEST}\n`,
      ` ${token()}`,
      `${token().trim()} \n`,
    ];
    for (const word of wrong) assert.equal(await answerTo(dial(word + REQUEST)), '', JSON.stringify(word));
  });

  test('has a token for each start, which ends with it; what came by it is cut', async (t) => {
    const { dial, token, relay, file, socketPath } = await bench(t);
    const before = token();
    const kept = dial(before);
    await until('it is let in', () => kept.bytesWritten > 0);
    await relay.open({ sessionId: 's1', agentGroupId: 'g1', socketPath, egress: 'public', allow: [] });
    assert.equal(existsSync(file), false);
    assert.equal(await answerTo(kept), '');
    assert.equal(await answerTo(dial(before + REQUEST)), '');
  });

  test('each comes to its own session', async (t) => {
    const { door, relay, folder, file, port, token, records } = await bench(t);
    const first = token();
    writeFileSync(join(folder, '.token'), 'what a host that was killed has left');
    await relay.open({
      sessionId: 's2',
      agentGroupId: 'g2',
      socketPath: join(folder, 'two.sock'),
      egress: 'none',
      allow: [],
      door,
    });
    assert.notEqual(readFileSync(file, 'utf8'), first);
    const ask = (word: string) => {
      const socket = connect(port, '127.0.0.1').on('error', () => {});
      socket.write(`${word}CONNECT 10.0.0.1:80 HTTP/1.1\r\nHost: 10.0.0.1:80\r\n\r\n`);
      return answerTo(socket);
    };
    await ask(first);
    await ask(token());
    assert.deepEqual(
      records.map(({ agentGroupId }) => agentGroupId),
      ['g1', 'g2'],
    );
  });

  test('takes as many at once as a socket does', async (t) => {
    const { dial, token } = await bench(t);
    const all = Array.from({ length: MAX_CONNECTIONS + 1 }, () => dial(token()));
    let closed = 0;
    for (const socket of all)
      socket
        .resume()
        .on('close', () => closed++)
        .on('end', () => socket.end());
    await until('one too many is refused', () => closed === 1);
    all[0]?.destroy();
    all[1]?.destroy();
    await until('places are free', () => closed >= 3);
    const again = dial(token() + REQUEST);
    await once(again, 'data');
  });

  test('those who say nothing keep nobody out', async (t) => {
    const { dial, token } = await bench(t);
    let closed = 0;
    const silent = Array.from({ length: 300 }, () => dial('').resume());
    for (const socket of silent) socket.on('end', () => socket.end()).on('close', () => closed++);
    await until('the first of them made room', () => closed >= 300 - 256);
    const guest = dial(token() + REQUEST);
    await once(guest, 'data');
    assert.ok(closed < 60, `${closed} of them had to go`);
  });

  test('only the uid of the sandbox may read its token, and the socket is for nobody there', {
    skip: !isRoot,
  }, async (t) => {
    const { file, socketPath } = await bench(t, 65_533);
    const seen = [statSync(file), statSync(socketPath)].map(({ uid, mode }) => [uid, mode & 0o777]);
    assert.deepEqual(seen, [
      [65_533, 0o400],
      [0, 0o600],
    ]);
  });

  test('lets nobody in for a session that could not be opened', async (t) => {
    const { door, relay, folder, file, token } = await bench(t);
    const before = token();
    const socketPath = join(folder, 'no', 'relay.sock');
    await assert.rejects(
      relay.open({ sessionId: 's3', agentGroupId: 'g3', socketPath, egress: 'none', allow: [], door }),
      { code: 'NC_SOCKET_PATH' },
    );
    assert.equal(readFileSync(file, 'utf8'), before);
  });

  test('says so when something else listens there', async (t) => {
    const port = await listen(t, createServer());
    await assert.rejects(openDoor({ host: '127.0.0.1', port }), { code: 'NC_SOCKET_PATH', message: /EADDRINUSE/ });
  });
});

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { createServer } from 'node:https';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { listen, openBench, SECRET } from './test-support.ts';

const withoutOpenssl = spawnSync('openssl', ['version']).status !== 0 && 'needs openssl to make a certificate';

/** A far end with TLS, for `localhost` and `model.test`, that answers with the key's header masked or not at all. */
async function startTls(t: TestContext): Promise<{ port: number; certificate: string; connections: Set<unknown> }> {
  const folder = mkdtempSync(join(tmpdir(), 'relay-tls-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const [keyFile, certFile] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  const made = spawnSync('openssl', [
    ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'],
    ...['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,DNS:model.test'],
    ...['-keyout', keyFile, '-out', certFile],
  ]);
  assert.equal(made.status, 0, String(made.stderr));
  const certificate = readFileSync(certFile, 'utf8');
  const connections = new Set<unknown>();
  const server = createServer({ key: readFileSync(keyFile), cert: certificate }, (incoming, reply) => {
    connections.add(incoming.socket);
    const answer = () => reply.end(incoming.headers['x-api-key'] === SECRET ? 'with the key' : 'without');
    incoming.resume().once('end', () => (incoming.url?.includes('slow') ? setTimeout(answer, 400) : answer()));
  });
  return { port: await listen(t, server), certificate, connections };
}

function trust(t: TestContext, certificate: string): void {
  const before = getCACertificates('default');
  setDefaultCACertificates([...before, certificate]);
  t.after(() => setDefaultCACertificates(before));
}

test('a certificate that the process does not trust: 502, and no key was sent', { skip: withoutOpenssl }, async (t) => {
  const far = await startTls(t);
  const bench = await openBench(t, `https://localhost:${far.port}`);
  const answer = await bench.ask({ method: 'POST', path: '/v1/messages', body: '{}' });
  assert.equal(answer.status, 502);
  assert.match(answer.body, /certificate is not trusted/);
  assert.equal(far.connections.size, 0);
});

test('trust comes from the process, and one connection serves many', { skip: withoutOpenssl }, async (t) => {
  const far = await startTls(t);
  trust(t, far.certificate);
  const bench = await openBench(t, `https://localhost:${far.port}`);
  assert.deepEqual(await bench.relay.probe(), { ok: true });
  for (let i = 0; i < 3; i++) {
    assert.equal((await bench.ask({ method: 'POST', path: '/v1/messages', body: '{}' })).body, 'with the key');
  }
  assert.equal(far.connections.size, 2, 'one for the probe, one for all requests');
});

test('the limit for connecting is over once a connection stands', { skip: withoutOpenssl }, async (t) => {
  const far = await startTls(t);
  trust(t, far.certificate);
  const bench = await openBench(t, `https://localhost:${far.port}`, { timeouts: { dial: 200 } });
  for (const connection of ['new', 'kept']) {
    const answer = await bench.ask({ method: 'POST', path: '/v1/messages?slow', body: '{}' });
    assert.equal(answer.body, 'with the key', connection);
  }
});

test("https goes through the owner's proxy by CONNECT", { skip: withoutOpenssl }, async (t) => {
  const far = await startTls(t);
  trust(t, far.certificate);
  const asked: (string | undefined)[] = [];
  const proxy = createHttpServer().on('connect', (incoming, client: Socket) => {
    asked.push(incoming.url);
    const remote = connect(far.port, '127.0.0.1', () => client.write('HTTP/1.1 200 OK\r\n\r\n'));
    remote.on('error', () => client.destroy()).on('close', () => client.destroy());
    client.on('error', () => remote.destroy()).on('close', () => remote.destroy());
    client.pipe(remote).pipe(client);
  });
  const env = { HTTPS_PROXY: `http://127.0.0.1:${await listen(t, proxy)}` };
  const bench = await openBench(t, 'https://model.test', { env });
  assert.equal((await bench.ask({ method: 'POST', path: '/v1/messages', body: '{}' })).body, 'with the key');
  assert.equal((await bench.ask({ method: 'POST', path: '/v1/messages', body: '{}' })).body, 'with the key');
  assert.deepEqual(await bench.relay.probe(), { ok: true });
  assert.deepEqual(asked, ['model.test:443', 'model.test:443'], 'one for both requests, one for the probe');
});

test('a proxy of the owner that refuses is named as what failed', { skip: withoutOpenssl }, async (t) => {
  const proxy = createHttpServer().on('connect', (_incoming, client: Socket) => {
    client.end('HTTP/1.1 407 Proxy Authentication Required\r\n\r\n');
  });
  const port = await listen(t, proxy);
  const bench = await openBench(t, 'https://model.test', {
    env: { HTTPS_PROXY: `http://user:hunter22@127.0.0.1:${port}` },
  });
  const answer = await bench.ask({ method: 'POST', path: '/v1/messages', body: '{}' });
  assert.equal(answer.status, 502);
  assert.match(answer.body, /outbound proxy of this machine refused/);
  assert.doesNotMatch(answer.body + bench.logs.join(), /hunter22/);
});

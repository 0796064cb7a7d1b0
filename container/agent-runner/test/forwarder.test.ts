import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { it } from 'node:test';
import { startForwarder } from '../src/forwarder.ts';
import { runnerPaths } from '../src/paths.ts';

async function listening(server: Server): Promise<number> {
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return (server.address() as AddressInfo).port;
}

it('goes by TCP where there is a token, which is said first, as it is by then', async (t) => {
  const root = mkdtempSync(join(tmpdir(), 'forwarder-'));
  t.after(() => rmSync(root, { recursive: true, force: true }));
  mkdirSync(join(root, 'run/proxy'), { recursive: true });
  const bridge = createServer({ allowHalfOpen: true }, (client) => client.pipe(client));
  const to = await listening(bridge);
  t.after(() => bridge.close());
  const spare = createServer();
  const proxyPort = await listening(spare);
  spare.close();
  await once(spare, 'close');

  const paths = { ...runnerPaths(root), relay: { host: '127.0.0.1', port: to }, proxyPort };
  const complaints: unknown[] = [];
  writeFileSync(paths.relayToken, 'none yet\n');
  startForwarder(paths, (...line) => complaints.push(line));
  for (const token of ['first', 'second']) {
    writeFileSync(paths.relayToken, `${token}\n`);
    const client = connect({ port: proxyPort, host: '127.0.0.1', allowHalfOpen: true });
    client.end('ping');
    assert.equal(await text(client), `${token}\nping`);
  }
  rmSync(paths.relayToken);
  const without = connect({ port: proxyPort, host: '127.0.0.1' });
  assert.equal(await text(without), '', 'a host that starts has none for a moment');
  assert.deepEqual(complaints, []);
});

import assert from 'node:assert/strict';
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Server } from 'node:net';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { after, before, describe, test } from 'node:test';
import { until } from '../../../test/support/until.ts';

/** As it runs in its container: a text for Node, in a process of its own. */
const SCRIPT = readFileSync(path.join(import.meta.dirname, 'forward.ts'), 'utf8');

describe('the bridge', () => {
  let host: Server;
  let bridge: ChildProcessWithoutNullStreams;
  let port: number;
  before(async () => {
    host = createServer({ allowHalfOpen: true }, (socket) => socket.pipe(socket)).listen(0, '127.0.0.1');
    await once(host, 'listening');
    port = await freePort();
    const words = ['localhost', String((host.address() as AddressInfo).port), String(port), '127.0.0.1'];
    bridge = spawn(process.execPath, ['--input-type=module-typescript', '-e', SCRIPT, ...words]);
    await once(bridge.stdout, 'data');
  });
  after(() => {
    bridge.kill();
    host.close();
  });

  test('hands on what is said, both ways, to its end', async () => {
    const socket = connect({ host: '127.0.0.1', port, allowHalfOpen: true });
    socket.end('x'.repeat(1_000_000));
    assert.equal((await text(socket)).length, 1_000_000);
  });

  test('is called at the addresses of its own networks alone', async () => {
    const socket = connect({ host: '127.0.0.2', port });
    assert.equal(await text(socket), '');
  });

  test('takes no more than so many from one address', async () => {
    const all = Array.from({ length: 129 }, () => connect({ host: '127.0.0.1', port }));
    let closed = 0;
    let heard = 0;
    for (const socket of all) {
      socket
        .on('close', () => closed++)
        .on('data', () => heard++)
        .on('error', () => undefined);
      socket.write('x');
    }
    await until(() => heard === 128 && closed === 1);
    for (const socket of all) socket.destroy();
  });

  test('stays while its host lives, and longer for as long as there are sandboxes', async () => {
    assert.equal(bridge.exitCode, null);
    bridge.stdin.end();
    // This machine's own network stands for those of sandboxes where it has two; with one or none it goes at once.
    const networks = Object.keys((await import('node:os')).networkInterfaces()).filter((name) => name !== 'lo');
    if (networks.length <= 1) await once(bridge, 'exit');
    else assert.equal(bridge.exitCode, null);
  });
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

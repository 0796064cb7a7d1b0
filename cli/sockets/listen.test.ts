import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { NanoError } from '../../src/errors.ts';
import { closeServer, connectUnix, listenUnix } from './listen.ts';

async function withFolder(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'sock-'));
  try {
    await body(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const hasCode = (code: string) => (error: unknown) => error instanceof NanoError && error.code === code;

test('the socket is private from its first moment and goes with its server', () =>
  withFolder(async (folder) => {
    const path = join(folder, 'new', 's.sock');
    const server = createServer();
    await listenUnix(server, path);
    assert.equal(statSync(path).mode & 0o777, 0o600);
    await closeServer(server, []);
    assert.equal(existsSync(path), false);
  }));

test('a socket that a killed process left is replaced', () =>
  withFolder(async (folder) => {
    const path = join(folder, 's.sock');
    const program = `require('node:net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`;
    assert.equal(spawnSync(process.execPath, ['-e', program]).signal, 'SIGKILL');
    assert.equal(existsSync(path), true);
    assert.equal(await connectUnix(path), undefined);
    const server = createServer();
    await listenUnix(server, path);
    const socket = await connectUnix(path);
    assert.ok(socket);
    socket.destroy();
    await closeServer(server, []);
  }));

test('a socket in use is left to its owner', () =>
  withFolder(async (folder) => {
    const path = join(folder, 's.sock');
    const first = createServer();
    await listenUnix(first, path);
    await assert.rejects(listenUnix(createServer(), path), hasCode('NC_HOST_RUNNING'));
    const socket = await connectUnix(path);
    assert.ok(socket, 'the first still answers');
    socket.destroy();
    await closeServer(first, []);
  }));

test('a file in its place stays, a path too long is refused', () =>
  withFolder(async (folder) => {
    const path = join(folder, 's.sock');
    writeFileSync(path, 'mine');
    chmodSync(path, 0o644);
    await assert.rejects(listenUnix(createServer(), path), hasCode('NC_SOCKET_PATH'));
    assert.equal(statSync(path).size, 4);
    await assert.rejects(listenUnix(createServer(), join(folder, 'x'.repeat(108))), hasCode('NC_SOCKET_PATH'));
  }));

test('a client that does not read can not hold up the close', () =>
  withFolder(async (folder) => {
    const path = join(folder, 's.sock');
    const connections = new Set<Socket>();
    const server = createServer((socket) => connections.add(socket));
    await listenUnix(server, path);
    const socket = await connectUnix(path);
    socket?.pause();
    while (connections.size === 0) await new Promise(setImmediate);
    for (const connection of connections) connection.on('error', () => undefined).write(Buffer.alloc(8 * 1024 * 1024));
    await closeServer(server, connections);
    socket?.destroy();
  }));

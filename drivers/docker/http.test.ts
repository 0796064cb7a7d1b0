import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { createHttp } from './http.ts';

test('an engine that takes a request and never answers is not waited for', async (t) => {
  const folder = mkdtempSync(path.join(tmpdir(), 'nanoclaw-http-'));
  const open = new Set<net.Socket>();
  const server = net.createServer((socket) => open.add(socket.on('error', () => undefined)));
  server.listen(path.join(folder, 'frozen.sock'));
  await once(server, 'listening');
  t.after(() => {
    for (const socket of open) socket.destroy();
    server.close();
    rmSync(folder, { recursive: true });
  });
  const http = createHttp(path.join(folder, 'frozen.sock'));
  await assert.rejects(http.upgrade('/attach', 50), { code: 'NC_SANDBOX_ENGINE', message: /no answer within 50 ms/ });
  const nobody = new AbortController();
  const logs = http.open('/logs', nobody.signal);
  nobody.abort();
  await assert.rejects(logs, { code: 'NC_SANDBOX_ENGINE', message: /nobody waits for it/ });
});

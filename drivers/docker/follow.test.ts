import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import http from 'node:http';
import { syncBuiltinESMExports } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { createContainers } from './containers.ts';
import { follow } from './follow.ts';
import { createHttp } from './http.ts';

test('a container that the engine can not end is left to it', async (t) => {
  const folder = mkdtempSync(path.join(tmpdir(), 'nanoclaw-follow-'));
  const socket = path.join(folder, 'engine.sock');
  let kills = 0;
  // An engine that answers, and may not kill; the wait and the output go on.
  const server = http.createServer(({ url = '' }, response) => {
    if (url.includes('/kill')) {
      kills++;
      response.writeHead(500).end('{"message":"cannot kill container: permission denied"}');
    } else if (url.endsWith('/_ping')) response.end('OK');
    else if (url.endsWith('/json')) response.end('{"State":{"Running":true,"ExitCode":0}}');
    else if (url.includes('/logs')) response.writeHead(200).flushHeaders();
  });
  server.listen(socket);
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
    rmSync(folder, { recursive: true });
  });
  t.mock.timers.enable({ apis: ['setTimeout'] });
  syncBuiltinESMExports(); // for whoever imports it by name
  const limits = { memory: true, swap: true, cpu: true, pids: true };
  const engine = {
    ...{ http: createHttp(socket), prefix: '/v1.41', name: 'Docker' as const, version: '20.10', rootless: false },
    ...{
      remapsUsers: false,
      selinux: false,
      machine: null,
      sameKernel: false,
      limits,
      countsInside: false,
      defaultRuntime: 'runc',
    },
    ...{ cgroups: 'cgroup v2', runtimes: [] },
  };
  const left: string[] = [];
  const sandbox = follow({
    containers: async () => createContainers(engine, 'image'),
    isLost: () => false,
    id: 'held',
    sessionId: 's1',
    logFile: path.join(folder, 'log'),
    frames: null,
    sinceMs: 0,
    done: new AbortController(),
    remove: async () => assert.fail('it still runs'),
    leave: (id) => left.push(id),
    log: () => undefined,
  });
  let exit: unknown;
  void sandbox.stop(0).then((how) => {
    exit = how;
  });
  while (exit === undefined) {
    await turn();
    t.mock.timers.tick(500);
  }
  assert.deepEqual([exit, left], [{ code: null, outOfMemory: false, lastLines: [] }, ['held']]);
  assert.ok(kills > 10, String(kills));
});

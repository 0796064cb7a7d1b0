import assert from 'node:assert/strict';
import { syncBuiltinESMExports } from 'node:module';
import path from 'node:path';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { createContainers } from './containers.ts';
import { follow } from './follow.ts';
import { playEngine, reply } from './testing/engine.ts';

test('a container that the engine can not end is left to it', async (t) => {
  let kills = 0;
  // It answers, and may not kill; the wait and the output go on.
  const { folder, engine } = await playEngine(t, ({ url = '' }, response) => {
    if (url.includes('/kill')) {
      kills++;
      reply(response, 500, { message: 'cannot kill container: permission denied' });
    } else if (url.endsWith('/_ping')) response.end('OK');
    else if (url.endsWith('/json')) reply(response, 200, { State: { Running: true, ExitCode: 0 } });
    else if (url.includes('/logs')) response.writeHead(200).flushHeaders();
  });
  t.mock.timers.enable({ apis: ['setTimeout'] });
  syncBuiltinESMExports(); // for whoever imports it by name
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

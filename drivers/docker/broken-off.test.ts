import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import { createContainers } from './containers.ts';
import { follow } from './follow.ts';
import { playEngine, reply } from './testing/engine.ts';

test('what came before the connection broke off is not written again after it', async (t) => {
  const frame = (text: string) => {
    const header = Buffer.alloc(8);
    header[0] = 1;
    header.writeUInt32BE(text.length, 4);
    return Buffer.concat([header, Buffer.from(text)]);
  };
  const isEnding = Promise.withResolvers<void>();
  const { folder, engine } = await playEngine(t, ({ url = '' }, response) => {
    if (url.includes('/wait')) void isEnding.promise.then(() => reply(response, 200, { StatusCode: 0 }));
    else if (url.endsWith('/json')) reply(response, 200, { State: { Running: false, ExitCode: 0 } });
    else if (url.includes('/logs')) {
      // Its stamp is later than its coming.
      response.end(Buffer.concat([frame('one\n'), frame('two\n')]));
      isEnding.resolve();
    }
  });
  const logFile = path.join(folder, 'log');
  const sandbox = follow({
    containers: async () => createContainers(engine, 'image'),
    isLost: () => false,
    id: 'id',
    sessionId: 's1',
    logFile,
    frames: (async function* () {
      yield { stream: 'out' as const, bytes: Buffer.from('one\n') };
    })(),
    sinceMs: 0,
    done: new AbortController(),
    remove: async () => undefined,
    leave: () => assert.fail('it ended'),
    log: () => undefined,
  });
  assert.deepEqual((await sandbox.exited).lastLines, ['one', 'two']);
});

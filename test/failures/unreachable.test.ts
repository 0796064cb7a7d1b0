import assert from 'node:assert/strict';
import { createServer, type Server, type Socket } from 'node:net';
import { describe, test } from 'node:test';
import { createMessagesApi, say, TEST_KEY } from '../fakes/messages-api/index.ts';
import { until } from '../support/until.ts';
import { gaveUpSentence, retrySentence, SIGN_OF_LIFE_MS, startRig } from './rig.ts';

/** A model that nobody can reach: an address that takes connections and says nothing, and one where nobody is. */

const RETRY_MS = 300;

describe('a model that can not be reached', { concurrency: 2 }, () => {
  const rigAt = (port: number) =>
    startRig({
      provider: 'claude',
      env: { ANTHROPIC_API_KEY: TEST_KEY, ANTHROPIC_BASE_URL: `http://127.0.0.1:${port}` },
      environment: { NANOCLAW_RETRY_MS: String(RETRY_MS) },
      chats: ['a'],
    });

  test('it hangs, then it is gone, then it is there: told once, and the same message is answered', async () => {
    using hanging = await hang();
    await using rig = await rigAt(hanging.port);
    const event = rig.platform.send('a', 'hello');
    await until(() => rig.since(event).length > 0, 60_000);
    assert.equal(rig.since(event)[0]?.text, retrySentence('network', 1));
    assert.ok(rig.firstSign(event) < SIGN_OF_LIFE_MS);
    hanging.close();
    const tries = rig.message(event)?.tries ?? 0;
    await until(() => (rig.message(event)?.tries ?? 0) > tries, 60_000);
    const api = await createMessagesApi({ port: hanging.port, otherwise: say('there again') });
    assert.equal((await rig.end(event)).outcome, 'reply');
    assert.deepEqual(
      rig.since(event).map(({ text }) => text),
      [retrySentence('network', 1), 'there again'],
    );
    await api.close();
  });

  test('it stays away: tried six times, ever more seldom, told twice for five messages, and it heals', async () => {
    const { port, close } = await hang();
    close();
    await using rig = await rigAt(port);
    const events = ['a', 'b', 'c', 'd', 'e'].map((word) => rig.platform.send('a', word));
    const [first = ''] = events;
    const triedAt: number[] = [];
    await until(() => {
      const tries = rig.message(first)?.tries ?? 0;
      if (tries > triedAt.length) triedAt.push(Date.now());
      return rig.message(first)?.outcome;
    }, 120_000);
    for (const event of events) assert.deepEqual(await rig.end(event), { outcome: 'notice', tries: 5 });
    assert.deepEqual(
      rig.since(first).map(({ text }) => text),
      [retrySentence('network', 1), gaveUpSentence('network')],
    );
    const waits = triedAt.slice(1).map((at, index) => at - (triedAt[index] ?? 0));
    for (const [index, wait] of waits.entries()) {
      assert.ok(wait > RETRY_MS * 2 ** index * 0.8, `try ${index + 2} came after ${wait} ms`);
    }
    const api = await createMessagesApi({ port, otherwise: say('there again') });
    const next = rig.platform.send('a', 'and now?');
    assert.equal((await rig.end(next)).outcome, 'reply');
    await api.close();
  });
});

interface Hanging extends Disposable {
  port: number;
  close(): void;
}

/** Takes every connection, and never says a word. */
async function hang(): Promise<Hanging> {
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket.on('error', () => {}));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const close = () => {
    server.close();
    for (const socket of sockets) socket.destroy();
  };
  return {
    port: typeof address === 'object' && address ? address.port : 0,
    close,
    [Symbol.dispose]: close,
  };
}

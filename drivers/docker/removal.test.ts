import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { createContainers } from './containers.ts';
import { playEngine, reply } from './testing/engine.ts';

type Said = readonly [status: number, message: string];

const IMPROPER: Said = [
  500,
  'cannot remove container ab as it could not be stopped: sending SIGKILL to container ab: container state improper: stopped',
];

/** An engine that says these one after the other, the last one again and again. */
async function saying(t: TestContext, ...said: readonly Said[]) {
  const asked: string[] = [];
  const { engine } = await playEngine(t, ({ method, url }, response) => {
    const [status = 500, message] = said[Math.min(asked.push(`${method} ${url}`), said.length) - 1] ?? [];
    if (status === 204) reply(response, status);
    else reply(response, status, { message });
  });
  return { asked, containers: createContainers(engine, 'image') };
}

test('what ends by itself while it is removed is removed', async (t) => {
  const { asked, containers } = await saying(t, IMPROPER, IMPROPER, [204, '']);
  await containers.remove('ab');
  assert.deepEqual(asked, Array(3).fill('DELETE /v1.41/containers/ab?force=1&v=1&timeout=0'));
});

test('what is gone, or is being removed, is fine; another refusal is said at once', async (t) => {
  for (const status of [404, 409]) await (await saying(t, [status, 'no such container'])).containers.remove('ab');
  const { asked, containers } = await saying(t, [500, 'device or resource busy']);
  await assert.rejects(containers.remove('ab'), /device or resource busy/);
  assert.equal(asked.length, 1);
});

test('what never ends is said in the end', async (t) => {
  const { asked, containers } = await saying(t, IMPROPER);
  await assert.rejects(containers.remove('ab'), /container state improper/);
  assert.ok(asked.length > 10);
});

import assert from 'node:assert/strict';
import { globSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { type HostOptions, startHost } from '../support/host-process.ts';
import { type Platform, startPlatform } from '../support/scripted/platform.ts';
import { until } from '../support/until.ts';

/** A long answer on a platform where messages can be changed: seen to grow, said once, whoever dies meanwhile. */

const environment = { NANOCLAW_PLATFORM_EDITS: '1', NANOCLAW_RETRY_MS: '1' };
const numbers = (last: number) => Array.from({ length: last }, (_, index) => index + 1).join(' ');
const texts = (platform: Platform) => [...platform.delivered.values()].map(({ text }) => text);

const start = (platform: Platform, options: HostOptions = {}) =>
  startHost({ platform, environment, chats: ['a', 'b'], ...options });

/** Until what stands in the chat has been seen to grow. */
async function untilItGrows(platform: Platform): Promise<void> {
  await until(() => [...platform.delivered.values()].some((one) => one.texts.length > 1));
}

test('a long answer grows in one message, which ends as the answer; a short one comes whole', async () => {
  using platform = await startPlatform();
  await using host = await start(platform);
  const long = platform.send('a', 'count to 200');
  platform.send('b', 'count to 3');
  await until(() => platform.events.get(long)?.outcome === 'reply');
  const [growing] = [...platform.delivered.values()].filter(({ chat }) => chat === 'a');
  assert.deepEqual(platform.said('a'), [numbers(200)]);
  assert.ok((growing?.texts.length ?? 0) >= 3, `${growing?.texts.length} texts`);
  for (const [index, text] of growing?.texts.entries() ?? []) {
    assert.ok(numbers(200).startsWith(text), text);
    assert.ok(text.length > (growing?.texts[index - 1]?.length ?? 0));
  }
  assert.deepEqual([...platform.delivered.values()].find(({ chat }) => chat === 'b')?.texts, [numbers(3)]);
  assert.doesNotMatch(host.log(), /"level":"error"/);
});

test('/stop ends it where it is', async () => {
  using platform = await startPlatform();
  await using _host = await start(platform);
  const long = platform.send('a', 'count to 2000');
  await untilItGrows(platform);
  platform.send('a', '/stop');
  await until(() => platform.events.get(long)?.outcome === 'stopped');
  await until(() => texts(platform).some((text) => text.endsWith('(broken off)')));
  assert.equal(texts(platform).length, 2);
  assert.ok(texts(platform).includes('Stopped.'));
});

test('a host that is killed in the middle: the next one goes on in the same message', async () => {
  using platform = await startPlatform();
  const host = await start(platform);
  const long = platform.send('a', 'count to 250');
  await untilItGrows(platform);
  await host.end('SIGKILL');
  await using _second = await start(platform, { home: host.home });
  await until(() => platform.events.get(long)?.outcome === 'reply', 60_000);
  assert.deepEqual(texts(platform), [numbers(250)]);
  assert.deepEqual(openDraft(host.home), null);
});

test('an agent that dies in the middle: what it had written is closed, and the next try says it all', async () => {
  using platform = await startPlatform();
  await using host = await start(platform, {
    environment: { ...environment, NANOCLAW_RUNNER_FAULT: 'runner.drafting@2' },
  });
  const long = platform.send('a', 'count to 250');
  await until(() => texts(platform).some((text) => text.endsWith('(broken off)')), 60_000);
  await host.end();
  await using _second = await start(platform, { home: host.home });
  await until(() => platform.events.get(long)?.outcome === 'reply', 60_000);
  const said = texts(platform);
  assert.equal(said.filter((text) => text === numbers(250)).length, 1);
  assert.ok(said.some((text) => text.startsWith('⚠️')));
  assert.deepEqual(openDraft(host.home), null);
});

function openDraft(home: string): unknown {
  const [file = ''] = globSync('data/v2.db', { cwd: home });
  const db = new DatabaseSync(join(home, file), { readOnly: true });
  try {
    return db.prepare('SELECT max(draft) AS draft FROM sessions').get()?.draft;
  } finally {
    db.close();
  }
}

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startHost } from '../support/host-process.ts';
import { startPlatform } from '../support/scripted/platform.ts';
import { until } from '../support/until.ts';

test('chats of a platform are answered side by side, and each message is delivered once', async () => {
  using platform = await startPlatform();
  await using host = await startHost({ platform, chats: ['a', 'b'] });
  platform.send('a', 'run echo one');
  platform.send('b', 'run echo two');
  await until(() => platform.said('a').length > 0 && platform.said('b').length > 0);
  assert.match(platform.said('a').join(), /one/);
  assert.match(platform.said('b').join(), /two/);
  const before = platform.send('a', 'run sleep 1; echo three');
  await until(() => platform.events.get(before)?.acceptance);
  await host.end('SIGKILL');
  const later = platform.send('b', 'run echo four');
  await using _second = await startHost({ platform, home: host.home });
  await until(() => platform.said('a').some((text) => text.includes('three')));
  await until(() => platform.events.get(later)?.outcome === 'reply');
  assert.equal(platform.said('b').filter((text) => text.includes('four')).length, 1);
});

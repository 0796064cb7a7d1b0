import assert from 'node:assert/strict';
import { existsSync, globSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { startHost, type TestHost } from '../support/host-process.ts';
import { killSandbox, sandboxProcesses } from '../support/sandbox-search.ts';
import { startPlatform } from '../support/scripted/platform.ts';
import { until } from '../support/until.ts';
import { agentFolder, createTemplate } from './install.ts';

const ROUNDS = 20;
/** After a collection. What grows in this time is compiled code; a comparison of heap snapshots shows no other kind. */
const HEAP_BYTES = 2 * 1024 * 1024;
/** What the allocator keeps of peaks varies from run to run. */
const RSS_SHARE = 0.15;

test('a host that outlives its sandboxes is as large after forty crashes as before', {
  timeout: 180_000,
}, async (t) => {
  using template = createTemplate();
  using platform = await startPlatform();
  const home = template.copy();
  const environment = { NANOCLAW_RETRY_MS: '1' };
  await using host = await startHost({ home, platform, environment, node: ['--expose-gc'] });
  t.after(() => rmSync(home, { recursive: true, force: true }));
  const chats = ['a', 'b'];
  const boxes = () => globSync(join(home, 'data/v2-sessions/*/*/box'));
  let count = 0;

  /** Every other time in the middle of a tool, which runs through when it is tried again. */
  async function round(): Promise<void> {
    count += 1;
    const mark = `round-${count}`;
    const busy = count % 2 === 0;
    const command = (chat: string) =>
      busy ? `run test -e ${mark}${chat} || { touch ${mark}${chat}; sleep 60; }; echo ${mark}` : `run echo ${mark}`;
    for (const chat of chats) platform.send(chat, command(chat));
    const answered = (chat: string) => platform.said(chat).some((text) => text.includes(mark));
    if (busy) await until(() => chats.every((chat) => existsSync(join(agentFolder(home), mark + chat))), 60_000);
    else await until(() => chats.every(answered), 60_000);
    const killed = boxes().flatMap(sandboxProcesses);
    for (const box of boxes()) killSandbox(box);
    await until(() => killed.every((pid) => !existsSync(`/proc/${pid}`)));
    if (busy) await until(() => chats.every(answered), 60_000);
  }

  for (let warm = 0; warm < 4; warm += 1) await round();
  const before = await sizeOf(host);
  for (let done = 0; done < ROUNDS; done += 1) await round();
  const after = await sizeOf(host);
  t.diagnostic(`before ${JSON.stringify(before)}, after ${JSON.stringify(after)}`);
  assert.ok(
    after.heapUsed - before.heapUsed < HEAP_BYTES,
    `the heap grew by ${after.heapUsed - before.heapUsed} bytes`,
  );
  assert.ok(after.rss < before.rss * (1 + RSS_SHARE), `from ${before.rss} to ${after.rss} bytes`);
  assert.ok(after.descriptors <= before.descriptors, `${before.descriptors} descriptors, then ${after.descriptors}`);
});

async function sizeOf(host: TestHost): Promise<{ heapUsed: number; rss: number; descriptors: number }> {
  const file = join(host.home, 'size.json');
  rmSync(file, { force: true });
  host.process.kill('SIGUSR2');
  await until(() => existsSync(file));
  return JSON.parse(readFileSync(file, 'utf8'));
}

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { until } from '../../test/support/until.ts';
import { testHost } from '../telegram/testing.ts';
import { onStage, QUICK } from './testing/stage.ts';

/** What the host doesn't take. */

test('what the host has no room for stays on the disk when its time is over, and is offered again', async (t) => {
  const host = testHost();
  const { far, dm } = await onStage(t, { host, timing: { ...QUICK, offerMs: 1, againMs: 200 } });
  const refused = { status: 'refused' as const, code: 'NC_DISK_FULL', sentence: 'No room.' };
  host.answers.push(...Array.from({ length: 8 }, () => refused));
  await far.post({ chat: dm, sender: 'ann', text: 'keep me' });
  await until(() => host.events.length === 9);
  assert.equal(new Set(host.events.map((event) => event.platformMessageId)).size, 1);
});

test('what can never be taken is told of to who called the bot, and to nobody else', async (t) => {
  const { far, dm, group, host, server, fields } = await onStage(t);
  const refused = { status: 'refused' as const, code: 'NC_MESSAGE_EMPTY', sentence: 'The message is empty.' };
  for (const chat of [group, dm]) {
    host.answers.push(refused);
    const taken = server.sockets.acknowledged.length;
    await far.post({ chat, sender: 'ann', text: '' });
    await until(() => server.sockets.acknowledged.length > taken);
  }
  assert.deepEqual(
    fields('chat.postMessage').map(({ channel }) => channel),
    [dm],
  );
});

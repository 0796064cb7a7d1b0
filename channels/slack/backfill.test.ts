import assert from 'node:assert/strict';
import { test } from 'node:test';
import { z } from 'zod';
import { until } from '../../test/support/until.ts';
import { outbound } from '../telegram/testing.ts';
import { onStage, QUICK, type Stage } from './testing/stage.ts';

/** Gaps that are older than what is read again in any case. */

const Kept = z.object({ at: z.number() });
const MINUTE = 60_000;
const ago = (ms: number) => ((Date.now() - ms) / 1000).toFixed(6);

function asOf({ context, dm }: Stage, minutes: number): void {
  const before = JSON.parse(context.values.get('heard') ?? '{}');
  const at = Date.now() - minutes * MINUTE;
  const chats = [[dm, ago(minutes * MINUTE)]];
  context.values.set('heard', JSON.stringify({ ...before, at, chats: [...chats, ...before.chats] }));
}

test('a gap whose history could not be read is no smaller for it, nor for what was said since', async (t) => {
  const stage = await onStage(t);
  const { dm, ann, state, host, server, far, fields } = stage;
  await stage.adapter.stop();
  asOf(stage, 20);
  state.messages.push({ ts: ago(10 * MINUTE), channel: dm, user: ann, text: 'missed' });
  const is502 = { kind: 'status' as const, status: 502 };
  for (const _ of state.chats) server.faults.push({ method: /^conversations\.history/, fault: is502 });
  await stage.restart();
  await until(() => fields('conversations.history').some(({ channel }) => channel === dm));
  await far.post({ chat: dm, sender: 'ann', text: 'live' });
  await until(() => host.events.some(({ text }) => text === 'live'));
  server.faults.length = 0;
  await stage.restart();
  await until(() => host.events.some(({ text }) => text === 'missed'));
});

test('an answer to the bot in a thread that it has answered in is read, though nobody else had spoken there', async (t) => {
  const stage = await onStage(t);
  const { group, ann, state, host, server, context } = stage;
  const root = ago(20 * MINUTE);
  const asked = { channel: group, user: ann, text: '<@UBOT0001> a question' };
  server.sockets.send('events_api', server.said({ ts: root, ...asked }));
  await until(() => host.events.length === 1);
  const answer = outbound({ platformId: group, threadId: root, text: 'the answer' });
  assert.equal((await stage.adapter.deliver(answer)).status, 'sent');
  await stage.adapter.stop();
  const kept = JSON.parse(context.values.get('heard') ?? '{}');
  context.values.set('heard', JSON.stringify({ ...kept, at: Date.now() - 15 * MINUTE }));
  state.messages.push({ ts: ago(10 * MINUTE), channel: group, user: ann, text: 'and then?', thread_ts: root });
  await stage.restart();
  await until(() => host.events.some(({ text, threadId }) => text === 'and then?' && threadId === root));
});

test('a gap begins when Slack was heard last, not when that was noticed', async (t) => {
  const { adapter, server, context } = await onStage(t, { timing: { ...QUICK, pingMs: 600_000, pauseMs: 600_000 } });
  const heardAt = Date.now();
  await until(() => Date.now() > heardAt + 50);
  server.sockets.drop();
  await until(() => adapter.health?.().state !== 'connected');
  assert.ok(Kept.parse(JSON.parse(context.values.get('heard') ?? '')).at <= heardAt);
});

test('what is read from the history while the host has no room is kept on the disk', async (t) => {
  const stage = await onStage(t, { timing: { ...QUICK, offerMs: 1, againMs: 50 } });
  const { dm, ann, state, host } = stage;
  await stage.adapter.stop();
  asOf(stage, 20);
  state.messages.push({ ts: ago(10 * MINUTE), channel: dm, user: ann, text: 'missed' });
  let offered = 0;
  host.onAccept = ({ text }) => {
    if (text === 'missed') offered += 1;
    if (offered <= 6) throw new Error('There is no room.');
  };
  await stage.restart();
  await until(() => host.events.some(({ text }) => text === 'missed'));
});

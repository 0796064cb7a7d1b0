import assert from 'node:assert/strict';
import { test } from 'node:test';
import { until } from '../../test/support/until.ts';
import { testHost } from '../telegram/testing.ts';
import { onStage, QUICK } from './testing/stage.ts';

/** Socket mode, against a Slack that counts what is acknowledged. */

test('an envelope is acknowledged after the host has taken it', async (t) => {
  const host = testHost();
  const { promise, resolve } = Promise.withResolvers<void>();
  let offered = 0;
  host.onAccept = () => {
    offered += 1;
    return promise;
  };
  const { far, dm, server } = await onStage(t, { host, timing: { ...QUICK, answerMs: 600_000 } });
  await far.post({ chat: dm, sender: 'ann', text: 'hold on' });
  await until(() => offered === 1);
  assert.equal(server.sockets.unacknowledged.size, 1);
  resolve();
  await until(() => server.sockets.acknowledged.length === 1);
  assert.equal(server.sockets.unacknowledged.size, 0);
});

test('one that takes long is acknowledged when it is on the disk, and handed over by the next process', async (t) => {
  const host = testHost();
  let isHanging = true;
  host.onAccept = () => (isHanging ? new Promise(() => {}) : undefined);
  const stage = await onStage(t, { host, timing: { ...QUICK, answerMs: 20 } });
  await stage.far.post({ chat: stage.dm, sender: 'ann', text: 'a large file' });
  await until(() => stage.server.sockets.acknowledged.length === 1);
  isHanging = false;
  // Slack has none of it any more.
  stage.state.messages.length = 0;
  await stage.restart();
  await until(() => host.events.length === 1);
  assert.equal(host.events[0]?.text, 'a large file');
});

test('one that was not acknowledged when the line broke comes again, and is one message', async (t) => {
  const host = testHost();
  const { promise, resolve } = Promise.withResolvers<void>();
  host.onAccept = () => promise;
  const { far, dm, server } = await onStage(t, { host, timing: { ...QUICK, answerMs: 600_000 } });
  await far.post({ chat: dm, sender: 'ann', text: 'twice' });
  await until(() => server.sockets.unacknowledged.size === 1);
  server.sockets.drop();
  await until(() => server.sockets.opened() === 2);
  resolve();
  await until(() => server.sockets.unacknowledged.size === 0);
  await far.post({ chat: dm, sender: 'ann', text: 'behind it' });
  await until(() => host.events.some(({ text }) => text === 'behind it'));
  assert.equal(host.events.filter(({ text }) => text === 'twice').length, 1);
});

test('at a refresh the next socket is there before the old one goes: it is never deaf, and both are heard', async (t) => {
  const { far, dm, server, host, adapter } = await onStage(t, { timing: { ...QUICK, overlapMs: 600_000 } });
  const states = new Set<string>();
  const watch = setInterval(() => states.add(adapter.health?.().state ?? ''), 1);
  t.after(() => clearInterval(watch));
  const [old] = server.sockets.sockets;
  await far.post({ chat: dm, sender: 'ann', text: 'before' });
  server.sockets.disconnect('warning');
  await until(() => server.sockets.sockets.length === 2);
  await far.post({ chat: dm, sender: 'ann', text: 'on the new one' });
  await until(() => host.events.length === 2);
  old?.terminate();
  await far.post({ chat: dm, sender: 'ann', text: 'after' });
  await until(() => host.events.length === 3);
  assert.deepEqual([...states], ['connected']);
  assert.equal(host.comebacks, 1);
});

test('a line that is dead without a word is found out, and another one taken', async (t) => {
  const { far, dm, server, host, adapter } = await onStage(t, { timing: { ...QUICK, pingMs: 50, helloMs: 500 } });
  server.sockets.silent(true);
  await until(() => adapter.health?.().state !== 'connected');
  server.sockets.silent(false);
  await until(() => adapter.health?.().state === 'connected');
  await far.post({ chat: dm, sender: 'ann', text: 'there again' });
  await until(() => host.events.length === 1);
});

test('an app token that is refused, and socket mode switched off, are for a person', async (t) => {
  const { server, adapter } = await onStage(t);
  server.tokens.app = 'xapp-another';
  server.sockets.drop();
  await until(() => adapter.health?.().state === 'failed');
  assert.match(adapter.health?.().detail ?? '', /APP_TOKEN/);
  server.tokens.app = server.settings.APP_TOKEN ?? '';
  await until(() => adapter.health?.().state === 'connected');
  server.faults.push(
    ...Array.from({ length: 50 }, () => ({
      method: /^apps\.connections\.open$/,
      fault: { kind: 'refuse' as const, error: 'socket_mode_disabled' },
    })),
  );
  server.sockets.disconnect('link_disabled');
  server.sockets.drop();
  await until(() => /Socket Mode/.test(adapter.health?.().detail ?? ''));
  assert.equal(adapter.health?.().state, 'failed');
});

test('while Slack is away it is asked again ever more rarely, and not in a loop', async (t) => {
  const { server, adapter, fields } = await onStage(t, { timing: { ...QUICK, pauseMs: 200, longestPauseMs: 60_000 } });
  server.faults.push(
    ...Array.from({ length: 4 }, () => ({ method: /^apps\./, fault: { kind: 'status' as const, status: 503 } })),
  );
  const begun = performance.now();
  server.sockets.drop();
  await until(() => adapter.health?.().state !== 'connected');
  await until(() => adapter.health?.().state === 'connected');
  assert.equal(fields('apps.connections.open').length, 6);
  // 200 + 400 + 800 + 1600 ms, each a quarter less at most.
  assert.ok(performance.now() - begun > 2_000);
});

test('a line that Slack ends as soon as it is there is opened ever more rarely, too', async (t) => {
  const { server, adapter, fields } = await onStage(t, { timing: { ...QUICK, pauseMs: 200, longestPauseMs: 60_000 } });
  const begun = performance.now();
  const ending = setInterval(() => server.sockets.drop(), 1);
  await until(() => fields('apps.connections.open').length === 5);
  clearInterval(ending);
  // The first time at once, then 200 + 400 + 800 ms, each a quarter less at most.
  assert.ok(performance.now() - begun > 1_000);
  await until(() => adapter.health?.().state === 'connected');
});

test('what was said in a gap is read from the history: chats, threads, and those that are new', async (t) => {
  const stage = await onStage(t);
  const { far, dm, group, state, host, server } = stage;
  const root = await far.post({ chat: group, sender: 'ann', text: 'a question' });
  await far.post({ chat: dm, sender: 'ann', text: 'known' });
  await far.post({ chat: group, thread: root, sender: 'ann', text: 'in the thread' });
  await until(() => host.events.length === 3);
  await stage.adapter.stop();
  await until(() => server.sockets.sockets.length === 0);
  await far.post({ chat: dm, sender: 'ann', text: 'missed 1' });
  await far.post({ chat: group, thread: root, sender: 'ann', text: 'missed in the thread' });
  await far.post({ chat: dm, sender: 'ann', text: 'missed 2' });
  await far.post({ chat: state.dmOf(state.person('bob')), sender: 'bob', text: 'a new chat' });
  await far.bot?.(group, 'another bot');
  host.events.length = 0;
  await stage.restart();
  await until(() => host.events.length >= 4);
  const of = (chat: string) => host.events.filter((event) => event.platformId === chat).map((event) => event.text);
  assert.deepEqual(of(dm), ['missed 1', 'missed 2']);
  assert.deepEqual(of(group), ['missed in the thread']);
  const reply = host.events.find((event) => event.text === 'missed in the thread');
  assert.equal(reply?.threadId, root);
  assert.equal(host.events.length, 4);
});

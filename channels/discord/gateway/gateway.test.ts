import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startDiscordServer } from '../../../test/fakes/discord/server.ts';
import { BOT, GENERAL, TOKEN } from '../../../test/fakes/discord/world.ts';
import { until } from '../../../test/support/until.ts';
import { createDiscord } from '../adapter.ts';
import { again, QUICK, setUp, testContext, testHost } from '../testing.ts';

/** Against a gateway that keeps to the letter. */

const NOBODY = new Promise<void>(() => {});

test('a connection that breaks is taken up again, and what came meanwhile comes once, in order', async (t) => {
  const { server, host } = await setUp(t);
  const ann = server.world.person('ann');
  const dm = server.world.direct(ann).id;
  server.say({ channel_id: dm, author: ann, content: 'one' });
  await until(() => host.events.length === 1);
  server.gateway.drop();
  for (const content of ['two', 'three']) server.say({ channel_id: dm, author: ann, content });
  await until(() => host.events.length >= 3);
  assert.deepEqual(
    host.events.map(({ text }) => text),
    ['one', 'two', 'three'],
  );
  assert.deepEqual([server.gateway.state.identified, server.gateway.state.resumed], [1, 1]);
});

test('what the host has not taken is not acknowledged: after a crash Discord sends it again', async (t) => {
  const { server, host, context, adapter } = await setUp(t);
  const ann = server.world.person('ann');
  const dm = server.world.direct(ann).id;
  server.say({ channel_id: dm, author: ann, content: 'taken' });
  await until(() => host.events.length === 1);
  host.onAccept = (event) => (event.text === 'not yet' ? NOBODY : undefined);
  server.say({ channel_id: dm, author: ann, content: 'not yet' });
  // Of another chat, and so not held up by it.
  server.say({ channel_id: GENERAL, author: ann, content: `<@${BOT.id}> behind it` });
  await until(() => host.events.some(({ text }) => text === '@Andy behind it'));
  await adapter.stop();
  const next = await again(t, context);
  await until(() => next.host.events.some(({ text }) => text === 'not yet'));
  assert.equal(server.gateway.state.identified, 1);
  assert.equal(server.gateway.state.resumed, 1);
  assert.ok(!next.host.events.some(({ text }) => text === 'taken'));
});

test('what a session that Discord forgot can not bring is fetched from the history, before what is new', async (t) => {
  const { server, host, context, adapter } = await setUp(t);
  const ann = server.world.person('ann');
  const dm = server.world.direct(ann).id;
  server.say({ channel_id: dm, author: ann, content: 'before' });
  server.say({ channel_id: GENERAL, author: ann, content: 'here as well' });
  await until(() => host.events.length === 2);
  await adapter.stop();
  server.gateway.forget();
  for (let at = 0; at < 130; at++) server.say({ channel_id: dm, author: ann, content: `away ${at}.` });
  server.say({ channel_id: GENERAL, author: ann, content: `<@${BOT.id}> and you?` });
  const next = await again(t, context);
  server.say({ channel_id: dm, author: ann, content: 'live' });
  await until(() => next.host.events.some(({ text }) => text === 'live'));
  await until(() => next.host.events.length === 132);
  const inDirect = next.host.events.filter(({ platformId }) => platformId === dm).map(({ text }) => text);
  assert.deepEqual(inDirect, [...Array.from({ length: 130 }, (_, at) => `away ${at}.`), 'live']);
  const asked = next.host.events.find(({ platformId }) => platformId === GENERAL);
  assert.deepEqual([asked?.isGroup, asked?.isMention, asked?.text], [true, true, '@Andy and you?']);
});

test('history that was not fetched to its end, or not at once, is fetched to its end', async (t) => {
  const { server, host, context, adapter } = await setUp(t);
  const ann = server.world.person('ann');
  const dm = server.world.direct(ann).id;
  server.say({ channel_id: dm, author: ann, content: 'before' });
  await until(() => host.events.length === 1);
  await adapter.stop();
  server.gateway.forget();
  for (let at = 0; at < 3; at++) server.say({ channel_id: dm, author: ann, content: `away ${at}.` });
  server.say({ channel_id: GENERAL, author: ann, content: 'there as well' });
  // The first answers are none.
  server.faults.push({ at: /^GET .*guilds$/, fault: { kind: 'garbage', status: 502 } });
  server.faults.push({ at: /^GET .*messages$/, fault: { kind: 'taken' } });
  const second = testHost();
  second.onAccept = ({ text }) => (text === 'away 1.' ? NOBODY : undefined);
  const crashes = createDiscord(testContext(context.settings, context.values), QUICK);
  t.after(() => crashes.stop());
  await crashes.start(second);
  await until(() => second.events.length === 2);
  // Of another channel, and so not held up.
  assert.deepEqual(second.events.map(({ text }) => text).sort(), ['away 0.', 'there as well']);
  await crashes.stop();
  const next = await again(t, context);
  await until(() => next.host.events.length === 2);
  assert.deepEqual(
    next.host.events.map(({ text }) => text),
    ['away 1.', 'away 2.'],
  );
  assert.equal(server.gateway.state.identified, 2);
  assert.ok(server.gateway.state.resumed > 0);
});

test('what the host can not keep up with is left with Discord, and comes when it can', async (t) => {
  const { server, host, adapter } = await setUp(t);
  const [ann, bob] = [server.world.person('ann'), server.world.person('bob')];
  const dm = server.world.direct(ann).id;
  const store = Promise.withResolvers<void>();
  host.onAccept = ({ platformId }) => (platformId === dm ? store.promise : undefined);
  const count = 1_200;
  for (let at = 0; at < count; at++) server.say({ channel_id: dm, author: ann, content: `${at}` });
  await until(() => /can not keep up/.test(adapter.health?.().detail ?? ''));
  assert.equal(host.events.length, 0);
  store.resolve();
  await until(() => adapter.health?.().state === 'connected');
  server.say({ channel_id: server.world.direct(bob).id, author: bob, content: 'the last' });
  await until(() => host.events.length > count);
  const texts = host.events.filter(({ platformId }) => platformId === dm).map(({ text }) => text);
  assert.deepEqual(
    texts,
    Array.from({ length: count }, (_, at) => `${at}`),
  );
});

test('heartbeats that nobody answers end the connection, and it is taken up again', async (t) => {
  const { server, host, adapter } = await setUp(t, { heartbeatMs: 150 });
  server.gateway.state.isSilent = true;
  await until(() => adapter.health?.().state === 'connecting');
  server.gateway.state.isSilent = false;
  await until(() => adapter.health?.().state === 'connected');
  const ann = server.world.person('ann');
  server.say({ channel_id: server.world.direct(ann).id, author: ann, content: 'are you there?' });
  await until(() => host.events.length === 1);
  assert.ok(server.gateway.state.resumed > 0);
});

test('Discord may ask for a new connection, and say that a session is over', async (t) => {
  const { server, adapter } = await setUp(t);
  const { state } = server.gateway;
  server.gateway.tell(7, null);
  await until(() => state.resumed === 1);
  await until(() => adapter.health?.().state === 'connected');
  server.gateway.tell(9, true);
  await until(() => state.resumed === 2);
  await until(() => adapter.health?.().state === 'connected');
  server.gateway.tell(9, false);
  await until(() => state.identified === 2);
  assert.ok(!state.closes.includes(1000), 'that would have ended the session');
});

test('asked for a new connection again and again, it takes its time', async (t) => {
  const server = await startDiscordServer();
  const adapter = createDiscord(testContext(server.settings), { ...QUICK, pauseMs: 200, longestPauseMs: 60_000 });
  t.after(async () => {
    await adapter.stop();
    await server.close();
  });
  await adapter.start(testHost());
  await until(() => adapter.health?.().state === 'connected');
  const begun = performance.now();
  const asking = setInterval(() => server.gateway.tell(7, null), 1);
  await until(() => server.gateway.state.closes.length >= 4);
  clearInterval(asking);
  // The first time at once, then after 400 and 800 ms, each a quarter less at most.
  assert.ok(performance.now() - begun > 850);
});

test('a session that Discord never takes up again is given up for a new one', async (t) => {
  const { server } = await setUp(t);
  const { state } = server.gateway;
  const before = state.received.length;
  state.refuseWith = { code: 4000 };
  server.gateway.drop();
  // One refusal is no reason.
  await until(() => state.resumed === 1);
  server.gateway.hangUp(4009);
  await until(() => state.identified === 2);
  const greetings = state.received.slice(before).flatMap(({ op }) => (op === 1 ? [] : [op]));
  assert.deepEqual(greetings, [6, 6, 2]);
});

test('what only a person can put right is said to them, and not tried on and on', async (t) => {
  const blind = await startDiscordServer({ mayRead: false });
  t.after(() => blind.close());
  const adapter = createDiscord(testContext(blind.settings), QUICK);
  t.after(() => adapter.stop());
  await adapter.start(testHost());
  await until(() => adapter.health?.().state === 'failed');
  assert.match(adapter.health?.().detail ?? '', /Message Content Intent/);

  const { server, adapter: other } = await setUp(t);
  server.revoke();
  await until(() => other.health?.().state === 'failed');
  const { detail = '' } = other.health?.() ?? {};
  assert.match(detail, /refuses the token/);
  assert.ok(!detail.includes(TOKEN));
});

test('when Discord allows no more sign-ins it waits for the time that it names', async (t) => {
  const server = await startDiscordServer();
  t.after(() => server.close());
  Object.assign(server.limit, { remaining: 0, reset_after: 300 });
  const adapter = createDiscord(testContext(server.settings), QUICK);
  t.after(() => adapter.stop());
  await adapter.start(testHost());
  await until(() => /no more sign-ins/.test(adapter.health?.().detail ?? ''));
  await until(() => adapter.health?.().state === 'connected');
});

test('a gateway that says nothing that can be read, or nothing at all, is left', async (t) => {
  const { server, host, adapter } = await setUp(t);
  server.gateway.tell(0, 'no object');
  server.gateway.hangUp(4000);
  await until(() => server.gateway.state.resumed > 0);
  await until(() => adapter.health?.().state === 'connected');
  const ann = server.world.person('ann');
  server.say({ channel_id: server.world.direct(ann).id, author: ann, content: 'still?' });
  await until(() => host.events.length === 1);
});

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { BOT, GENERAL } from '../../../test/fakes/discord/world.ts';
import { until } from '../../../test/support/until.ts';
import { createDiscord } from '../adapter.ts';
import { again, QUICK, setUp, testContext, testHost } from '../testing.ts';

/** Histories that can't be read at once. */

const NO_ANSWER = { kind: 'garbage', status: 503 } as const;

test('what a history did not give is not hidden by what is said there since', async (t) => {
  const { server, host, context, adapter } = await setUp(t);
  const ann = server.world.person('ann');
  const dm = server.world.direct(ann).id;
  server.say({ channel_id: dm, author: ann, content: 'before' });
  await until(() => host.events.length === 1);
  await adapter.stop();
  server.gateway.forget();
  for (const content of ['away 0.', 'away 1.']) server.say({ channel_id: dm, author: ann, content });
  for (let tries = 0; tries < 6; tries++) server.faults.push({ at: /^GET .*messages$/, fault: NO_ANSWER });
  const second = await again(t, context);
  server.say({ channel_id: dm, author: ann, content: 'live' });
  await until(() => second.host.events.some(({ text }) => text === 'live'));
  assert.deepEqual([second.host.events.length, server.faults.length], [1, 0]);
  await second.adapter.stop();
  const third = await again(t, second.context);
  await until(() => third.host.events.some(({ text }) => text === 'away 1.'));
  assert.equal(third.host.events[0]?.text, 'away 0.');
});

test('a token that is taken back in the middle hides nothing from the next one', async (t) => {
  const { server, host, context, adapter } = await setUp(t);
  const ann = server.world.person('ann');
  const dm = server.world.direct(ann).id;
  server.say({ channel_id: dm, author: ann, content: 'before' });
  await until(() => host.events.length === 1);
  await adapter.stop();
  server.gateway.forget();
  server.say({ channel_id: dm, author: ann, content: 'away' });
  const fault = { kind: 'refuse', status: 401, body: { message: '401: Unauthorized', code: 0 } } as const;
  server.faults.push({ at: /^GET .*messages$/, fault });
  const second = await again(t, context);
  server.say({ channel_id: dm, author: ann, content: 'live' });
  await until(() => second.host.events.some(({ text }) => text === 'live'));
  await second.adapter.stop();
  const third = await again(t, second.context);
  await until(() => third.host.events.some(({ text }) => text === 'away'));
});

test('channels that could not be listed are no less behind', async (t) => {
  const { server, host, context, adapter } = await setUp(t);
  const ann = server.world.person('ann');
  const dm = server.world.direct(ann).id;
  server.say({ channel_id: dm, author: ann, content: 'before' });
  await until(() => host.events.length === 1);
  await adapter.stop();
  server.gateway.forget();
  server.say({ channel_id: GENERAL, author: ann, content: `<@${BOT.id}> away` });
  for (let tries = 0; tries < 6; tries++) server.faults.push({ at: /^GET .*guilds$/, fault: NO_ANSWER });
  const second = await again(t, context);
  server.say({ channel_id: GENERAL, author: ann, content: `<@${BOT.id}> live` });
  await until(() => second.host.events.some(({ text }) => text === '@Andy live'));
  await second.adapter.stop();
  const third = await again(t, second.context);
  await until(() => third.host.events.some(({ text }) => text === '@Andy away'));
});

/** The first message of Ann's is not taken before `store` says so; then Discord forgets the session once more. */
async function twice(t: TestContext, faults: number) {
  const { server, host, context, adapter } = await setUp(t);
  const [ann, bob] = [server.world.person('ann'), server.world.person('bob')];
  const [ofAnn, ofBob] = [server.world.direct(ann).id, server.world.direct(bob).id];
  server.say({ channel_id: ofAnn, author: ann, content: 'a0' });
  server.say({ channel_id: ofBob, author: bob, content: 'b0' });
  await until(() => host.events.length === 2);
  await adapter.stop();
  server.gateway.forget();
  server.say({ channel_id: ofAnn, author: ann, content: 'a1' });
  server.say({ channel_id: ofBob, author: bob, content: 'b1' });
  const second = testHost();
  const store = Promise.withResolvers<void>();
  let offered = 0;
  second.onAccept = ({ text }) => {
    if (text !== 'a1') return undefined;
    offered += 1;
    return offered === 1 ? store.promise : undefined;
  };
  const next = createDiscord(testContext(context.settings, context.values), QUICK);
  t.after(() => next.stop());
  await next.start(second);
  await until(() => offered === 1 && second.events.some(({ text }) => text === 'b1'));
  for (let tries = 0; tries < faults; tries++) server.faults.push({ at: /^GET .*messages$/, fault: NO_ANSWER });
  const before = server.calls.length;
  const { identified } = server.gateway.state;
  server.gateway.forget();
  server.gateway.drop();
  server.say({ channel_id: ofBob, author: bob, content: 'b2' });
  await until(() => server.gateway.state.identified > identified);
  const asked = () => server.calls.slice(before).filter(({ path }) => path.endsWith(`${ofBob}/messages`)).length;
  return { server, context, adapter: next, second, store, ann, bob, ofAnn, ofBob, asked };
}

test('a second gap is fetched before what is new, though the first one is still being fetched', async (t) => {
  const { server, second, store, bob, ofBob, asked } = await twice(t, 8);
  await until(() => asked() > 0);
  store.resolve();
  await until(() => second.events.some(({ text }) => text === 'a1'));
  server.say({ channel_id: ofBob, author: bob, content: 'b3' });
  await until(() => second.events.some(({ text }) => text === 'b3'));
  const said = second.events.filter(({ platformId }) => platformId === ofBob).map(({ text }) => text);
  assert.deepEqual(said, ['b1', 'b2', 'b3']);
});

test('a first gap that is closed at last does not close the second one', async (t) => {
  const { server, context, adapter, second, store, ann, ofAnn, ofBob, asked } = await twice(t, 12);
  await until(() => asked() === 6 && server.faults.length === 0);
  store.resolve();
  server.say({ channel_id: ofAnn, author: ann, content: 'a2' });
  await until(() => second.events.some(({ text }) => text === 'a2'));
  await adapter.stop();
  const third = await again(t, context);
  await until(() => third.host.events.some(({ platformId, text }) => platformId === ofBob && text === 'b2'));
});

test('a button counts though Discord can not say at once where it stands', async (t) => {
  const { server, context, adapter } = await setUp(t);
  const ann = server.world.person('ann');
  const said = server.world.say({ channel_id: GENERAL, author: ann, content: 'a card' });
  await adapter.stop();
  const next = await again(t, context);
  server.faults.push({ at: new RegExp(`^GET /channels/${GENERAL}$`), fault: NO_ANSWER });
  server.press(said, 'yes', ann);
  await until(() => next.host.presses.length === 1);
  assert.equal(next.host.presses[0]?.platformId, GENERAL);
});

import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { BOT, FORUM, GENERAL, GUILD, ORPHAN, THREAD } from '../../test/fakes/discord/world.ts';
import { until } from '../../test/support/until.ts';
import { plugin } from './index.ts';
import { again, outbound, setUp, testContext } from './testing.ts';

/** Against a REST API that refuses what Discord refuses. */

test('a message of a thread, a forum post whose forum is gone, and a direct chat have their places', async (t) => {
  const { server, host } = await setUp(t);
  const ann = { ...server.world.person('ann'), global_name: 'Ann\u202E\n Smith' };
  server.say({ channel_id: THREAD, author: ann, content: `<@${BOT.id}> in a thread` });
  server.say({ channel_id: ORPHAN, author: ann, content: 'all alone' });
  const dm = server.world.direct(ann);
  server.say({ channel_id: dm.id, author: ann, content: 'to you' });
  await until(() => host.events.length === 3);
  const at = (text: string) => host.events.find((event) => event.text.includes(text));
  const { platformId, threadId, isGroup, isMention, chatName, senderId, senderName } = at('in a thread')!;
  assert.deepEqual([platformId, threadId, isGroup, isMention], [GENERAL, THREAD, true, true]);
  assert.deepEqual([chatName, senderId, senderName], [`#general (${GUILD.name})`, `discord:${ann.id}`, 'Ann Smith']);
  assert.deepEqual([at('alone')?.platformId, at('alone')?.threadId, at('alone')?.isMention], [ORPHAN, null, false]);
  assert.deepEqual([at('to you')?.platformId, at('to you')?.isGroup, at('to you')?.isMention], [dm.id, false, true]);
});

test('after a restart threads are still threads, and roles of the bot call it', async (t) => {
  const { server, context, adapter } = await setUp(t);
  await until(() => context.values.has('journal'));
  server.rest.roles.push('700000000000000001');
  await adapter.stop();
  const next = await again(t, context);
  const ann = server.world.person('ann');
  server.say({ channel_id: THREAD, author: ann, content: '<@&700000000000000001> who hears this?' });
  server.say({ channel_id: THREAD, author: ann, content: '`<@&700000000000000001>` not meant' });
  await until(() => next.host.events.length === 2);
  assert.deepEqual(
    next.host.events.map(({ platformId, threadId, isMention }) => [platformId, threadId, isMention]),
    [
      [GENERAL, THREAD, true],
      [GENERAL, THREAD, false],
    ],
  );
  assert.equal(server.gateway.state.identified, 1, 'it was a resumed session, which tells nothing of channels');
});

test('bots are heard when they call it by its name, and not without end', async (t) => {
  const { server, host } = await setUp(t);
  const robot = { ...server.world.person('robot'), bot: true };
  server.say({ channel_id: GENERAL, author: robot, content: 'to nobody' });
  for (let at = 0; at < 8; at++) server.say({ channel_id: GENERAL, author: robot, content: `<@${BOT.id}> ping ${at}` });
  server.say({ channel_id: GENERAL, author: server.world.person('ann'), content: 'enough' });
  server.say({ channel_id: GENERAL, author: robot, content: `<@${BOT.id}> once more` });
  await until(() => host.events.some(({ text }) => text === '@Andy once more'));
  const texts = host.events.map(({ text }) => text);
  assert.deepEqual(texts, [...[0, 1, 2, 3, 4].map((at) => `@Andy ping ${at}`), 'enough', '@Andy once more']);
});

test('text and files go out in one message, nobody is called, and no link shows a preview', async (t) => {
  const { server, context, adapter } = await setUp(t);
  const files = ['a', 'b'].map((name) => {
    const path = join(context.folder, name);
    writeFileSync(path, `file ${name}`);
    return { name: `${name}.txt`, path, size: 6 };
  });
  const ann = server.world.person('ann');
  const text = `@everyone <@${ann.id}> look: https://example.org`;
  const result = await adapter.deliver(outbound({ platformId: GENERAL, threadId: THREAD, text, files }));
  const [said] = server.said();
  assert.deepEqual(result, { status: 'sent', platformMessageId: said?.id });
  assert.deepEqual([said?.channel_id, said?.content], [THREAD, text]);
  assert.deepEqual(
    said?.attachments.map(({ filename, size }) => [filename, size]),
    [
      ['a.txt', 6],
      ['b.txt', 6],
    ],
  );
  assert.deepEqual(server.rest.pinged, []);
  assert.equal((said?.flags ?? 0) & 4, 4);
});

test('an answer shows what it answers, and calls who asked', async (t) => {
  const { server, adapter } = await setUp(t);
  const [ann, bob] = [server.world.person('ann'), server.world.person('bob')];
  const { id: quotes } = server.say({ channel_id: GENERAL, author: ann, content: `what is <@${bob.id}> up to?` });
  const say = (fields: object) => adapter.deliver(outbound({ platformId: GENERAL, ...fields }));
  assert.equal((await say({ quotes, text: 'looking', progress: true })).status, 'sent');
  assert.equal((await say({ quotes: '300000000000000099', text: 'to one that is gone' })).status, 'sent');
  assert.deepEqual(server.rest.pinged, []);
  assert.equal((await say({ quotes, text: `<@${bob.id}> is asleep` })).status, 'sent');
  assert.deepEqual(server.rest.pinged, [ann.id]);
});

test('more files than one message takes come in several, and one that is refused is told of', async (t) => {
  const { server, context, adapter } = await setUp(t);
  const path = join(context.folder, 'x');
  writeFileSync(path, 'x');
  const files = Array.from({ length: 12 }, (_, at) => ({ name: `${at}.txt`, path, size: 1 }));
  assert.equal((await adapter.deliver(outbound({ platformId: GENERAL, files }))).status, 'sent');
  assert.deepEqual(
    server.said().map(({ attachments }) => attachments.length),
    [10, 2],
  );
  const large = join(context.folder, 'large');
  writeFileSync(large, Buffer.alloc(11 * 1024 * 1024));
  const two = [
    { name: 'small.txt', path, size: 1 },
    { name: 'large.bin', path: large, size: 11 * 1024 * 1024 },
  ];
  assert.equal((await adapter.deliver(outbound({ platformId: GENERAL, text: 'both', files: two }))).status, 'sent');
  assert.match(server.said().at(-1)?.content ?? '', /large\.bin could not be sent\. The files are larger/);
});

test('a thread that is gone is answered in its channel; what never works is said in a sentence', async (t) => {
  const { server, adapter } = await setUp(t);
  server.rest.gone.add(THREAD);
  const moved = await adapter.deliver(outbound({ platformId: GENERAL, threadId: THREAD, text: 'where to?' }));
  assert.equal(moved.status, 'sent');
  assert.equal(server.said().at(-1)?.channel_id, GENERAL);
  const failures = [
    [FORUM, /forum takes posts alone/],
    ['300000000000000099', /no such channel/],
    ['not a number', /no such channel/],
  ] as const;
  for (const [platformId, sentence] of failures) {
    const result = await adapter.deliver(outbound({ platformId }));
    assert.ok(result.status === 'failed' && !result.retryable);
    assert.match(result.error, sentence);
  }
  server.rest.closed.add(GENERAL);
  const closed = await adapter.deliver(outbound({ platformId: GENERAL }));
  assert.ok(closed.status === 'failed' && !closed.retryable && /View Channel/.test(closed.error));
});

test('what may have arrived stands there once when it is sent again, at once or after a crash', async (t) => {
  const { server, context, adapter } = await setUp(t);
  const lost = outbound({ platformId: GENERAL, text: 'once' });
  server.faults.push({ at: /^POST .*messages$/, fault: { kind: 'taken' } });
  assert.equal((await adapter.deliver(lost)).status, 'unknown');
  assert.equal((await adapter.deliver(lost)).status, 'sent');
  assert.equal(server.said().length, 1);

  const late = outbound({ platformId: GENERAL, text: 'late' });
  server.faults.push({ at: /^POST .*messages$/, fault: { kind: 'taken' } });
  assert.equal((await adapter.deliver(late)).status, 'unknown');
  await adapter.stop();
  // Discord has forgotten the nonce, and the process what it did.
  for (const message of server.said()) delete message.nonce;
  const tried = JSON.parse(context.values.get('sending') ?? '[]');
  context.values.set(
    'sending',
    JSON.stringify(tried.map(([key, one]: [string, { at: number }]) => [key, { ...one, at: one.at - 600_000 }])),
  );
  const next = await again(t, context);
  assert.equal((await next.adapter.deliver(late)).status, 'sent');
  assert.deepEqual(
    server.said().map(({ content }) => content),
    ['once', 'late'],
  );
  // The same words once more are another message.
  assert.equal((await next.adapter.deliver(outbound({ platformId: GENERAL, text: 'late' }))).status, 'sent');
  assert.equal(server.said().length, 3);
});

test('a global limit holds the account, a bucket that is empty is waited for', async (t) => {
  const { server, adapter } = await setUp(t);
  const body = { message: 'You are being rate limited.', retry_after: 20, global: true };
  server.faults.push({ at: /^POST .*messages$/, fault: { kind: 'refuse', status: 429, body } });
  const held = await adapter.deliver(outbound({ platformId: GENERAL }));
  assert.ok(held.status === 'failed' && held.retryable && held.account === true);
  assert.equal(held.retryAfterMs, 20_000);
  const other = await adapter.deliver(outbound({ platformId: THREAD }));
  assert.ok(other.status === 'failed' && (other.retryAfterMs ?? 0) > 10_000, 'it was not even asked');
  assert.equal(server.said().length, 0);
});

test('a button is acknowledged before the host has answered, and its answer is for the one who pressed', async (t) => {
  const { server, host, adapter } = await setUp(t);
  const card = { title: 'May *I*?', body: 'All of it', buttons: [{ label: 'Yes', data: 'y'.repeat(64) }] };
  const asked = await adapter.deliver(outbound({ platformId: GENERAL, text: 'May I? Say yes.', card }));
  assert.ok(asked.status === 'sent');
  const [message] = server.said();
  assert.equal(message?.content, '**May \\*I\\*?**\nAll of it');
  let answer = (_: string) => {};
  host.press = (press) => {
    host.presses.push(press);
    return new Promise((resolve) => {
      answer = resolve;
    });
  };
  const bob = server.world.person('bob');
  const id = server.press(message!, 'y'.repeat(64), bob);
  const press = () => server.rest.presses.find((one) => one.id === id);
  await until(() => press()?.acknowledged && host.presses.length === 1);
  answer('Allowed.');
  await until(() => press()?.answer === 'Allowed.');
  const { platformId, threadId, platformMessageId, senderId, data } = host.presses[0]!;
  assert.deepEqual([platformId, threadId, platformMessageId], [GENERAL, null, message?.id]);
  assert.deepEqual([senderId, data], [`discord:${bob.id}`, 'y'.repeat(64)]);
  // Settled, its buttons go.
  const edits = asked.platformMessageId!;
  assert.equal(
    (await adapter.deliver(outbound({ platformId: GENERAL, text: 'Allowed by Bob.', edits }))).status,
    'sent',
  );
  assert.deepEqual([message?.content, message?.components], ['Allowed by Bob.', []]);
});

test('files come in from Discord alone, and one that is missing is named', async (t) => {
  const { server, host } = await setUp(t);
  const ann = server.world.person('ann');
  const dm = server.world.direct(ann).id;
  const attachments = [
    { ...server.keep('list.txt', Buffer.from('milk')), content_type: 'text/plain; charset=utf-8' },
    { id: '1', filename: 'elsewhere.txt', size: 3, url: 'http://127.0.0.1:9/secret' },
    { id: '2', filename: 'huge.iso', size: 2 * 1024 ** 3, url: `${server.url}/attachments/2/huge.iso` },
  ];
  server.say({ channel_id: dm, author: ann, content: 'here', attachments });
  await until(() => host.events.length === 1);
  const [event] = host.events;
  const [file] = event?.attachments ?? [];
  assert.deepEqual([file?.name, file?.mimeType, event?.attachments?.length], ['list.txt', 'text/plain', 1]);
  assert.equal(readFileSync(file?.localPath ?? '', 'utf8'), 'milk');
  assert.match(event?.text ?? '', /elsewhere\.txt is missing: Discord did not hand it over/);
  assert.match(event?.text ?? '', /huge\.iso is missing: it is larger than 100 MB/);
});

test('chats are listed, a direct chat is opened, and typing is shown no more often than it lasts', async (t) => {
  const { server, adapter } = await setUp(t);
  const bob = server.world.person('bob');
  const dm = await adapter.openDm?.(bob.id);
  assert.equal(dm, server.world.direct(bob).id);
  assert.equal(await adapter.openDm?.('599999999999999999'), undefined);
  assert.equal(await adapter.openDm?.('bob'), undefined);
  const chats = (await adapter.listChats?.()) ?? [];
  assert.deepEqual(chats.find(({ platformId }) => platformId === dm)?.speaker?.id, `discord:${bob.id}`);
  assert.ok(chats.some(({ platformId, name }) => platformId === GENERAL && name === `#general (${GUILD.name})`));
  assert.ok(!chats.some(({ platformId }) => platformId === THREAD));
  for (let times = 0; times < 5; times++) adapter.typing(GENERAL, THREAD, true);
  await until(() => server.rest.typing.length > 0);
  assert.deepEqual(await adapter.react?.(GENERAL, null, '1', '👍'), {
    status: 'failed',
    retryable: false,
    error: 'That message is gone.',
  });
  assert.deepEqual(server.rest.typing, [THREAD]);
});

test('a channel that gets another name, and a server that the bot leaves, are told', async (t) => {
  const { server, host } = await setUp(t);
  const general = server.world.channels.get(GENERAL)!;
  server.gateway.dispatch('CHANNEL_UPDATE', { ...general, name: 'lounge' });
  await until(() => host.memberships.length === 1);
  assert.deepEqual(host.memberships[0]?.chatName, `#lounge (${GUILD.name})`);
  server.gateway.dispatch('GUILD_DELETE', { id: GUILD.id, unavailable: true });
  server.gateway.dispatch('GUILD_DELETE', { id: GUILD.id });
  await until(() => host.memberships.some(({ platformId, joined }) => platformId === GENERAL && !joined));
  assert.equal(host.memberships.filter(({ joined }) => !joined).length, 2, 'the channel and the forum, no threads');
});

test('the connection test says as whom, how to invite it, and what is missing', async (t) => {
  const { server } = await setUp(t);
  const tried = async () => plugin.test(testContext(server.settings));
  const works = await tried();
  assert.ok(works.ok);
  assert.match(works.sentence, /as Andy, in Family\. .*client_id=100000000000000001&scope=bot&permissions=\d+/);
  assert.match(works.meet ?? '', /users\/100000000000000001.*<code>/);
  server.rest.flags = 0;
  assert.match((await tried()).sentence, /may not read.*Message Content Intent/);
  server.revoke();
  const refused = await tried();
  assert.deepEqual([refused.ok, /refuses the token/.test(refused.sentence)], [false, true]);
  assert.throws(() => plugin.create(testContext({ TOKEN: '' })), /Discord's token/);
  assert.throws(() => plugin.create(testContext({ ...server.settings, API_URL: 'file:///etc' })), /API_URL/);
});

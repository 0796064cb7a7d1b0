import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext as T, test } from 'node:test';
import { startTelegramServer, type TelegramServer } from '../../test/fakes/telegram/server.ts';
import { scratchFolder } from '../../test/support/scratch.ts';
import { until } from '../../test/support/until.ts';
import { createTelegram } from './adapter.ts';
import { plugin } from './index.ts';
import { outbound, QUICK, type TestContext, type TestHost, testContext, testHost } from './testing.ts';

const ANN = { id: 100, is_bot: false, first_name: 'Ann', last_name: 'Lee', username: 'ann' };
const DM = { id: 100, type: 'private', first_name: 'Ann' };
const GROUP = { id: -1001, type: 'supergroup', title: 'Family' };

interface Set {
  server: TelegramServer;
  host: TestHost;
  context: TestContext;
  adapter: ReturnType<typeof createTelegram>;
  /** A new process with what the old one remembered. */
  restart(host?: TestHost): Promise<ReturnType<typeof createTelegram>>;
}

async function setUp(t: T, prepare?: (server: TelegramServer) => void): Promise<Set> {
  const server = await startTelegramServer();
  prepare?.(server);
  const host = testHost();
  const context = testContext(server.settings);
  let adapter = createTelegram(context, QUICK);
  t.after(async () => {
    await adapter.stop();
    await server.close();
  });
  await adapter.start(host);
  return {
    server,
    host,
    context,
    adapter,
    async restart(next = host) {
      await adapter.stop();
      adapter = createTelegram(context, QUICK);
      await adapter.start(next);
      return adapter;
    },
  };
}

test('a message comes with its sender, and is confirmed after it was taken', async (t) => {
  const { server, host } = await setUp(t);
  let confirmed = true;
  host.onAccept = () => {
    confirmed = server.waiting().length === 0;
  };
  server.message({ chat: DM, from: ANN, text: 'hello' });
  await until(() => host.events.length === 1);
  assert.equal(confirmed, false);
  const { timestamp, ...event } = host.events[0]!;
  assert.match(timestamp, /Z$/);
  assert.deepEqual(event, {
    channelType: 'telegram',
    platformId: '100',
    threadId: null,
    platformMessageId: '1',
    senderId: 'telegram:100',
    senderName: 'Ann Lee',
    text: 'hello',
    isMention: true,
    isGroup: false,
    chatName: 'Ann',
  });
  await until(() => server.waiting().length === 0);
});

test('what came while nobody listened is taken once, and not again after a restart', async (t) => {
  const { server, host, context, restart } = await setUp(t, (server) => {
    for (let index = 0; index < 250; index++) server.message({ chat: DM, from: ANN, text: `${index}` });
  });
  await until(() => host.events.length === 250);
  assert.deepEqual(
    host.events.map(({ text }) => Number(text)),
    Array.from({ length: 250 }, (_, index) => index),
  );
  await until(() => server.waiting().length === 0);
  await restart();
  server.message({ chat: DM, from: ANN, text: 'new' });
  await until(() => host.events.length >= 251);
  assert.equal(host.events.length, 251);
  assert.ok(context.values.get('offset:4242'));
});

test('a host that ends between taking and confirming is given the message again', async (t) => {
  const { server, host, context } = await setUp(t);
  const { promise: hung, resolve: release } = Promise.withResolvers<void>();
  host.onAccept = () => hung;
  server.message({ chat: DM, from: ANN, text: 'hello' });
  await until(() => server.handed > 0);
  assert.equal(context.values.get('offset:4242'), undefined);
  const after = testHost();
  const second = createTelegram(context, QUICK);
  await second.start(after);
  await until(() => after.events.length === 1);
  await second.stop();
  release();
});

test('a remembered number that makes no sense, or is a week old, hides nothing', async (t) => {
  for (const value of ['nonsense', `${900_000_000} ${Date.now() - 7 * 24 * 3600_000}`]) {
    const server = await startTelegramServer();
    t.after(() => server.close());
    const context = testContext(server.settings);
    context.values.set('offset:4242', value);
    server.message({ chat: DM, from: ANN, text: 'hello' });
    const host = testHost();
    const adapter = createTelegram(context, QUICK);
    await adapter.start(host);
    await until(() => host.events.length === 1);
    await adapter.stop();
  }
});

test('what the host refuses for now is offered again; what it refuses for good is said, and holds up nobody', async (t) => {
  const { server, host } = await setUp(t);
  host.answers.push({ status: 'refused', code: 'NC_DISK_FULL', sentence: 'No room.' });
  server.message({ chat: DM, from: ANN, text: 'first' });
  await until(() => host.events.length === 2);
  assert.deepEqual(
    host.events.map(({ text }) => text),
    ['first', 'first'],
  );
  host.answers.push({ status: 'refused', code: 'NC_MESSAGE_TOO_LARGE', sentence: 'Too long.' });
  server.message({ chat: DM, from: ANN, text: 'second' });
  server.message({ chat: DM, from: ANN, text: 'third' });
  await until(() => host.events.at(-1)?.text === 'third');
  await until(() => server.sent.length === 1);
  assert.equal(server.sent[0]?.text, 'Too long.');
});

test('an update that can not be read is passed over, and logged', async (t) => {
  const { server, host, context } = await setUp(t);
  server.push({ message: { message_id: 'x', chat: 5 } });
  server.message({ chat: DM, from: ANN, text: 'after' });
  await until(() => host.events.length === 1);
  await until(() => server.waiting().length === 0);
  assert.ok(context.logged.some((line) => line.startsWith('an update can not be read')));
});

test('the bot is meant by every form of mention, and by nothing else', async (t) => {
  const { server, host } = await setUp(t);
  const at = (text: string, type: string, part: string, more = {}) => ({
    text,
    entities: [{ type, offset: text.indexOf(part), length: part.length, ...more }],
  });
  const said: [boolean, Record<string, unknown>][] = [
    [true, at('hi @andytestBOT!', 'mention', '@andytestBOT')],
    [false, at('hi @other_bot', 'mention', '@other_bot')],
    [false, { text: 'hi @AndyTestBot' }],
    [false, at('`@AndyTestBot`', 'code', '`@AndyTestBot`')],
    [true, at('Andy, come', 'text_mention', 'Andy', { user: { id: 4242, is_bot: true, first_name: 'Andy' } })],
    [false, at('Ann, come', 'text_mention', 'Ann', { user: ANN })],
    [true, at('/help@AndyTestBot', 'bot_command', '/help@AndyTestBot')],
    [false, at('/help', 'bot_command', '/help')],
    [
      true,
      {
        text: 'yes',
        reply_to_message: {
          message_id: 1,
          date: 1,
          chat: GROUP,
          from: { id: 4242, is_bot: true, first_name: 'Andy' },
          text: 'go?',
        },
      },
    ],
    [false, { text: 'yes', reply_to_message: { message_id: 1, date: 1, chat: GROUP, from: ANN, text: 'go?' } }],
    [
      false,
      {
        text: 'in a topic that the bot opened',
        is_topic_message: true,
        message_thread_id: 1,
        reply_to_message: {
          message_id: 1,
          date: 1,
          chat: GROUP,
          from: { id: 4242, is_bot: true, first_name: 'Andy' },
          forum_topic_created: {},
        },
      },
    ],
    [
      true,
      {
        caption: '@AndyTestBot look',
        caption_entities: [{ type: 'mention', offset: 0, length: 12 }],
      },
    ],
  ];
  for (const [, fields] of said) server.message({ chat: GROUP, from: ANN, ...fields });
  await until(() => host.events.length === said.length);
  assert.deepEqual(
    host.events.map(({ isMention }) => isMention),
    said.map(([meant]) => meant),
  );
  assert.deepEqual(host.events[8]?.replyTo, { id: '1', sender: 'Andy', text: 'go?' });
  assert.equal(host.events[10]?.replyTo, undefined);
});

test('topics are threads; chains of replies in a plain group are none', async (t) => {
  const { server, host } = await setUp(t);
  server.message({ chat: GROUP, from: ANN, text: 'in it', message_thread_id: 7, is_topic_message: true });
  server.message({ chat: GROUP, from: ANN, text: 'a chain', message_thread_id: 7 });
  await until(() => host.events.length === 2);
  assert.deepEqual(
    host.events.map(({ threadId }) => threadId),
    ['7', null],
  );
});

test('who writes as a chat is that chat; bots and the bot itself are not heard', async (t) => {
  const { server, host } = await setUp(t);
  const anonymous = { id: 1087968824, is_bot: true, first_name: 'Group', username: 'GroupAnonymousBot' };
  server.message({ chat: GROUP, from: anonymous, sender_chat: GROUP, text: 'as the group' });
  server.push({
    channel_post: {
      message_id: 5,
      date: 1,
      chat: { id: -1005, type: 'channel', title: 'News' },
      sender_chat: { id: -1005, type: 'channel', title: 'News' },
      text: 'post',
    },
  });
  server.message({ chat: GROUP, from: { id: 9, is_bot: true, first_name: 'Other' }, text: 'beep' });
  server.message({ chat: GROUP, from: { id: 4242, is_bot: true, first_name: 'Andy' }, text: 'mine' });
  server.message({
    chat: GROUP,
    from: { ...ANN, first_name: '\u202E<b>owner</b>\n', last_name: undefined },
    text: 'last',
  });
  await until(() => host.events.at(-1)?.text === 'last');
  assert.deepEqual(
    host.events.map(({ senderId, senderName }) => [senderId, senderName]),
    [
      ['telegram:-1001', 'Family'],
      ['telegram:-1005', 'News'],
      ['telegram:100', '<b>owner</b>'],
    ],
  );
});

test('files come with their message; what is too large is said', async (t) => {
  const { server, host } = await setUp(t);
  const contents = new Map<string, string>();
  host.onAccept = ({ attachments = [] }) => {
    for (const { name, localPath } of attachments) contents.set(name, readFileSync(localPath, 'utf8'));
  };
  server.message({
    chat: DM,
    from: ANN,
    caption: 'see',
    document: { ...server.file(Buffer.from('one')), file_name: 'a.txt', mime_type: 'text/plain' },
  });
  server.message({
    chat: DM,
    from: ANN,
    voice: { ...server.file(Buffer.from('two')), mime_type: 'audio/ogg', duration: 7 },
  });
  server.message({ chat: DM, from: ANN, document: { file_id: '0', file_name: 'film.mov', file_size: 2 ** 31 } });
  server.message({
    chat: DM,
    from: ANN,
    document: { ...server.file(Buffer.alloc(100 * 1024 * 1024 + 1), false), file_name: 'sly.bin' },
  });
  server.message({ chat: DM, from: ANN, document: { file_id: '77', file_name: 'gone.txt' } });
  await until(() => host.events.length === 5);
  assert.deepEqual(
    [...contents],
    [
      ['a.txt', 'one'],
      ['voice-2.ogg', 'two'],
    ],
  );
  assert.equal(host.events[0]?.text, 'see');
  assert.equal(host.events[1]?.attachments?.[0]?.seconds, 7);
  assert.match(host.events[2]?.text ?? '', /film\.mov is missing: a bot can fetch at most 100 MB/);
  assert.match(host.events[3]?.text ?? '', /sly\.bin is missing/);
  assert.match(host.events[4]?.text ?? '', /gone\.txt is missing: Telegram did not hand it over/);
});

test('an album is one message, also when its parts come apart', async (t) => {
  const { server, host } = await setUp(t);
  const photo = (name: string) => ({
    photo: [{ file_id: 'small' }, server.file(Buffer.from(name))],
    media_group_id: 'g1',
  });
  server.message({ chat: DM, from: ANN, ...photo('one'), caption: 'ours' });
  await until(() => server.handed > 0);
  server.message({ chat: DM, from: ANN, ...photo('two') });
  server.message({ chat: DM, from: ANN, text: 'and?' });
  await until(() => host.events.length === 2);
  assert.equal(host.events[0]?.text, 'ours');
  assert.equal(host.events[0]?.attachments?.length, 2);
  assert.equal(host.events[1]?.text, 'and?');
});

test('an album that the end of a batch would cut stays whole', async (t) => {
  const { host } = await setUp(t, (server) => {
    for (let index = 0; index < 98; index++) server.message({ chat: DM, from: ANN, text: `${index}` });
    for (let index = 0; index < 4; index++) {
      server.message({ chat: DM, from: ANN, photo: [server.file(Buffer.from('x'))], media_group_id: 'g2' });
    }
  });
  await until(() => host.events.length === 99);
  assert.equal(host.events[98]?.attachments?.length, 4);
});

test('edits, reactions, buttons and membership arrive as what they are', async (t) => {
  const { server, host, adapter } = await setUp(t);
  server.push({ edited_message: { message_id: 3, date: 1, chat: DM, from: ANN, text: 'better' } });
  server.push({
    message_reaction: {
      chat: GROUP,
      message_id: 4,
      user: ANN,
      old_reaction: [{ type: 'emoji', emoji: '👎' }],
      new_reaction: [{ type: 'emoji', emoji: '👍' }],
    },
  });
  server.push({ my_chat_member: { chat: GROUP, from: ANN, date: 1, new_chat_member: { status: 'member', user: {} } } });
  server.push({
    callback_query: { id: 'q1', from: ANN, data: 'yes:1', message: { message_id: 8, date: 1, chat: DM } },
  });
  await until(() => server.calls.some(({ method }) => method === 'answerCallbackQuery'));
  assert.deepEqual(host.changes[0], {
    channelType: 'telegram',
    platformId: '100',
    threadId: null,
    platformMessageId: '3',
    senderId: 'telegram:100',
    text: 'better',
  });
  assert.deepEqual(
    host.reactions.map(({ emoji, on }) => [emoji, on]),
    [
      ['👎', false],
      ['👍', true],
    ],
  );
  assert.deepEqual(host.memberships[0], {
    channelType: 'telegram',
    platformId: '-1001',
    threadId: null,
    joined: true,
    isGroup: true,
    chatName: 'Family',
  });
  assert.deepEqual(await adapter.listChats?.(), [{ platformId: '-1001', name: 'Family', isGroup: true }]);
  assert.equal(host.presses[0]?.data, 'yes:1');
  assert.deepEqual(server.calls.find(({ method }) => method === 'answerCallbackQuery')?.fields, {
    callback_query_id: 'q1',
    text: 'Noted.',
  });
  assert.equal(host.events.length, 0);
});

test('a group that becomes a supergroup stays the chat that it was', async (t) => {
  const { server, host, adapter, restart } = await setUp(t);
  const old = { id: -55, type: 'group', title: 'Family' };
  server.message({ chat: old, from: ANN, text: 'before' });
  server.message({ chat: old, from: ANN, migrate_to_chat_id: -1001 });
  server.message({ chat: GROUP, from: ANN, migrate_from_chat_id: -55 });
  server.message({ chat: GROUP, from: ANN, text: 'after' });
  await until(() => host.events.length === 2);
  assert.deepEqual(
    host.events.map((event) => [event.platformId, event.platformMessageId]),
    [
      ['-55', '1'],
      ['-55', 's2'],
    ],
  );
  const sent = await adapter.deliver(outbound({ platformId: '-55' }));
  assert.deepEqual(sent, { status: 'sent', platformMessageId: 's3' });
  assert.equal(server.sent[0]?.chat, -1001);
  const again = await restart();
  assert.equal((await again.deliver(outbound({ platformId: '-55' }))).status, 'sent');
  assert.equal(server.sent[1]?.chat, -1001);
});

test('a text is formatted, and sent as it was written where Telegram refuses the formatting', async (t) => {
  const { server, adapter } = await setUp(t);
  assert.deepEqual(await adapter.deliver(outbound({ text: '**hi** <you>' })), {
    status: 'sent',
    platformMessageId: '1',
  });
  server.faults.push({
    method: /sendMessage/,
    fault: { kind: 'refuse', code: 400, description: "Bad Request: can't parse entities: odd" },
  });
  await adapter.deliver(outbound({ text: '**hi**', threadId: '7', progress: true }));
  assert.deepEqual(
    server.sent.map(({ text, thread, silent }) => [text, thread, silent]),
    [
      ['hi <you>', null, false],
      ['**hi**', 7, true],
    ],
  );
  assert.deepEqual(server.calls.find(({ method }) => method === 'sendMessage')?.fields.link_preview_options, {
    is_disabled: true,
  });
});

test('a message names the one that it answers, even if that is gone by then; its files do not', async (t) => {
  const { server, adapter } = await setUp(t);
  const path = join(scratchFolder(), 'a.txt');
  writeFileSync(path, 'a');
  const files = ['a.txt', 'b.txt'].map((name) => ({ name, path, size: 1 }));
  await adapter.deliver(outbound({ quotes: '12', files }));
  assert.deepEqual(
    server.calls.filter(({ method }) => method.startsWith('send')).map(({ fields }) => fields.reply_parameters),
    [{ message_id: 12, allow_sending_without_reply: true }, undefined, undefined],
  );
});

test('a card has its buttons, and an edit takes them away', async (t) => {
  const { server, adapter } = await setUp(t);
  const card = {
    title: 'Allow <it>?',
    body: 'a & b',
    buttons: [
      { label: 'Yes', data: 'y'.repeat(64) },
      { label: 'No', data: 'n' },
    ],
  };
  const sent = await adapter.deliver(outbound({ text: 'Allow it? 1 or 2', card }));
  assert.ok(sent.status === 'sent');
  assert.equal(server.sent[0]?.text, 'Allow <it>?\n\na & b');
  assert.deepEqual(
    server.sent[0]?.buttons.map(({ callback_data }) => callback_data),
    ['y'.repeat(64), 'n'],
  );
  const edit = outbound({ text: 'Allowed.', edits: sent.platformMessageId! });
  assert.equal((await adapter.deliver(edit)).status, 'sent');
  assert.equal((await adapter.deliver(edit)).status, 'sent', 'the same once more is no failure');
  assert.equal(server.sent.length, 1);
  assert.deepEqual([server.sent[0]?.text, server.sent[0]?.buttons], ['Allowed.', []]);
  const missing = await adapter.deliver(outbound({ text: 'Allowed.', edits: '99' }));
  assert.deepEqual([missing.status, 'retryable' in missing && missing.retryable], ['failed', false]);
});

test('files go out, pictures as pictures, and what was sent before a failure is not sent again', async (t) => {
  const { server, adapter, context, restart } = await setUp(t);
  const fileOf = (name: string, content: Buffer | string) => {
    const path = join(context.folder, name);
    writeFileSync(path, content);
    return { name, path, size: content.length };
  };
  const picture = fileOf('p.png', Buffer.from([0x89, 0x50, 0x4e, 0x47, 1]));
  await adapter.deliver(outbound({ text: 'one **file**', files: [picture] }));
  assert.deepEqual(
    server.sent.map(({ text, files }) => [text, files[0]?.name, files[0]?.method]),
    [['one file', 'p.png', 'sendPhoto']],
  );
  await adapter.deliver(
    outbound({ text: '', files: [fileOf('fake.png', 'no picture'), { ...picture, name: 'huge.bin', size: 2 ** 31 }] }),
  );
  assert.deepEqual(
    server.sent.slice(1).map(({ files }) => files[0]?.method),
    ['sendDocument', undefined],
  );
  assert.match(server.sent[2]?.text ?? '', /huge\.bin could not be sent/);

  server.sent.length = 0;
  const several = outbound({ text: 'both', files: [fileOf('a.txt', 'a'), fileOf('b\r\n".txt', 'b')] });
  server.faults.push({
    method: /sendDocument/,
    fault: { kind: 'refuse', code: 429, description: 'Too Many Requests', parameters: { retry_after: 1 } },
  });
  assert.deepEqual(await adapter.deliver(several), {
    status: 'failed',
    retryable: true,
    error: 'Telegram refuses: Too Many Requests',
    retryAfterMs: 1000,
  });
  const again = await restart();
  assert.equal((await again.deliver(several)).status, 'sent');
  assert.deepEqual(
    server.sent.map(({ text, files }) => text || files[0]?.content.toString()),
    ['both', 'a', 'b'],
  );
});

test('a file that is refused behind its text is said, and the rest goes on', async (t) => {
  const { server, adapter, context } = await setUp(t);
  const files = ['', 'b'].map((content, index) => {
    const path = join(context.folder, `f${index}`);
    writeFileSync(path, content);
    return { name: `f${index}.txt`, path, size: content.length };
  });
  assert.equal((await adapter.deliver(outbound({ text: 'here', files }))).status, 'sent');
  assert.deepEqual(
    server.sent.map(({ text, files }) => files[0]?.name ?? text.slice(0, 29)),
    ['here', '⚠️ The file f0.txt could not ', 'f1.txt'],
  );
  const alone = await adapter.deliver(outbound({ text: '', files: files.slice(0, 1) }));
  assert.ok(alone.status === 'failed' && !alone.retryable);
});

test('what a failure means for a message', async (t) => {
  const { server, adapter } = await setUp(t);
  const refuse = (code: number, description: string) => ({ kind: 'refuse', code, description }) as const;
  const cases = [
    [refuse(403, 'Forbidden: bot was blocked by the user'), 'failed', false],
    [refuse(400, 'Bad Request: chat not found'), 'failed', false],
    [refuse(500, 'Internal Server Error'), 'failed', true],
    [{ kind: 'taken' }, 'unknown', undefined],
    [{ kind: 'garbage' }, 'unknown', undefined],
  ] as const;
  for (const [fault, status, retryable] of cases) {
    server.faults.push({ method: /sendMessage/, fault });
    const result = await adapter.deliver(outbound());
    assert.deepEqual([result.status, 'retryable' in result ? result.retryable : undefined], [status, retryable]);
    assert.ok(!JSON.stringify(result).includes(server.settings.TOKEN));
  }
  const gone = await adapter.deliver(outbound({ platformId: '-1001', threadId: '999', text: 'still said' }));
  assert.equal(gone.status, 'sent');
  assert.equal(server.sent.at(-1)?.thread, null);
});

test('while Telegram is away messages wait, and are told when it is back', async (t) => {
  const { server, host, adapter } = await setUp(t);
  await until(() => adapter.health?.().state === 'connected');
  assert.equal(host.comebacks, 1);
  await server.away(true);
  await until(() => adapter.health?.().state === 'connecting');
  assert.deepEqual((await adapter.deliver(outbound())).status, 'failed');
  const waiting = await adapter.deliver(outbound());
  assert.ok(waiting.status === 'failed' && waiting.offline);
  await server.away(false);
  await until(() => host.comebacks === 2);
  assert.equal((await adapter.deliver(outbound())).status, 'sent');
});

test('a revoked token, a second reader and a webhook are said plainly', async (t) => {
  const { server, host, adapter } = await setUp(t);
  await until(() => adapter.health?.().state === 'connected');
  const { TOKEN } = server.settings;
  server.settings.TOKEN = 'another:token';
  server.drop();
  await until(() => adapter.health?.().state === 'failed');
  assert.match(adapter.health?.().detail ?? '', /refuses the token/);
  server.settings.TOKEN = TOKEN;
  await until(() => adapter.health?.().state === 'connected');
  server.webhook = 'https://other.example/hook';
  server.drop();
  await until(() => adapter.health?.().state === 'failed');
  assert.match(adapter.health?.().detail ?? '', /webhook/);
  server.webhook = '';
  await until(() => adapter.health?.().state === 'connected');
  const second = createTelegram(testContext(server.settings), QUICK);
  await second.start(testHost());
  t.after(() => second.stop());
  await until(() => /same token/.test(`${adapter.health?.().detail} ${second.health?.().detail}`));
  void host;
});

test('reactions and typing go out', async (t) => {
  const { server, adapter } = await setUp(t);
  await until(() => adapter.health?.().state === 'connected');
  assert.deepEqual(await adapter.react?.('100', null, '5', '❤️'), { status: 'sent' });
  assert.deepEqual(server.calls.at(-1)?.fields, {
    chat_id: '100',
    message_id: 5,
    reaction: [{ type: 'emoji', emoji: '❤' }],
  });
  adapter.typing('100', '7', true);
  await until(() =>
    server.calls.some(({ method, fields }) => method === 'sendChatAction' && fields.message_thread_id === 7),
  );
});

test('the connection test says as whom it works, or why not', async (t) => {
  const server = await startTelegramServer();
  t.after(() => server.close());
  const said = async (settings: Record<string, string>) => (await plugin.test(testContext(settings))).sentence;
  assert.match(await said(server.settings), /It works, as @AndyTestBot\. In groups it hears only/);
  assert.match(await said({ ...server.settings, TOKEN: '1:wrong-token' }), /refuses the token/);
  assert.match(await said({ ...server.settings, TOKEN: 'two words' }), /digits, a colon/);
  assert.match(await said({ ...server.settings, API_URL: 'file:///etc' }), /API_URL is an address/);
  server.webhook = 'https://other.example/hook';
  assert.match(await said(server.settings), /other\.example/);
  await assert.rejects(
    createTelegram(testContext({ ...server.settings, TOKEN: '1:wrong-token' })).start(testHost()),
    /refuses the token/,
  );
});

import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { startTelegramServer, type TelegramServer } from '../fakes/telegram/server.ts';
import { startHost } from '../support/host-process.ts';
import { runNcl } from '../support/ncl.ts';
import { until } from '../support/until.ts';

/** A real host and a scripted Bot API: from the token to a conversation. */

const ANN = { id: 100, is_bot: false, first_name: 'Ann' };
const BOB = { id: 101, is_bot: false, first_name: 'Bob' };
const DM = { id: 100, type: 'private', first_name: 'Ann' };
const GROUP = { id: -1001, type: 'supergroup', title: 'Family' };

async function ncl(home: string, ...args: string[]): Promise<string> {
  const { status, stdout, stderr } = await runNcl(home, args);
  assert.equal(status, 0, `ncl ${args.join(' ')}: ${stderr}${stdout}`);
  return stdout;
}

async function addTelegram(home: string, { settings }: TelegramServer): Promise<string> {
  const file = join(home, 'settings');
  writeFileSync(file, `TOKEN=${settings.TOKEN}\nAPI_URL=${settings.API_URL}\n`);
  return ncl(home, 'channels', 'add', 'telegram', '--from', file);
}

/** The owner's code, sent from the phone. */
async function pair(home: string, server: TelegramServer): Promise<void> {
  const code = (await ncl(home, 'owner-code')).trim();
  server.message({ chat: DM, from: ANN, text: `/start ${code}` });
  await until(() => server.sent.some(({ text }) => /You are the owner now/.test(text)), 30_000);
}

test('from the token to a welcome, a file each way, and a question with buttons', async () => {
  await using server = await startTelegramServer();
  await using host = await startHost();
  assert.match(await addTelegram(host.home, server), /AndyTestBot/);
  await pair(host.home, server);
  const texts = () => server.sent.map(({ text }) => text).join('\n');
  await until(() => /I am Andy/.test(texts()), 60_000);

  server.message({
    chat: DM,
    from: ANN,
    document: { ...server.file(Buffer.from('a list')), file_name: 'list.txt' },
    caption: 'run ls /workspace/inbound/inbox/*/',
  });
  await until(() => /list\.txt/.test(texts()), 60_000);
  server.message({ chat: DM, from: ANN, text: 'write note.txt: remember the milk' });
  await until(() => /I wrote note\.txt/.test(texts()), 60_000);
  server.message({ chat: DM, from: ANN, text: 'send me note.txt' });
  await until(() => server.sent.some(({ files }) => files[0]?.name === 'note.txt'), 60_000);
  assert.equal(server.sent.find(({ files }) => files.length > 0)?.files[0]?.content.toString(), 'remember the milk\n');

  // Bob calls the bot in a group that it doesn't know: the owner is asked.
  server.message({
    chat: GROUP,
    from: BOB,
    text: '@AndyTestBot run echo hi',
    entities: [{ type: 'mention', offset: 0, length: 12 }],
    message_thread_id: 7,
    is_topic_message: true,
  });
  const card = () => server.sent.find(({ chat, buttons }) => chat === 100 && buttons.length > 0);
  await until(card, 30_000);
  const { id, buttons } = card()!;
  const press = (from: object, data: string) =>
    server.push({ callback_query: { id: `q-${data}`, from, data, message: { message_id: id, date: 1, chat: DM } } });
  press(ANN, buttons[0]!.callback_data);
  await until(() => server.calls.some(({ method, fields }) => method === 'answerCallbackQuery' && fields.text), 30_000);
  await until(() => server.sent.find((one) => one.id === id && one.chat === 100)?.buttons.length === 0, 30_000);
  await until(() => server.sent.some(({ chat }) => chat === -1001), 60_000);
  assert.equal(server.sent.find(({ chat }) => chat === -1001)?.thread, 7);
  // What the host says there first answers nothing.
  const said = () =>
    server.calls.filter(({ method, fields }) => method === 'sendMessage' && fields.chat_id === '-1001');
  await until(() => said().length === 2, 60_000);
  assert.deepEqual(
    said().map(({ fields }) => fields.reply_parameters),
    [undefined, { message_id: 1, allow_sending_without_reply: true }],
  );
  assert.ok(!host.log().includes(server.settings.TOKEN));
});

test('killed between what it took and what it confirmed, it answers once', async () => {
  await using server = await startTelegramServer();
  const first = await startHost();
  await addTelegram(first.home, server);
  await pair(first.home, server);
  await until(() => server.sent.some(({ text }) => /I am Andy/.test(text)), 60_000);
  await first.end();
  const before = server.sent.length;
  server.message({ chat: DM, from: ANN, text: 'run echo once' });
  const second = await startHost({ home: first.home, environment: { NANOCLAW_FAULT: 'telegram.taken@1' } });
  await until(() => second.process.signalCode === 'SIGKILL', 30_000);
  assert.equal(server.waiting().length, 1, 'it was not confirmed');
  await using third = await startHost({ home: first.home });
  await until(() => server.sent.slice(before).some(({ text }) => /once/.test(text)), 60_000);
  server.message({ chat: DM, from: ANN, text: 'run echo after' });
  await until(() => server.sent.some(({ text }) => /after/.test(text)), 60_000);
  assert.equal(server.waiting().length, 0);
  const answers = server.sent
    .slice(before)
    .filter(({ text, silent }) => /^(?!.*\becho once).*once/s.test(text) && !silent);
  assert.equal(answers.length, 1, JSON.stringify(server.sent.slice(before).map(({ text }) => text)));
  await third.end();
  rmSync(first.home, { recursive: true, force: true });
});

test('the agent asks: buttons under its question, an answer by one of them, a reaction, a change of what it said', async () => {
  await using server = await startTelegramServer();
  await using host = await startHost();
  await addTelegram(host.home, server);
  await pair(host.home, server);
  await until(() => server.sent.some(({ text }) => /I am Andy/.test(text)), 60_000);
  server.message({ chat: DM, from: ANN, text: 'ask me Which colour?: blue, red' });
  const question = () => server.sent.find(({ text }) => /Which colour\?/.test(text));
  await until(() => question()?.buttons.length === 2, 60_000);
  const { id, buttons } = question()!;
  assert.deepEqual(
    buttons.map(({ text }) => text),
    ['blue', 'red'],
  );
  const data = buttons[1]!.callback_data;
  assert.ok(Buffer.byteLength(data) <= 64);
  server.push({ callback_query: { id: 'q1', from: ANN, data, message: { message_id: id, date: 1, chat: DM } } });
  await until(() => server.sent.some(({ text }) => /Ann answered: red/.test(text)), 60_000);
  await until(() => /✅ Ann: red/.test(question()?.text ?? '') && question()?.buttons.length === 0, 60_000);
  server.message({ chat: DM, from: ANN, text: 'react with 👍' });
  await until(() => server.calls.some(({ method }) => method === 'setMessageReaction'), 60_000);
  server.message({ chat: DM, from: ANN, text: 'say first words, then other words' });
  await until(() => server.sent.some(({ text }) => text === 'other words'), 60_000);
  assert.ok(!server.sent.some(({ text }) => text === 'first words'));
});

test('a long answer is seen to grow in one message', async () => {
  await using server = await startTelegramServer();
  await using host = await startHost();
  await addTelegram(host.home, server);
  await pair(host.home, server);
  await until(() => server.sent.some(({ text }) => /I am Andy/.test(text)), 60_000);
  const numbers = Array.from({ length: 200 }, (_, index) => index + 1).join(' ');
  server.message({ chat: DM, from: ANN, text: 'count to 200' });
  await until(() => server.sent.some(({ text }) => text === numbers), 60_000);
  assert.equal(server.sent.filter(({ text }) => text.startsWith('1 2 3')).length, 1);
  const edits = server.calls
    .filter(({ method }) => method === 'editMessageText')
    .map(({ fields }) => String(fields.text));
  assert.ok(edits.length >= 2, `${edits.length} edits`);
  for (const [index, text] of edits.entries()) assert.ok(text.startsWith(edits[index - 1] ?? '1'), text);
  const begun = server.calls.find(
    ({ method, fields }) => method === 'sendMessage' && String(fields.text).startsWith('1 2'),
  );
  assert.equal(begun?.fields.disable_notification, undefined);
  assert.equal(begun?.fields.reply_parameters, undefined);
});

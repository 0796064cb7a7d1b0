import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { openAccount } from '../../channels/email/testing/account.ts';
import { startDiscordServer } from '../fakes/discord/server.ts';
import { THREAD } from '../fakes/discord/world.ts';
import { noDovecot } from '../fakes/mail/dovecot.ts';
import { startTelegramServer } from '../fakes/telegram/server.ts';
import { startHost } from '../support/host-process.ts';
import { runNcl } from '../support/ncl.ts';
import { until } from '../support/until.ts';

/** One conversation in Telegram, from which a file goes to a thread of Discord and a mail to somebody outside, and nothing anywhere else. */

const ANN = { id: 100, is_bot: false, first_name: 'Ann' };
const DM = { id: 100, type: 'private', first_name: 'Ann' };
const WORKSHOP = 'workshop@outside.test';
const STRANGER = 'stranger@elsewhere.test';
const PATIENCE_MS = 60_000;

test('from Telegram to a thread of Discord and to a mail address, each as far as the agent may, and not to a fourth', {
  skip: noDovecot() ?? false,
  timeout: 300_000,
}, async () => {
  await using telegram = await startTelegramServer();
  await using discord = await startDiscordServer();
  await using mail = await openAccount();
  await using host = await startHost();
  const { home } = host;
  const ncl = async (...args: string[]): Promise<string> => {
    const { status, stdout, stderr } = await runNcl(home, args);
    assert.equal(status, 0, `ncl ${args.join(' ')}: ${stderr}${stdout}`);
    return stdout;
  };
  const addChannel = (name: string, settings: Readonly<Record<string, string>>) => {
    const file = join(home, 'settings');
    const lines = Object.entries(settings).map(([key, value]) => `${key}=${value}\n`);
    writeFileSync(file, lines.join(''), { mode: 0o600 });
    return ncl('channels', 'add', name, '--from', file);
  };
  const said = (from = 0) =>
    telegram.sent
      .slice(from)
      .map(({ text }) => text)
      .join('\n');
  /** Says it in Telegram, and waits for words that answer it there. */
  const ask = async (text: string, answer: RegExp): Promise<string> => {
    const before = telegram.sent.length;
    telegram.message({ chat: DM, from: ANN, text });
    await until(() => answer.test(said(before)), PATIENCE_MS);
    return said(before);
  };

  assert.match(await addChannel('telegram', telegram.settings), /AndyTestBot/);
  assert.match(await addChannel('discord', discord.settings), /as Andy, in Family/);
  assert.match(await addChannel('email', mail.settings), /bot@here\.test/);
  const code = (await ncl('owner-code')).trim();
  await ask(`/start ${code}`, /I am Andy/);

  // Nobody has ever written from either of them.
  await ncl('messaging-groups', 'create', 'discord', THREAD, '--name', 'Plans', '--is-group');
  await ncl('messaging-groups', 'create', 'email', WORKSHOP, '--name', 'Workshop');
  await ncl('messaging-groups', 'create', 'email', STRANGER, '--name', 'Stranger');
  await ncl('destinations', 'add', 'Andy', 'plans', 'Plans');
  await ncl('destinations', 'add', 'Andy', 'workshop', 'Workshop');

  await ask('write plan.txt: two shelves, one lamp', /I wrote plan\.txt/);
  await ask('send plan.txt to plans', /I have sent plan\.txt to plans|Queued/);
  await until(() => discord.said().some(({ attachments }) => attachments.length > 0), PATIENCE_MS);
  const [posted, ...others] = discord.said();
  assert.deepEqual([posted?.channel_id, posted?.attachments[0]?.filename, others], [THREAD, 'plan.txt', []]);
  const [file] = posted?.attachments ?? [];
  assert.equal(discord.world.files.get(file?.id ?? '')?.toString(), 'two shelves, one lamp\n');

  await ask('tell workshop: Could you make two shelves?', /I am telling workshop/);
  await until(() => mail.smtp.sent.length === 1, PATIENCE_MS);
  const [letter] = mail.smtp.sent;
  assert.deepEqual(letter?.to, [WORKSHOP]);
  assert.match(letter?.raw ?? '', /two shelves/);

  // It is a known chat, and for all that no destination of this agent.
  await ask(
    'tell stranger: psst',
    /I am told: Parts of your answer could not be sent:\s.*there is no destination "stranger"/,
  );
  const refused = await ask('send plan.txt to stranger', /There is no destination/);
  assert.match(refused, /Known destinations: .*plans.*workshop|Known destinations: .*workshop.*plans/);

  // What was given can be taken back, in the midst of the conversation.
  await ncl('destinations', 'remove', 'Andy', 'workshop');
  await ask('send plan.txt to workshop', /There is no destination "workshop"/);
  await ask('send plan.txt to plans', /I have sent plan\.txt to plans|Queued/);
  await until(() => discord.said().length === 2, PATIENCE_MS);

  assert.equal(mail.smtp.sent.length, 1);
  assert.ok(discord.said().every(({ channel_id }) => channel_id === THREAD));
  const db = new DatabaseSync(join(home, 'data/v2.db'), { readOnly: true });
  const elsewhere = db.prepare('SELECT count(*) AS n FROM messages WHERE platform_id = ?').get(STRANGER);
  db.close();
  assert.equal(elsewhere?.n, 0);
  for (const secret of [telegram.settings.TOKEN, discord.settings.TOKEN]) assert.ok(!host.log().includes(secret));
});

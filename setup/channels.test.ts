import assert from 'node:assert/strict';
import { appendFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { startTelegramServer, type TelegramServer } from '../test/fakes/telegram/server.ts';
import { CTRL_C, DOWN, ENTER, noPty, type Pty } from '../test/support/pty.ts';
import { until } from '../test/support/until.ts';
import { Checkout } from './testing/checkout.ts';
import { ANN, DM, talk } from './testing/telegram-talk.ts';

/** nanoclaw.sh, to a conversation in an app. */

const ANSWERS = ['--name', 'Andy', '--provider', 'demo', '--timezone', 'Europe/Berlin'];

const MISTYPED = '4242:AAmistyped-token-of-a-scripted-bot';

const atThe = ({ settings }: TelegramServer) => ({ TELEGRAM_API_URL: settings.API_URL });

async function choose(pty: Pty, name: string): Promise<void> {
  await pty.seen(/Where else do you want to talk to it\?/);
  await pty.seen(/Webhooks/);
  pty.type(DOWN);
  await pty.seen(new RegExp(`● ${name} \\(downloads`));
  pty.type(ENTER);
}

async function giveToken(pty: Pty, token: string): Promise<void> {
  await pty.seen(/1\. Open Telegram and write to @BotFather/);
  await pty.seen(/Enter alone leaves this for later/);
  pty.type(`${token}${ENTER}`);
}

const send = (server: TelegramServer, text: string) => server.message({ chat: DM, from: ANN, text });

async function refuseService(pty: Pty): Promise<void> {
  await pty.seen(/Keep it running/);
  pty.type(CTRL_C);
  assert.equal(await pty.ended, 0);
}

describe('nanoclaw.sh on a terminal, and Telegram', { skip: noPty }, () => {
  test('the token, hidden; a wrong one; the code; a welcome, a file each way, a question with buttons', async () => {
    await using server = await startTelegramServer();
    await using checkout = Checkout.installed();
    await using pty = checkout.sitDown(ANSWERS, atThe(server));
    await choose(pty, 'Telegram');
    await giveToken(pty, `${server.settings.TOKEN}-mistyped`);
    await pty.seen(/Telegram refuses the token\./);
    await pty.seen(/● Give its settings anew/);
    pty.type(ENTER);
    await giveToken(pty, server.settings.TOKEN);
    await pty.seen(/It works, as @AndyTestBot\./);
    const [, code = ''] = await pty.seen(/https:\/\/t\.me\/AndyTestBot\?start=(\S+) and press Start/);
    await pty.seen(/Waiting for it/);
    send(server, `/start ${code}`);
    await pty.seen(/Ann \(telegram:100\) is the owner there now\./);
    await pty.seen(/Andy has written its welcome there\./);
    await refuseService(pty);
    assert.ok(!pty.text().includes(server.settings.TOKEN), 'it is never shown');
    const found = await checkout.run(['grep', '-rlF', server.settings.TOKEN, '.env', 'data', 'groups', 'logs']);
    assert.equal(found.stdout, 'data/channels/telegram.env\n');
    await talk(server);
  });

  test('left at each question, it is taken up again where it was', async () => {
    await using server = await startTelegramServer();
    await using checkout = Checkout.installed();
    {
      await using pty = checkout.sitDown(ANSWERS, atThe(server));
      await pty.seen(/Where else do you want to talk to it\?/);
      pty.type(CTRL_C);
      await refuseService(pty);
    }
    {
      await using pty = checkout.sitDown([], atThe(server));
      await choose(pty, 'Telegram');
      await giveToken(pty, '');
      await pty.seen(/Telegram is left for later: `ncl channels add telegram` takes it up again\./);
      await refuseService(pty);
    }
    let code = '';
    {
      await using pty = checkout.sitDown(['--channel', 'telegram'], atThe(server));
      await giveToken(pty, server.settings.TOKEN);
      [, code = ''] = await pty.seen(/start=(\S+)/);
      await pty.seen(/Waiting for it/);
      pty.type(CTRL_C);
      await pty.seen(/Left for later: the code stays good/);
      await refuseService(pty);
    }
    {
      await using pty = checkout.sitDown([], atThe(server));
      await pty.seen(/telegram is not finished\. Nobody is paired with it yet\. Go on with it\?/);
      pty.type(ENTER);
      await pty.seen(/It works, as @AndyTestBot/);
      await pty.seen(/Waiting for it/);
      send(server, code);
      await pty.seen(/Andy has written its welcome there\./);
      await refuseService(pty);
      assert.doesNotMatch(pty.text(), /BotFather\b.*blue/, 'the token is known');
    }
    {
      await using pty = checkout.sitDown([], atThe(server));
      await refuseService(pty);
      assert.doesNotMatch(pty.text(), /Where else|not finished/);
    }
  });
});

describe('nanoclaw.sh without a terminal, and Telegram', () => {
  test('the token from the environment; then from .env; what is wrong is one sentence', async () => {
    await using server = await startTelegramServer();
    await using checkout = Checkout.installed();
    const args = ['--yes', ...ANSWERS, '--channel', 'telegram'];
    const none = await checkout.setUp(args, atThe(server));
    assert.equal(none.status, 1);
    assert.match(
      none.stderr,
      /✗ channel .*\n {4}Why: {2}.*Telegram needs TOKEN \(in the environment: TELEGRAM_TOKEN\)\./,
    );

    const wrong = await checkout.setUp(args, { ...atThe(server), TELEGRAM_TOKEN: MISTYPED });
    assert.equal(wrong.status, 1);
    assert.match(wrong.stderr, /✗ channel .*\n {4}Why: {2}Telegram refuses the token\./);
    assert.doesNotMatch(wrong.stderr, /mistyped/);

    await server.away(true);
    const away = await checkout.setUp(args, { ...atThe(server), TELEGRAM_TOKEN: MISTYPED });
    await server.away(false);
    assert.equal(away.status, 1);
    assert.match(away.stderr, /✗ channel .*\n {4}Why: {2}Telegram can't be reached: .*ECONNREFUSED/);

    appendFileSync(join(checkout.root, '.env'), `TELEGRAM_BOT_TOKEN=${server.settings.TOKEN}\n`);
    const right = await checkout.setUp(args, atThe(server));
    assert.equal(right.status, 0, right.stderr);
    assert.match(right.stderr, /✓ channel +\S+ s {2}telegram: It works, as @AndyTestBot\./);
    assert.doesNotMatch(right.stderr, /Owner code/);
    const [, code = ''] = /start=(\S+) and press Start/.exec(right.stderr) ?? [];
    assert.equal((await checkout.run(['grep', '-rlF', code, 'data', 'logs'])).stdout, '');
    send(server, `/start ${code}`);
    await until(() => server.sent.some(({ text }) => /I am Andy/.test(text)), 60_000);
    const again = await checkout.setUp(args, atThe(server));
    assert.equal(again.status, 0, again.stderr);
    assert.doesNotMatch(again.stderr, /start=/, 'its owner is known');
  });
});

describe('nanoclaw.sh, and the web page', () => {
  test('without a terminal, with its settings from a file: a link opens it, and its owner is known', async () => {
    await using checkout = Checkout.installed();
    const settings = join(checkout.folder, 'settings');
    writeFileSync(settings, 'PORT=0\n');
    const args = ['--yes', ...ANSWERS, '--channel', 'web', '--channel-settings', settings];
    const ran = await checkout.setUp(args);
    assert.equal(ran.status, 0, ran.stderr);
    const [, port] = /✓ channel +\S+ s {2}web: The page is at http:\/\/127\.0\.0\.1:(\d+)\./.exec(ran.stderr) ?? [];
    assert.match(ran.stderr, new RegExp(`within ten minutes: http://127\\.0\\.0\\.1:${port}/login#\\S+`));
    assert.match((await checkout.run(['bin/ncl', 'roles', 'list'])).stdout, /web:owner/);
    const again = await checkout.setUp(args);
    assert.match(again.stderr, /login#\S+/, 'another link');
  });

  test('chosen on a terminal, it prints the link', { skip: noPty }, async () => {
    await using checkout = Checkout.installed();
    await using pty = checkout.sitDown(ANSWERS, { WEB_PORT: '0' });
    await pty.seen(/Where else do you want to talk to it\?/);
    await pty.seen(/Webhooks/);
    pty.type(DOWN);
    await pty.seen(/● Telegram/);
    pty.type(DOWN);
    await pty.seen(/● Web page \(downloads nothing\)/);
    pty.type(ENTER);
    await pty.seen(/Open this in a browser on this machine, within ten minutes; it works once:/);
    await pty.seen(/http:\/\/127\.0\.0\.1:\d+\/login#\S+/);
    await refuseService(pty);
  });
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startTelegramServer } from '../test/fakes/telegram/server.ts';
import { DOWN, ENTER, noPty } from '../test/support/pty.ts';
import { Checkout, hasCommand } from './testing/checkout.ts';
import { ANN, DM, talk } from './testing/telegram-talk.ts';

/** Downloads runtimes and packages for real. */
const skip = hasCommand('npm') ? noPty : 'there is no npm on this machine';

const INSTALL_MS = 600_000;

test('from nothing to a conversation in Telegram, by somebody who only answers questions', { skip }, async () => {
  await using server = await startTelegramServer();
  await using checkout = new Checkout();
  const authorities = process.env.NODE_EXTRA_CA_CERTS;
  const env = {
    TELEGRAM_API_URL: server.settings.API_URL,
    ...(authorities !== undefined && { NODE_EXTRA_CA_CERTS: authorities }),
  };
  await using pty = checkout.sitDown([], env);
  await pty.seen(/What is your agent's name\?/, INSTALL_MS);
  pty.type(ENTER);
  await pty.seen(/Who answers\?/);
  pty.type(DOWN);
  await pty.seen(/● Demo/);
  pty.type(ENTER);
  await pty.seen(/Which time zone are you in\?/);
  pty.type(ENTER);
  await pty.seen(/Where else do you want to talk to it\?/, INSTALL_MS);
  await pty.seen(/Nowhere/);
  pty.type(DOWN);
  await pty.seen(/● Telegram/);
  pty.type(ENTER);
  await pty.seen(/Enter alone leaves this for later/, INSTALL_MS);
  pty.type(`${server.settings.TOKEN}${ENTER}`);
  const [, code = ''] = await pty.seen(/start=(\S+) and press Start/);
  server.message({ chat: DM, from: ANN, text: `/start ${code}` });
  await pty.seen(/Andy has written its welcome there\./);
  await talk(server);
  await pty.seen(/Keep it running/);
  pty.type('n');
  assert.equal(await pty.ended, 0);
});

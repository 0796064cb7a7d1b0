import assert from 'node:assert/strict';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, before, describe, test } from 'node:test';
import { startTelegramServer, type TelegramServer } from '../fakes/telegram/server.ts';
import { CODE, startHost, type TestHost } from '../support/host-process.ts';
import { runNcl } from '../support/ncl.ts';
import { CTRL_C, ENTER, noPty, openPty, type Pty } from '../support/pty.ts';
import { until } from '../support/until.ts';

/** `ncl channels pair` on a terminal, beside a real host: whoever sends the code, where, and when. */

const person = (id: number, name: string) => ({
  from: { id, is_bot: false, first_name: name },
  chat: { id, type: 'private', first_name: name },
});
const ANN = person(100, 'Ann');
const MALLORY = person(666, 'Mallory');
const FAMILY = { id: -1001, type: 'supergroup', title: 'Family' };

describe('a code on the screen', { skip: noPty }, () => {
  let host: TestHost;
  let server: TelegramServer;

  before(async () => {
    server = await startTelegramServer();
    host = await startHost({
      env: { TELEGRAM_TOKEN: server.settings.TOKEN, TELEGRAM_API_URL: server.settings.API_URL },
    });
    assert.match(await ncl('channels', 'add', 'telegram'), /It works, as @AndyTestBot/);
  });
  after(async () => {
    await host[Symbol.asyncDispose]();
    await server.close();
  });

  async function ncl(...args: string[]): Promise<string> {
    const { status, stdout, stderr } = await runNcl(host.home, args);
    assert.equal(status, 0, `ncl ${args.join(' ')}: ${stderr}${stdout}`);
    return stdout;
  }
  function sitDown(...args: string[]): Pty {
    const env = { PATH: process.env.PATH ?? '', HOME: host.home, NANOCLAW_HOME: host.home };
    return openPty([join(CODE, 'bin/ncl'), ...args], { cwd: host.home, env });
  }
  async function codeOn(pty: Pty): Promise<string> {
    const [, code = ''] = await pty.seen(/start=(\S+) and press Start/);
    await pty.seen(/Waiting for it/);
    return code;
  }
  const isTold = (chat: number, pattern: RegExp) =>
    until(() => server.sent.some((one) => one.chat === chat && pattern.test(one.text)));

  test('sent in a group, it is void, and both sides are told', async () => {
    await using pty = sitDown('channels', 'pair', 'telegram');
    server.message({ chat: FAMILY, from: ANN.from, text: await codeOn(pty) });
    await pty.seen(/void now: `ncl channels pair telegram` makes another code\./);
    assert.equal(await pty.ended, 1);
    await isTold(FAMILY.id, /everybody here can read it: it is void now/);
  });

  test('sent too late, it is void, and both sides are told', async () => {
    await using pty = sitDown('channels', 'pair', 'telegram');
    const code = await codeOn(pty);
    const db = new DatabaseSync(join(host.home, 'data/v2.db'), { timeout: 5000 });
    db.exec("UPDATE owner_codes SET expires_at = '2026-01-01T00:00:00.000Z' WHERE used_at IS NULL");
    db.close();
    await pty.seen(/Nobody has sent it in time, and it is void now: `ncl channels pair telegram` makes another code\./);
    assert.equal(await pty.ended, 1);
    server.message({ ...ANN, text: code });
    await isTold(ANN.chat.id, /This is no code that I know: it is mistyped, was used, or is too old\./);
  });

  test('a name that no chat has is no chat', async () => {
    for (const chat of ['Famly', '../../etc', 'two words']) {
      const { status, stderr } = await runNcl(host.home, ['channels', 'wire', 'telegram', chat]);
      assert.equal(status, 1, chat);
      assert.match(stderr, /`ncl channels chats telegram` shows those that it knows\./);
    }
    assert.doesNotMatch(await ncl('messaging-groups', 'list'), /Famly|etc|words/);
  });

  test('without a terminal nobody is waited for', async () => {
    const { status, stdout, stderr } = await runNcl(host.home, ['channels', 'pair', 'telegram']);
    assert.equal(status, 0);
    assert.match(stdout, /^[A-Z2-9]{4}-[A-Z2-9]{4}\n$/);
    assert.match(stderr, /Open https:\/\/t\.me\/AndyTestBot/);
    const answer = JSON.parse(await ncl('channels', 'pair', 'telegram', '--minutes=5', '--json'));
    assert.deepEqual([answer.kind, answer.agent], ['code', 'Andy']);
  });

  test('sent by somebody else first: the screen says who, and how they are no owner any more', async () => {
    let code = '';
    {
      await using pty = sitDown('channels', 'pair', 'telegram');
      code = await codeOn(pty);
      server.message({ ...MALLORY, text: code });
      const undo = /If that is not you: `ncl (roles revoke telegram:666 owner)`/;
      await pty.seen(/Mallory \(telegram:666\) is the owner there now\./);
      const [, revoke = ''] = undo.exec(pty.text()) ?? [];
      await pty.seen(/Andy has written its welcome there\./);
      assert.equal(await pty.ended, 0);
      await ncl(...revoke.split(' '));
    }
    server.message({ ...ANN, text: code });
    await isTold(ANN.chat.id, /This is no code that I know/);
    await using pty = sitDown('channels', 'pair', 'telegram');
    server.message({ ...ANN, text: await codeOn(pty) });
    await pty.seen(/Ann \(telegram:100\) is the owner there now\./);
    await pty.seen(/Andy has written its welcome there\./);
    assert.equal(await pty.ended, 0);
    assert.match(await ncl('channels', 'pair', 'telegram', '--json'), /"kind":"known"/);
  });

  test('a token that was revoked is said, and asked for again', async () => {
    const { settings } = server;
    const before = settings.TOKEN;
    settings.TOKEN = `${before}-anew`;
    await using pty = sitDown('channels', 'add', 'telegram');
    await pty.seen(/Telegram refuses the token\./);
    await pty.seen(/What now\?/);
    pty.type(ENTER);
    await pty.seen(/Enter alone leaves this for later/);
    pty.type(`${settings.TOKEN}${ENTER}`);
    await pty.seen(/It works, as @AndyTestBot/);
    await pty.seen(/Ann \(telegram:100\) is the owner there already\./);
    assert.equal(await pty.ended, 0);
  });

  test('whoever leaves an account that does not work leaves it as it is', async () => {
    await server.away(true);
    await using pty = sitDown('channels', 'add', 'telegram');
    await pty.seen(/Telegram can't be reached/);
    await pty.seen(/What now\?/);
    pty.type(CTRL_C);
    await pty.seen(/It stays as it is: `ncl channels add telegram` takes it up again\./);
    assert.equal(await pty.ended, 1);
    const shut = await runNcl(host.home, ['channels', 'pair', 'telegram']);
    assert.equal(shut.status, 1);
    assert.match(shut.stderr, /^Telegram can't be reached: /);
    await server.away(false);
  });
});

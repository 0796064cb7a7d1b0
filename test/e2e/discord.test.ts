import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { type DiscordServer, startDiscordServer } from '../fakes/discord/server.ts';
import { BOT, type FakeMessage, GENERAL, THREAD } from '../fakes/discord/world.ts';
import { startHost } from '../support/host-process.ts';
import { runNcl } from '../support/ncl.ts';
import { until } from '../support/until.ts';

/** A real host and a scripted Discord: from the token to a conversation. */

const PATIENCE_MS = 60_000;

async function ncl(home: string, ...args: string[]): Promise<string> {
  const { status, stdout, stderr } = await runNcl(home, args);
  assert.equal(status, 0, `ncl ${args.join(' ')}: ${stderr}${stdout}`);
  return stdout;
}

/** Added, and its owner known by the code, sent from the app. */
async function begin(home: string, server: DiscordServer) {
  const file = join(home, 'settings');
  writeFileSync(file, `TOKEN=${server.settings.TOKEN}\nAPI_URL=${server.settings.API_URL}\n`, { mode: 0o600 });
  assert.match(await ncl(home, 'channels', 'add', 'discord', '--from', file), /as Andy, in Family/);
  await until(() => server.gateway.isHeard(), PATIENCE_MS);
  const code = (await ncl(home, 'owner-code')).trim();
  const ann = server.world.person('ann');
  const dm = server.world.direct(ann).id;
  const say = (content: string, more: Partial<FakeMessage> = {}) =>
    server.say({ channel_id: dm, author: ann, content, ...more });
  const said = (text: RegExp, from = 0) =>
    server
      .said()
      .slice(from)
      .find(({ content }) => text.test(content));
  say(code);
  await until(() => said(/You are the owner now/), PATIENCE_MS);
  await until(() => said(/I am Andy/), PATIENCE_MS);
  return { ann, dm, say, said };
}

test('from the token to a welcome, a file each way, and a thread that the owner allows by a button', async () => {
  await using server = await startDiscordServer();
  await using host = await startHost();
  const { ann, dm, say, said } = await begin(host.home, server);
  assert.ok(server.said().every(({ channel_id }) => channel_id === dm));

  const attachments = [server.keep('list.txt', Buffer.from('a list'))];
  say('run ls /workspace/inbound/inbox/*/', { attachments });
  await until(() => said(/list\.txt/), PATIENCE_MS);
  say('write note.txt: remember the milk');
  await until(() => said(/I wrote note\.txt/), PATIENCE_MS);
  say('send me note.txt');
  const sent = () => server.said().flatMap((one) => one.attachments);
  await until(() => sent().length === 1, PATIENCE_MS);
  assert.equal(server.world.files.get(sent()[0]?.id ?? '')?.toString(), 'remember the milk\n');

  // Bob calls the bot in a thread of a channel that it doesn't know: the owner is asked.
  const bob = server.world.person('bob');
  server.say({ channel_id: THREAD, author: bob, content: `<@${BOT.id}> run echo hi` });
  const card = () => server.said().find(({ channel_id, components }) => channel_id === dm && components.length > 0);
  await until(card, PATIENCE_MS);
  const message = card()!;
  const [button] = message.components.flatMap(({ components }) => components);
  const press = server.press(message, button?.custom_id ?? '', ann);
  await until(() => server.rest.presses.find(({ id }) => id === press)?.answer, PATIENCE_MS);
  await until(() => message.components.length === 0, PATIENCE_MS);
  await until(() => server.said().some(({ channel_id }) => channel_id === THREAD), PATIENCE_MS);
  assert.ok(!server.said().some(({ channel_id }) => channel_id === GENERAL));
  assert.ok(!host.log().includes(server.settings.TOKEN));
});

test('killed between what it took and what it acknowledged, it answers once', async () => {
  await using server = await startDiscordServer();
  const first = await startHost();
  const { say, said } = await begin(first.home, server);
  await first.end();
  const before = server.said().length;
  say('run echo once');
  const second = await startHost({ home: first.home, environment: { NANOCLAW_FAULT: 'discord.taken@1' } });
  await until(() => second.process.signalCode === 'SIGKILL', PATIENCE_MS);
  await using third = await startHost({ home: first.home });
  await until(() => said(/^once$/m, before), PATIENCE_MS);
  say('run echo after');
  await until(() => said(/^after$/m, before), PATIENCE_MS);
  const answers = server
    .said()
    .slice(before)
    .filter(({ content }) => /^once$/m.test(content));
  assert.equal(
    answers.length,
    1,
    JSON.stringify(
      server
        .said()
        .slice(before)
        .map(({ content }) => content),
    ),
  );
  assert.equal(server.gateway.state.identified, 1, 'the session went on, over a stop and a crash');
  await third.end();
  rmSync(first.home, { recursive: true, force: true });
});

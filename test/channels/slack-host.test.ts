import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { slackFarEnd } from '../fakes/slack/far-end.ts';
import { startHost } from '../support/host-process.ts';
import { runNcl } from '../support/ncl.ts';
import { until } from '../support/until.ts';

/** A real host with an agent, at the scripted Slack. */

test('a private chat and a thread are answered in their place; killed in between, nothing is lost and nothing said twice', {
  timeout: 180_000,
}, async () => {
  const far = await slackFarEnd();
  const { server, chats } = far;
  const { dm, group = '' } = chats;
  const ann = server.state.person('ann');
  let host = await startHost();
  const { home } = host;
  const ok = async (...args: string[]): Promise<string> => {
    const { status, stdout, stderr } = await runNcl(home, args);
    assert.equal(status, 0, `ncl ${args.join(' ')}: ${stderr}${stdout}`);
    return stdout;
  };
  const isConnected = async () => /"connected"/.test(await ok('channels', 'list', '--json'));
  const answersIn = (chat: string, thread?: string) =>
    server.state.messages.filter((one) => one.bot_id && one.channel === chat && one.thread_ts === thread).length;
  try {
    const settings = join(home, 'settings');
    const lines = Object.entries(far.settings).map(([name, value]) => `${name}=${value}\n`);
    writeFileSync(settings, lines.join(''), { mode: 0o600 });
    assert.match(await ok('channels', 'add', 'slack', '--from', settings), /It works, as @andy in Test Works/);
    await until(isConnected);
    assert.match(await ok('channels', 'chats', 'slack'), /general/);
    await ok('users', 'create', `slack:${ann}`, '--display-name', 'Ann');
    await ok('members', 'add', `slack:${ann}`, 'Andy');
    await ok('channels', 'wire', 'slack', dm);
    await ok('channels', 'wire', 'slack', group);

    await far.post({ chat: dm, sender: 'ann', text: 'hello' });
    const root = await far.post({ chat: group, sender: 'ann', text: 'hello', mention: true });
    await far.post({ chat: group, sender: 'ann', text: 'not for you' });
    await until(() => answersIn(dm) === 1 && answersIn(group, root) === 1, 60_000);

    // Killed before it has noted what stands there, it would say it once more, marked as a possible repeat.
    await until(() => host.log().match(/"message":"sent"/g)?.length === 2);
    await host.end('SIGKILL');
    await far.post({ chat: dm, sender: 'ann', text: 'are you there?' });
    await far.post({ chat: group, thread: root, sender: 'ann', text: 'and here?', mention: true });
    host = await startHost({ home });
    await until(() => answersIn(dm) === 2 && answersIn(group, root) === 2, 60_000);

    await far.post({ chat: dm, sender: 'ann', text: 'good' });
    await until(() => answersIn(dm) === 3, 60_000);
    assert.equal(server.state.messages.filter((one) => one.bot_id).length, 5);
    await until(() => server.state.reactions.length === 0);
  } finally {
    await host[Symbol.asyncDispose]();
    await far.close();
  }
});

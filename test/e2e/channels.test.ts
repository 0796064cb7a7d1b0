import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, before, describe, test } from 'node:test';
import { startHost, type TestHost } from '../support/host-process.ts';
import { runNcl } from '../support/ncl.ts';
import { createPlatform, type Platform, TOKEN } from '../support/played-channel.ts';
import { until } from '../support/until.ts';

/** `ncl channels` and `ncl dead-letters` on a real host, with the package of somebody else. */

describe('channels', () => {
  let host: TestHost;
  let platform: Platform;
  let settings: string;

  before(async () => {
    host = await startHost();
    platform = createPlatform();
    settings = join(host.home, 'settings');
    writeFileSync(settings, platform.settings);
  });
  after(() => host[Symbol.asyncDispose]());

  async function ok(...args: string[]): Promise<string> {
    const { status, stdout, stderr } = await runNcl(host.home, args);
    assert.equal(status, 0, `ncl ${args.join(' ')}: ${stderr}${stdout}`);
    return stdout;
  }
  async function rows(...args: string[]): Promise<Record<string, unknown>[]> {
    return JSON.parse(await ok(...args, '--json'));
  }
  const stateOf = async (instance: string) =>
    (await rows('channels', 'list')).find((row) => row.instance === instance)?.state;
  const texts = () => platform.sent().map(({ text }) => text);

  test('without its settings nothing is added, and they are named', async () => {
    const { status, stderr } = await runNcl(host.home, ['channels', 'add', platform.folder]);
    assert.equal(status, 2);
    assert.match(stderr, /needs PLACE, TOKEN/);
    assert.deepEqual(await rows('channels', 'list'), []);
  });

  test('an account whose token is refused is added, says why, and stops nobody', async () => {
    const wrong = join(host.home, 'wrong');
    writeFileSync(wrong, platform.settings.replace(TOKEN, 'wrong-secret-9876'));
    const said = await runNcl(host.home, ['channels', 'add', platform.folder, '--as', 'played-bad', '--from', wrong]);
    assert.equal(said.status, 1);
    assert.match(said.stdout, /It does not work yet: .*refuses the token\.\nplayed-bad is added, and the host goes on/);
    assert.match(said.stderr, /ncl channels add \S+ --as played-bad --from/);
    assert.equal((await runNcl(host.home, ['channels', 'test', 'played-bad'])).status, 1);
    await until(async () => (await stateOf('played-bad')) === 'failed');
    const status = await ok('status');
    assert.match(status, /played-bad is not connected/);
    assert.doesNotMatch(status + host.log(), /wrong-secret-9876/);
    const terminal = await host.terminal();
    assert.ok((await terminal.ask('hello')).length > 0);
  });

  test('added, wired, spoken to: the answer comes back there', async () => {
    const said = await ok('channels', 'add', platform.folder, '--from', settings);
    assert.match(said, /played is added\. The platform knows it as played_bot\./);
    await until(async () => (await stateOf('played')) === 'connected');
    const file = join(host.home, 'data/channels/played.env');
    assert.equal(statSync(file).mode & 0o777, 0o600);
    assert.match(readFileSync(file, 'utf8'), new RegExp(TOKEN));
    assert.deepEqual(
      (await rows('channels', 'chats', 'played')).map(({ platformId, name }) => [platformId, name]),
      [['dm-ann', 'Ann']],
    );
    assert.match(await ok('channels', 'wire', 'played', 'Ann'), /listens there/);
    await ok('users', 'create', 'played:ann', '--display-name', 'Ann');
    await ok('members', 'add', 'played:ann', 'Andy');
    platform.post('dm-ann', 'hello');
    await until(() => platform.sent().some(({ chat }) => chat === 'dm-ann'), 30_000);
    assert.doesNotMatch(host.log(), new RegExp(TOKEN));
  });

  test('what is no chat there is not listened to, and an id that nobody has written from is', async () => {
    const none = await runNcl(host.home, ['channels', 'wire', 'played', 'An n']);
    assert.equal(none.status, 1);
    assert.match(none.stderr, /played knows no chat "An n": `ncl channels chats played` shows/);
    assert.match(await ok('channels', 'wire', 'played', 'dm-bob'), /listens there/);
  });

  test('settings that are refused do not replace those that work, unless somebody says so', async () => {
    const wrong = `${platform.settings}TOKEN=wrong-secret-5432\n`.replace(`TOKEN=${TOKEN}\n`, '');
    const add = (...more: string[]) =>
      runNcl(host.home, ['channels', 'add', platform.folder, '--from', '-', ...more], wrong);
    const kept = await add();
    assert.equal(kept.status, 1);
    assert.match(kept.stdout, /refuses the token\.\nIts settings from before work and stay/);
    const file = join(host.home, 'data/channels/played.env');
    assert.match(readFileSync(file, 'utf8'), new RegExp(TOKEN));
    assert.equal(await stateOf('played'), 'connected');
    assert.deepEqual(readdirSync(join(host.home, 'data/channels/.proposed')), []);
    assert.equal((await add('--untested')).status, 1);
    assert.match(readFileSync(file, 'utf8'), /wrong-secret-5432/);
    assert.match(await ok('channels', 'add', platform.folder, '--from', settings), /played is added/);
    await ok('channels', 'test', 'played');
    await until(async () => (await stateOf('played')) === 'connected');
  });

  test('a setting that there is not, and credentials that another account has, are refused by name', async () => {
    const stray = await runNcl(host.home, ['channels', 'add', platform.folder, '--from', '-'], 'TOKENN=x\n');
    assert.equal(stray.status, 2);
    assert.match(stray.stderr, /Played has no setting TOKENN\. It has PLACE, TOKEN\./);
    const twin = await runNcl(host.home, ['channels', 'add', platform.folder, '--as', 'twin', '--from', settings]);
    assert.equal(twin.status, 1);
    assert.match(twin.stderr, /The account played has these credentials: give each its own\./);
    assert.ok(!(await rows('channels', 'list')).some(({ instance }) => instance === 'twin'));
  });

  test('the same once more changes nothing', async () => {
    await ok('channels', 'add', platform.folder, '--from', settings);
    assert.equal((await rows('channels', 'list')).filter(({ instance }) => instance === 'played').length, 1);
    await until(async () => (await stateOf('played')) === 'connected');
  });

  test('what was written while it was switched off is answered when it is back', async () => {
    await ok('channels', 'disable', 'played');
    const before = platform.sent().length;
    platform.post('dm-ann', 'are you there?');
    await ok('channels', 'enable', 'played');
    await until(() => platform.sent().length > before, 30_000);
  });

  test('what the platform refuses for good is a dead letter, and can be sent again', async () => {
    platform.mood('forbidden');
    platform.post('dm-ann', 'say something');
    await until(async () => (await rows('dead-letters', 'list')).length > 0, 30_000);
    const letters = await rows('dead-letters', 'list');
    assert.ok(letters.every(({ error }) => error === 'The bot was removed.'));
    platform.mood('well');
    const before = platform.sent().length;
    await ok('dead-letters', 'retry', String(letters.at(-1)?.id));
    await until(() => platform.sent().length > before);
    await ok('dead-letters', 'drop', 'all');
    assert.deepEqual(await rows('dead-letters', 'list'), []);
  });

  test('where nobody knows whether it arrived, it is said once more and marked', async () => {
    const before = platform.sent().length;
    platform.mood('unknown');
    platform.post('dm-ann', 'and now?');
    await until(() => platform.sent().length > before + 1, 30_000);
    platform.mood('well');
    const [first, second] = texts().slice(before);
    assert.equal(second, `(possibly a repeat)\n${first}`);
  });

  test('what waits for an account that is removed is a dead letter, and goes out when it is added again', async () => {
    await ok('channels', 'disable', 'played');
    await ok('dead-letters', 'drop', 'all');
    const db = new DatabaseSync(join(host.home, 'data/v2.db'));
    db.exec(`INSERT INTO messages (id, direction, kind, timestamp, status, channel_type, platform_id, content, created_at)
      VALUES ('note-1', 'out', 'chat', '2026-01-01T00:00:00.000Z', 'completed', 'played', 'dm-ann', '{"text":"late"}', '2026-01-01T00:00:00.000Z');
      INSERT INTO deliveries (message_id, status, created_at, updated_at)
      VALUES ('note-1', 'queued', '2026-01-01T00:00:00.000Z', '2026-01-01T00:00:00.000Z')`);
    db.close();
    await host.end();
    host = await startHost({ home: host.home });
    assert.deepEqual(await rows('dead-letters', 'list'), []);
    await ok('channels', 'remove', 'played');
    await until(async () => (await rows('dead-letters', 'list')).length > 0);
    await ok('channels', 'add', platform.folder, '--from', settings);
    await ok('dead-letters', 'retry', 'note-1');
    await until(() => texts().includes('late'));
  });

  test('a package of somebody else comes by git, at one commit', async () => {
    const git = (...args: string[]) =>
      execFileSync('git', ['-C', platform.folder, '-c', 'user.name=Ann', '-c', 'user.email=ann@example.org', ...args])
        .toString()
        .trim();
    git('init', '-q');
    git('config', 'uploadpack.allowReachableSHA1InWant', 'true');
    git('add', '.');
    git('commit', '-q', '-m', 'The channel');
    const commit = git('rev-parse', 'HEAD');
    const source = `git+file://${platform.folder}`;
    const others = join(host.home, 'others');
    writeFileSync(others, platform.settings.replace('\nTOKEN', '/\nTOKEN'));
    await ok('channels', 'add', `${source}#${commit}`, '--as', 'played-git', '--from', others);
    await until(async () => (await stateOf('played-git')) === 'connected');
    assert.ok(existsSync(join(host.home, 'data/channel-packages', commit, 'index.ts')));
    await ok('channels', 'remove', 'played-git');
    const branch = await runNcl(host.home, ['channels', 'add', `${source}#main`, '--from', settings]);
    assert.equal(branch.status, 2);
    assert.doesNotMatch(branch.stderr, /downloaded/);
    const absent = await runNcl(host.home, ['channels', 'add', `${source}#${'0'.repeat(40)}`, '--from', settings]);
    assert.match(absent.stderr, /could not be fetched/);
  });

  test('the names of terminals are taken', async () => {
    const { status, stderr } = await runNcl(host.home, [
      'channels',
      'add',
      platform.folder,
      '--as',
      'terminal-2',
      '--from',
      settings,
    ]);
    assert.equal(status, 1);
    assert.match(stderr, /the host's own/);
  });

  test('removed, its credentials are gone, and its name is free', async () => {
    await ok('channels', 'remove', 'played');
    assert.equal(statSync(join(host.home, 'data/channels/played.env'), { throwIfNoEntry: false }), undefined);
    assert.equal(await stateOf('played'), undefined);
    const { status } = await runNcl(host.home, ['channels', 'test', 'played']);
    assert.equal(status, 1);
  });

  test('the host that comes after it starts what is enabled', async () => {
    await ok('channels', 'add', platform.folder, '--from', settings);
    await host.end();
    host = await startHost({ home: host.home });
    await until(async () => (await stateOf('played')) === 'connected');
  });
});

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { createRepository, type Repository } from '../support/git-repository.ts';
import { CODE, startHost, type TestHost } from '../support/host-process.ts';
import { runNcl } from '../support/ncl.ts';
import { createPlatform, type Platform, TOKEN } from '../support/played-channel.ts';
import { until } from '../support/until.ts';

/** The channel of somebody else, by the URL of a git repository at one commit. */

describe('a channel from a git repository', () => {
  let host: TestHost;
  let platform: Platform;
  let repository: Repository;
  let settings: string;

  before(async () => {
    host = await startHost();
    platform = createPlatform();
    repository = createRepository(platform.folder);
    settings = join(host.home, 'settings');
    writeFileSync(settings, platform.settings);
  });
  after(async () => {
    repository[Symbol.dispose]();
    await host[Symbol.asyncDispose]();
  });

  /** Each account has a place of its own: no two may have the same credentials. */
  const names: string[] = [];
  function add(source: string, as: string) {
    if (!names.includes(as)) names.push(as);
    const own = '/'.repeat(names.indexOf(as) + 1);
    writeFileSync(settings, platform.settings.replace('\nTOKEN', `${own}\nTOKEN`));
    return runNcl(host.home, ['channels', 'add', source, '--as', as, '--from', settings]);
  }
  async function ok(...args: string[]): Promise<string> {
    const { status, stdout, stderr } = await runNcl(host.home, args);
    assert.equal(status, 0, `ncl ${args.join(' ')}: ${stderr}${stdout}`);
    return stdout;
  }
  async function stateOf(instance: string): Promise<unknown> {
    const rows: Record<string, unknown>[] = JSON.parse(await ok('channels', 'list', '--json'));
    return rows.find((row) => row.instance === instance)?.state;
  }
  const packages = () => join(host.home, 'data/channel-packages');
  const kept = () => (existsSync(packages()) ? readdirSync(packages()) : []);
  const settingsOf = (instance: string) => join(host.home, `data/channels/${instance}.env`);
  const read = (name: string) => readFileSync(join(repository.folder, name), 'utf8');

  test('one commit of it runs, and a warning comes before anything is fetched', async () => {
    const commit = repository.commit({});
    const { status, stderr } = await add(repository.source(commit), 'first');
    assert.equal(status, 0, stderr);
    assert.match(stderr, /runs with the rights of the host/);
    await until(async () => (await stateOf('first')) === 'connected');
    assert.equal(statSync(packages()).mode & 0o777, 0o700);
    assert.equal(statSync(settingsOf('first')).mode & 0o777, 0o600);
  });

  test('a branch, a short commit, one that is not there, another protocol: nothing is added, nothing stays', async () => {
    const commit = repository.git('rev-parse', 'HEAD');
    const tree = repository.git('rev-parse', 'HEAD^{tree}');
    const before = kept();
    const { folder } = repository;
    for (const [source, status] of [
      [`git+file://${folder}#main`, 2],
      [`git+file://${folder}#${commit.slice(0, 12)}`, 2],
      [`git+file://${folder}`, 2],
      [`git+ext::sh -c "touch ${folder}/ran"#${commit}`, 2],
      [`git+--upload-pack=touch ${folder}/ran#${commit}`, 2],
      [`git+file://${folder}#${'0'.repeat(40)}`, 1],
      [`git+file://${folder}#${tree}`, 1],
      [`git+file://${folder}-elsewhere#${commit.replace(/./g, 'a')}`, 1],
    ] as const) {
      const answer = await add(source, 'wrong');
      assert.equal(answer.status, status, `${source}: ${answer.stderr}`);
    }
    assert.equal(await stateOf('wrong'), undefined);
    assert.ok(!existsSync(settingsOf('wrong')));
    assert.ok(!existsSync(join(folder, 'ran')));
    assert.deepEqual(kept(), before);
  });

  test('a later commit is another package, and takes the place of the first', async () => {
    const first = repository.git('rev-parse', 'HEAD');
    const second = repository.commit({ 'index.ts': read('index.ts').replace('played_bot', 'newer_bot') });
    const { status, stdout } = await add(repository.source(second), 'first');
    assert.equal(status, 0);
    assert.match(stdout, /newer_bot/);
    assert.deepEqual(kept().sort(), [first, second].sort());
    await until(async () => (await stateOf('first')) === 'connected');
  });

  for (const [what, manifest] of [
    ['leads out of its folder', (text: string) => text.replace("'played'", "'../../evil'")],
    ['is an object', (text: string) => text.replace("'played'", '{}')],
    ['has a setting that is none', (text: string) => text.replace("name: 'PLACE'", "name: '../PLACE'")],
    ['throws', () => 'throw new Error("no manifest today");'],
    ['is no program', () => 'export const = {'],
    ['is not there', () => ''],
  ] as const) {
    test(`a manifest that ${what} is refused in a sentence, and no setting is kept`, async () => {
      using other = createRepository(platform.folder);
      const text = manifest(readFileSync(join(other.folder, 'manifest.ts'), 'utf8'));
      if (text === '') rmSync(join(other.folder, 'manifest.ts'));
      const commit = other.commit(text === '' ? {} : { 'manifest.ts': text });
      const { status, stderr } = await add(other.source(commit), 'hostile');
      assert.equal(status, 1, stderr);
      assert.match(stderr, /manifest|There is no channel/);
      assert.doesNotMatch(stderr, /\n\s+at /);
      assert.ok(!existsSync(settingsOf('hostile')));
      assert.ok(!existsSync(join(host.home, 'evil')) && !existsSync(join(host.home, '../evil')));
      assert.equal(await stateOf('hostile'), undefined);
    });
  }

  test('a package whose code fails is an account that says why, and the host goes on', async () => {
    using other = createRepository(platform.folder);
    const commit = other.commit({ 'index.ts': 'throw new Error("broken on purpose");' });
    const { stdout, stderr } = await add(other.source(commit), 'broken');
    assert.match(stdout + stderr, /broken on purpose/);
    assert.equal(await stateOf('first'), 'connected');
    assert.ok((await (await host.terminal()).ask('ping')).length > 0);
    await ok('channels', 'remove', 'broken');
  });

  const pnpm = join(CODE, '.runtime/bin/pnpm');
  test('what it needs comes from its own lockfile, and no script of anybody runs', {
    skip: !existsSync(pnpm),
  }, async () => {
    using other = createRepository(platform.folder);
    const ran = join(host.home, 'ran');
    const scripts = Object.fromEntries(
      ['preinstall', 'install', 'postinstall', 'prepare'].map((name) => [name, `touch ${ran}`]),
    );
    const helper = { name: 'helper', version: '1.0.0', type: 'module', main: 'helper.mjs', scripts };
    const own = { name: 'played', type: 'module', scripts, dependencies: { helper: 'file:./helper' } };
    mkdirSync(join(other.folder, 'helper'));
    const files = {
      'package.json': JSON.stringify(own),
      'helper/package.json': JSON.stringify(helper),
      'helper/helper.mjs': 'export const word = "helped";',
      'index.ts': `import { word } from 'helper';\n${read('index.ts').replace(/(played|newer)_bot/, `' + word + '`)}`,
    };
    const without = other.commit(files);
    const refused = await add(other.source(without), 'scripts');
    assert.equal(refused.status, 1);
    assert.match(refused.stderr, /from its lockfile/);
    execFileSync(pnpm, ['install', '--lockfile-only', '--ignore-scripts', '--ignore-workspace', '--offline'], {
      cwd: other.folder,
    });
    const { status, stdout, stderr } = await add(other.source(other.commit({})), 'scripts');
    assert.equal(status, 0, stderr);
    assert.match(stdout, /helped/);
    assert.ok(!existsSync(ran), 'a script has run');
    await ok('channels', 'remove', 'scripts');
  });

  test('removed, its credentials are gone; added again, it is what was read, with the repository gone', async () => {
    const commit = repository.git('rev-parse', 'HEAD');
    await ok('channels', 'remove', 'first');
    assert.equal(await stateOf('first'), undefined);
    assert.ok(!existsSync(settingsOf('first')) && !existsSync(join(host.home, 'data/channels/first')));
    const source = repository.source(commit);
    rmSync(repository.folder, { recursive: true, force: true });
    assert.equal((await add(source, 'first')).status, 0);
    await until(async () => (await stateOf('first')) === 'connected');
    assert.doesNotMatch(host.log(), new RegExp(TOKEN));
  });

  test('a commit that was tampered with on the way is no commit', async () => {
    // What stands in the folder is what git has checked: a file that is changed there is for whoever owns this machine.
    using other = createRepository(platform.folder);
    const commit = other.commit({});
    const object = other.git('rev-parse', 'HEAD:index.ts');
    const blob = join(other.folder, '.git/objects', object.slice(0, 2), object.slice(2));
    rmSync(blob, { force: true });
    writeFileSync(blob, 'not what was signed for');
    const { status, stderr } = await add(other.source(commit), 'tampered');
    assert.equal(status, 1);
    assert.match(stderr, /could not be fetched/);
    assert.ok(!kept().some((name) => name.startsWith(commit)));
  });
});

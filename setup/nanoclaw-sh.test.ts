import assert from 'node:assert/strict';
import { chmodSync, existsSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { describe, test } from 'node:test';
import { demoScript } from '../test/fakes/messages-api/demo.ts';
import { createMessagesApi } from '../test/fakes/messages-api/index.ts';
import { until } from '../test/support/until.ts';
import { makeStandIns } from './service/testing/install.ts';
import { Checkout, hasCommand, type Ran, systemPath } from './testing/checkout.ts';
import { startForgingRegistry } from './testing/registry.ts';

const isRoot = process.getuid?.() === 0;
const needsRoot = isRoot ? false : 'only root can mount what this needs';
const needsNpm = hasCommand('npm') ? false : 'there is no npm on this machine';

/** A disk of its own for the checkout. */
const SMALL_DISK = 'cp -a . ../copy && mount -t tmpfs -o size=30m none "$PWD" && cp -a ../copy/. "$PWD"';

/** A step that failed says which, why, what to do and where its log is. */
function assertFailed(ran: Ran, step: string, why: RegExp): void {
  assert.equal(ran.status, 1, ran.stderr);
  assert.equal(ran.stdout, '');
  assert.match(ran.stderr, new RegExp(`✗ ${step}\\b`));
  assert.match(ran.stderr, why);
  assert.match(ran.stderr, / {4}Do: {3}\S/);
}

describe('nanoclaw.sh, how it is called', () => {
  const refusals: [string, string[], RegExp][] = [
    ['an unknown option', ['--yes', '--colour'], /There is no option --colour\./],
    ['a word', ['start'], /There is no option start\./],
    ['an option without its value', ['--yes', '--message'], /--message needs a value\./],
    ['a channel that is not there', ['--channel', 'nowhere'], /There is no channel of that name/],
    ['settings that are not there', ['--channel-settings', '/nowhere'], /settings can not be read/],
    ['an empty message', ['--yes', '--message', ''], /--message needs a value\./],
    ['a blank name', ['--yes', '--name', ' '], /--name needs a value\./],
    ['no time zone', ['--yes', '--timezone', 'Berlin'], /There is no time zone of that name/],
    ['a value after =', ['--yes', '--name=Bo'], /Write --name and its value as two words\./],
    [
      'an unknown provider',
      ['--yes', '--provider', 'oracle'],
      /There is no provider of that name; there are: claude demo\./,
    ],
    [
      'an unknown runtime',
      ['--yes', '--runtime', 'lxc'],
      /no runtime of that name; there are: bubblewrap docker podman/,
    ],
    ['a path as provider', ['--yes', '--provider', '../src'], /There is no provider of that name/],
    ['a key as argument', ['--yes', '--api-key=sk-ant-secret'], /There is no option --api-key\./],
    ['no terminal and no --yes', [], /There is no terminal to ask questions on\. Run it with --yes\./],
  ];
  test('what it does not understand, it refuses before it does anything', async () => {
    await using checkout = new Checkout();
    for (const [name, args, sentence] of refusals) {
      const { status, stdout, stderr } = await checkout.setUp(args);
      assert.equal(status, 2, name);
      assert.match(stderr, sentence, name);
      assert.doesNotMatch(stderr, /secret/, name);
      assert.equal(stdout, '', name);
    }
    assert.equal(existsSync(join(checkout.root, 'logs')), false);
    const { status, stdout } = await checkout.setUp(['--help']);
    assert.equal(status, 0);
    assert.match(stdout, /--message/);
  });
});

test('a time zone that the machine does not know is refused before a download', {
  skip: existsSync('/usr/share/zoneinfo/Europe/Berlin') ? false : 'this machine has no list of zones',
}, async () => {
  await using checkout = new Checkout();
  const { status, stderr } = await checkout.setUp(['--yes', '--timezone', 'Foo/Bar']);
  assert.equal(status, 2);
  assert.match(stderr, /There is no time zone of that name; an example is Europe\/Berlin\./);
  assert.equal(existsSync(join(checkout.root, 'logs')), false);
});

describe('nanoclaw.sh, where it can not go on', () => {
  test('offline', { skip: needsNpm }, async () => {
    await using checkout = new Checkout();
    const ran = await checkout.setUp(['--yes'], { npm_config_registry: 'http://127.0.0.1:1' });
    assertFailed(ran, 'runtimes', /can't be reached: the machine is offline/);
    assert.match(ran.stderr, /Log: {2}logs\/setup-steps\/02-runtimes\.log/);
    assert.match(checkout.read('logs/setup-steps/02-runtimes.log'), /ECONNREFUSED/);
    assert.match(checkout.read('logs/setup.log'), /^\S+Z 02 runtimes failed .*02-runtimes\.log$/m);
    assert.deepEqual(readdirSync(join(checkout.root, '.runtime')).sort(), ['bin', 'lock']);
  });

  test('a registry serves another program under the right name', { skip: needsNpm }, async () => {
    await using checkout = new Checkout();
    await using registry = await startForgingRegistry();
    const ran = await checkout.setUp(['--yes'], { npm_config_registry: registry.url });
    assertFailed(ran, 'runtimes', /The hash of \S+ \S+ isn't the one in setup\/runtimes\.tsv/);
    assert.deepEqual(readdirSync(join(checkout.root, '.runtime', 'bin')), []);
    assert.equal(existsSync('/tmp/forged'), false);
  });

  test('a checkout that can not be written', async () => {
    await using checkout = new Checkout();
    if (!isRoot) chmodSync(checkout.root, 0o555);
    const ran = isRoot
      ? await checkout.setUpAfter('mount --bind . . && mount -o remount,ro,bind "$PWD"', ['--yes'])
      : await checkout.setUp(['--yes']);
    if (!isRoot) chmodSync(checkout.root, 0o755);
    assertFailed(ran, 'logs', isRoot ? /read-only file system/ : /hasn't the rights/);
  });

  test('a disk with too little room', { skip: needsRoot }, async () => {
    await using checkout = new Checkout();
    assertFailed(
      await checkout.setUpAfter(SMALL_DISK, ['--yes']),
      'machine',
      /The disk is full: \d+ MB are free, 878 MB are needed/,
    );
  });

  test('a disk without any room', { skip: needsRoot }, async () => {
    await using checkout = new Checkout();
    const full = `${SMALL_DISK} && (cat /dev/zero > "$PWD/filler" 2>/dev/null || true)`;
    assertFailed(await checkout.setUpAfter(full, ['--yes']), '(logs|machine)', /The disk is full/);
  });

  test('a system that keeps user namespaces from bubblewrap', { skip: needsRoot }, async () => {
    await using checkout = Checkout.installed();
    const fake = join(checkout.folder, 'bwrap');
    const refusal = 'bwrap: setting up uid map: Permission denied';
    writeFileSync(
      fake,
      `#!/bin/sh\n[ "$1" = --version ] && exec echo bubblewrap 0.9.0\necho '${refusal}' >&2\nexit 1\n`,
      { mode: 0o755 },
    );
    const ran = await checkout.setUpAfter(`mount --bind ${fake} "$(readlink -f /usr/bin/bwrap)"`, ['--yes']);
    assertFailed(ran, 'sandbox', /Why: {2}\S/);
    assert.match(ran.stderr, /uid map: Permission denied|namespaces/);
  });

  test('Claude without a credential', async () => {
    await using checkout = Checkout.installed();
    const ran = await checkout.setUp(['--yes', '--provider', 'claude']);
    assertFailed(ran, 'credential', /Claude needs a credential, and there is none/);
    assert.equal(existsSync(join(checkout.root, 'data', 'v2.db')), false);
  });

  test('a .env that can not be read', async () => {
    await using checkout = Checkout.installed();
    writeFileSync(join(checkout.root, '.env'), 'ANTHROPIC_API_KEY sk-ant-secret\n', { mode: 0o600 });
    const ran = await checkout.setUp(['--yes']);
    assertFailed(ran, 'settings', /line 1: it has no "="/);
    assert.doesNotMatch(ran.stderr + checkout.read('logs/setup-steps/05-settings.log'), /secret/);
  });
});

describe('nanoclaw.sh, to the end', () => {
  test('a message is answered, and a second run changes nothing', async () => {
    await using checkout = Checkout.installed();
    // As cloned under a umask of 077. What is linked to this checkout's own files stays as it is.
    await checkout.run(['bash', '-c', 'find protocol container -name node_modules -prune -o -exec chmod go= {} +']);
    const options = ['--yes', '--name', 'Bo', '--timezone', 'Europe/Berlin', '--message', 'run echo $((6*7))'];
    const first = await checkout.setUp(options);
    assert.equal(first.status, 0, first.stderr);
    assert.match(first.stdout, /42/);
    assert.doesNotMatch(first.stdout, /✓/);
    assert.match(first.stderr, /✓ agent +\S+ s {2}Bo, demo; made/);
    assert.match(first.stderr, /✓ runtime +\S+ s {2}bubblewrap: no container engine can be used\n/);
    assert.match(first.stderr, /docker: There is no container engine at \/nowhere.*\n +→ .*ncl runtime use docker/);
    const links = readdirSync(join(checkout.root, '.runtime', 'bin')).map(
      (name) => statSync(join(checkout.root, '.runtime/bin', name)).ino,
    );

    const second = await checkout.setUp(['--yes', '--message', '-v "$HOME" `id`']);
    assert.equal(second.status, 0, second.stderr);
    assert.match(second.stderr, /Bo, demo; as it was/);
    assert.match(second.stderr, /runs already/);
    assert.deepEqual(
      readdirSync(join(checkout.root, '.runtime', 'bin')).map(
        (name) => statSync(join(checkout.root, '.runtime/bin', name)).ino,
      ),
      links,
    );
    assert.equal(checkout.read('.env'), 'NANOCLAW_RUNTIME=bubblewrap\n');

    const asking = checkout.setUp(['--yes', '--message', 'ask me Tea or coffee?: tea, coffee']);
    await until(async () => (await checkout.run(['bin/ncl', 'chat', '--press', '2'])).status === 0);
    const asked = await asking;
    assert.equal(asked.status, 0, asked.stderr);
    assert.match(asked.stderr, /Tea or coffee\?[\s\S]+Choose by its number/, 'shown while it waits');
    assert.match(asked.stdout, /coffee/);
  });

  test('without a message of its own it asks one, and prints an owner code once, in no log', async () => {
    await using checkout = Checkout.installed();
    const first = await checkout.setUp(['--yes']);
    assert.equal(first.status, 0, first.stderr);
    assert.match(first.stderr, /You: {2}What can you do\?\n {2}Andy: I am a demo/);
    const [, code = 'none'] = /Owner code for another app: ([A-Z2-9]{4}-[A-Z2-9]{4})\./.exec(first.stderr) ?? [];
    const { stdout } = await checkout.run(['grep', '-rlF', code, 'data', 'logs']);
    assert.equal(stdout, '');
    const said = await checkout.run(['bin/ncl', 'chat', code.toLowerCase()]);
    assert.match(said.stdout, /You are the owner now, and Andy is here for you\./, said.stderr);
    const second = await checkout.setUp(['--yes']);
    assert.doesNotMatch(second.stderr, /Owner code/);
  });

  test('a service is installed when it is asked for, and tried by killing the host once', async () => {
    await using checkout = Checkout.installed();
    const env = { PATH: [makeStandIns(checkout.folder), systemPath()].join(delimiter) };
    const first = await checkout.setUp(['--yes', '--service', '--message', 'run echo one'], env);
    assert.equal(first.status, 0, first.stderr);
    assert.match(first.stderr, /✓ service +\S+ s {2}own supervisor; killed once, it was back after \d+\.\d s/);
    const second = await checkout.setUp(['--yes', '--service', '--message', 'run echo two'], env);
    assert.match(second.stdout, /two/, second.stderr);
    assert.match(second.stderr, /✓ service +\S+ s {2}own supervisor; as it was/);
    const { stdout } = await checkout.run(['bin/ncl', 'service', 'uninstall']);
    assert.match(stdout, /is uninstalled/);
  });

  test('Claude, at an API that is played: the key is in .env and nowhere else', async () => {
    await using checkout = Checkout.installed();
    const key = 'sk-ant-api03-only-for-this-test';
    const api = await createMessagesApi({ port: 0, keys: { apiKey: key }, otherwise: demoScript });
    try {
      const env = { ANTHROPIC_API_KEY: key, ANTHROPIC_BASE_URL: api.url };
      const first = await checkout.setUp(['--yes', '--message', 'good morning'], env);
      assert.equal(first.status, 0, first.stderr);
      assert.match(first.stdout, /good morning/);
      assert.match(first.stderr, /Andy, claude; made/);
      assert.equal(statSync(join(checkout.root, '.env')).mode & 0o777, 0o600);

      const second = await checkout.setUp(['--yes', '--message', 'good night']);
      assert.match(second.stdout, /good night/, second.stderr);
      assert.match(second.stderr, /in \.env, as it was/);
      const { stdout } = await checkout.run(['grep', '-rlF', key, '.env', 'data', 'groups', 'logs']);
      assert.equal(stdout, '.env\n');
      assert.doesNotMatch(first.stderr + second.stderr, /only-for-this-test/);

      writeFileSync(join(checkout.folder, 'junk'), 'FOO=bar\n');
      const junk = await checkout.setUp(['--yes', '--credential-file', join(checkout.folder, 'junk')]);
      assertFailed(junk, 'credential', /has no credential for Claude/);
      assert.match(checkout.read('.env'), new RegExp(`^ANTHROPIC_API_KEY=${key}$`, 'm'));

      const wrong = await checkout.setUp(['--yes', '--message', 'hello'], {
        ANTHROPIC_API_KEY: 'sk-ant-api03-of-somebody-else',
      });
      assertFailed(wrong, 'message', /Why: {2}⚠️ The model refused my key\./);
      assert.match(wrong.stderr, /^ {4}⚠️ The model refused my key\./m);
    } finally {
      await api.close();
    }
  });
});

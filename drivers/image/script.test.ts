/** What container/build.sh refuses before it asks an engine for anything, and what it takes an image to be made of. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { appendFileSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { until } from '../../test/support/until.ts';
import { runScript } from './script.ts';
import { makeCheckout } from './testing/checkout.ts';
import { whyNot } from './why.ts';

const checkout = makeCheckout();
after(() => checkout[Symbol.dispose]());
checkout.dockerfile('FROM $BASE_IMAGE');
const at = (name: string): string => path.join(checkout.folder, name);

function build(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const { status, stdout, stderr } = spawnSync('bash', [at('container/build.sh'), ...args], {
    env: { PATH: process.env.PATH, ...env },
    encoding: 'utf8',
  });
  return { status, hash: stdout.trim(), said: stderr.trim() };
}
const wanted = (...args: string[]) => build(['--wanted', ...args]);

describe('names', () => {
  for (const tag of [
    '-v',
    'a b',
    'Upper:x',
    'a:b c',
    'x:ü',
    '../../x',
    'a;rm -rf',
    '$(id)',
    'a\nb',
    `x:${'y'.repeat(200)}`,
  ]) {
    test(`an image can't be called ${JSON.stringify(tag.slice(0, 20))}`, () => {
      const { status, said } = wanted('--tag', tag);
      assert.equal(status, 1);
      assert.match(said, /^An image can not be called /);
    });
  }
  for (const tag of ['a', 'a:b', 'registry.example:5000/a/b:1.0_x-Y', 'nanoclaw-agent-v2-12345678:latest']) {
    test(`${tag} is one`, () => assert.equal(wanted('--tag', tag).status, 0));
  }
  test("a base can't be an option", () => {
    assert.match(wanted('--base-image', '-privileged').said, /is no name of an image/);
  });
});

describe('what is to be in it', () => {
  const of = (INSTALL_CHROMIUM: string) => build(['--wanted'], { INSTALL_CHROMIUM });
  test('by the words that mean yes or no', () => {
    for (const word of ['true', '1', 'yes', 'on']) assert.equal(of(word).hash, of('').hash, word);
    for (const word of ['false', '0', 'no', 'off']) assert.equal(of(word).hash, wanted('--no-chromium').hash, word);
  });
  test('another word is refused, not taken for the default', () => {
    const { status, said } = of('maybe');
    assert.deepEqual([status, said.split('.')[0]], [1, 'INSTALL_CHROMIUM is maybe']);
  });
});

describe('certificates', () => {
  const pem = (text: string) => {
    writeFileSync(at('own.pem'), text);
    return at('own.pem');
  };
  const one = '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n';

  test('a bundle that is none, is not there, or is a folder', () => {
    assert.match(wanted('--ca-bundle', pem('hello\n')).said, /There is no certificate in .*own\.pem/);
    assert.match(wanted('--ca-bundle', at('none.pem')).said, /none\.pem can not be read/);
    assert.match(wanted('--ca-bundle', checkout.folder).said, /can not be read/);
  });

  test('one that is named counts as content; one that the environment has does not', () => {
    const plain = wanted().hash;
    const file = pem(one);
    const named = build(['--wanted'], { NANOCLAW_CA_BUNDLE: file }).hash;
    assert.notEqual(named, plain);
    assert.equal(build(['--wanted', '--ca-bundle', file]).hash, named);
    for (const name of ['NODE_EXTRA_CA_CERTS', 'SSL_CERT_FILE'])
      assert.equal(build(['--wanted'], { [name]: file }).hash, plain);
    pem(one + one);
    assert.notEqual(build(['--wanted', '--ca-bundle', file]).hash, named);
  });

  test('a broken one among them is named, before anything is built', () => {
    const made = build(['--ca-bundle', pem(one), '--tag', 'nanoclaw-none:test', '--engine', 'true'], {});
    assert.equal(made.status, 1);
    assert.match(made.said, /One of the certificates in .* is broken/);
    assert.match(readFileSync(at('logs/image.log'), 'utf8'), /broken/, 'and the log has it');
  });
});

describe('content', () => {
  test('settings come from options, the environment and the file, in this order', () => {
    writeFileSync(at('settings'), "INSTALL_CJK_FONTS=true # all three\r\nexport INSTALL_CHROMIUM = 'no'\n");
    const both = wanted('--cjk-fonts', '--no-chromium').hash;
    assert.notEqual(both, wanted().hash);
    assert.equal(wanted('--settings', at('settings')).hash, both);
    assert.equal(build(['--wanted'], { INSTALL_CJK_FONTS: '1', INSTALL_CHROMIUM: 'false' }).hash, both);
    assert.equal(wanted('--settings', at('settings'), '--no-cjk-fonts', '--chromium').hash, wanted().hash);
  });

  test('the Dockerfile and the pinned programs are in it, and nothing else of a checkout', () => {
    const before = wanted().hash;
    writeFileSync(at('README.md'), 'other');
    assert.equal(wanted().hash, before);
    appendFileSync(at('container/Dockerfile'), '# \n');
    const changed = wanted().hash;
    assert.notEqual(changed, before);
    const pins = readFileSync(at('setup/runtimes.tsv'), 'utf8');
    writeFileSync(at('setup/runtimes.tsv'), pins.replaceAll('sha512-', 'sha512-A'));
    assert.notEqual(wanted().hash, changed);
    writeFileSync(at('setup/runtimes.tsv'), pins);
  });
});

describe('the engine', () => {
  before(() => {
    mkdirSync(at('engines'));
    // Both answer, and each has an image already, whatever it is asked for.
    for (const name of ['docker', 'podman']) {
      const script = `#!/bin/sh\necho ${name} "$DOCKER_HOST" "$CONTAINER_HOST" "$@" >>${at('asked')}\n[ "$1" != image ] || exec cat ${at('content')}\n`;
      writeFileSync(at(`engines/${name}`), script, { mode: 0o755 });
    }
    writeFileSync(at('content'), `${wanted('--settings', '/dev/null').hash}\n`);
  });
  const PATH = `${at('engines')}:${process.env.PATH}`;
  const chosen = (args: readonly string[], settings: string, env: Readonly<Record<string, string>> = {}) => {
    writeFileSync(at('asked'), '');
    writeFileSync(at('.env'), settings);
    const { said } = build(args, { PATH, ...env });
    return { said, asked: readFileSync(at('asked'), 'utf8').split('\n').at(-2) ?? '' };
  };

  test('is the one that was chosen for sandboxes, where that listens, and it is said', async () => {
    const socket = at('engine.sock');
    const server = createServer().listen(socket);
    await once(server, 'listening');
    try {
      const settings = `NANOCLAW_RUNTIME=podman\nCONTAINER_HOST=unix://${socket}\nDOCKER_HOST=unix://${at('none')}\n`;
      const podman = chosen([], settings);
      assert.match(podman.said, /is up to date in podman at .*engine\.sock$/);
      assert.ok(podman.asked.startsWith(`podman unix://${socket} unix://${socket} image`), podman.asked);
      const own = chosen(['--engine', 'docker'], `${settings}DOCKER_HOST=unix://${socket}\n`);
      assert.ok(own.asked.startsWith(`docker unix://${socket}`), own.asked);
      const environment = chosen([], settings, { NANOCLAW_RUNTIME: 'docker', DOCKER_HOST: `unix://${socket}` });
      assert.ok(environment.asked.startsWith('docker '), 'the environment comes first');
      assert.match(chosen([], 'NANOCLAW_RUNTIME=bubblewrap\n').said, /is up to date in docker$/);
    } finally {
      server.close();
    }
  });

  test('what is not there is named', () => {
    assert.match(chosen(['--engine', 'dokcer'], '').said, /^There is no command 'dokcer' here\. /);
    assert.match(chosen(['--socket', '/nope'], '').said, /no engine's socket at \/nope, as --socket says/);
    const set = chosen([], 'NANOCLAW_RUNTIME=docker\nDOCKER_HOST=unix:///nope\n').said;
    assert.match(set, /no engine's socket at \/nope, as DOCKER_HOST says/);
    assert.match(chosen([], 'NANOCLAW_RUNTIME=dokcer\n').said, /NANOCLAW_RUNTIME is 'dokcer', which is no engine/);
    writeFileSync(at('.env'), '');
  });
});

test('a mistyped command line is told in one line', () => {
  const cases: [string[], RegExp][] = [
    [['--forse'], /^There is no option '--forse'\. See .*--help`\.$/],
    [['now'], /^'now' was not expected.*--help`\.$/],
    [['--engine'], /^--engine needs a value\. .*--help`\.$/],
    [['--log', '--force'], /^--log needs a value\./],
  ];
  for (const [args, sentence] of cases) {
    const { status, said } = build(args);
    assert.equal(status, 2, said);
    assert.match(said, sentence);
  }
  for (const help of ['-h', '--help']) {
    const { status, hash } = build([help]);
    assert.equal(status, 0);
    assert.match(hash, /^bash container\/build\.sh \[options\]/);
  }
});

test('the log is the owner’s alone, grows as the build goes, and the earlier one is kept; a build that is killed leaves nothing running', async () => {
  mkdirSync(at('slow'));
  const begun = randomBytes(8).toString('hex');
  const docker = `#!/bin/sh\n[ "$1" = build ] || exit 0\necho 'Step 1/2 : RUN ${begun}'\nexec sleep 1000 ${begun.replace(/\D/g, '')}\n`;
  writeFileSync(at('slow/docker'), docker, { mode: 0o755 });
  const log = at('logs/slow.log');
  mkdirSync(at('logs'), { recursive: true });
  writeFileSync(log, 'the earlier one\n', { mode: 0o644 });
  const child = spawn('bash', [at('container/build.sh'), '--engine', 'docker', '--log', log], {
    env: { PATH: `${at('slow')}:${process.env.PATH}` },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  const ended = once(child, 'exit');
  await until(() => said.includes(`step 1/2: RUN ${begun}`));
  assert.ok(readFileSync(log, 'utf8').includes(begun), 'while it goes on');
  assert.equal(statSync(log).mode & 0o777, 0o600);
  assert.equal(readFileSync(`${log}.1`, 'utf8'), 'the earlier one\n');
  assert.equal(statSync(`${log}.1`).mode & 0o777, 0o600);
  child.kill('SIGTERM');
  assert.deepEqual(await ended, [143, null]);
  assert.equal(spawnSync('pgrep', ['-f', `sleep 1000 ${begun.replace(/\D/g, '')}`]).status, 1, 'its command is gone');
  assert.deepEqual(
    readdirSync(at('.runtime')).filter((name) => /^image\.\w{6}/.test(name)),
    [],
  );
});

test('a build that hangs is ended, and tried again as one whose network failed', async () => {
  mkdirSync(at('bin'));
  writeFileSync(at('bin/docker'), '#!/bin/sh\n[ "$1" != build ] || exec sleep 1000\n', { mode: 0o755 });
  const env = { PATH: `${at('bin')}:${process.env.PATH}` };
  const args = ['--engine', 'docker', '--log', at('logs/hung.log')];
  const ran = await runScript({ code: checkout.folder, env }, args, undefined, 1000);
  assert.equal(ran.code, null);
  const { kind, reason } = whyNot(ran.lines);
  assert.equal(kind, 'network');
  assert.match(reason, /The build hung/);
});

/** What container/build.sh refuses before it asks an engine for anything, and what it takes an image to be made of. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, describe, test } from 'node:test';
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
    assert.match(wanted('--base-image', '--privileged').said, /is no name of an image/);
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

  test('no engine, with a sentence', () => {
    const { status, said } = build(['--engine', 'no-such-engine']);
    assert.equal(status, 1);
    assert.match(said, /none of them answers\. Install one and start its engine/);
  });
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

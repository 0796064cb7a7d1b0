import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { until } from '../test/support/until.ts';
import { createLiveEnv, parseEnv, readEnvFile } from './env.ts';
import { NanoError } from './errors.ts';

const readable: [what: string, text: string, values: Record<string, string>][] = [
  ['plain lines', 'A=1\nB=two words\n', { A: '1', B: 'two words' }],
  ['a byte order mark and CRLF', '\uFEFFA=1\r\nB=2\r\n', { A: '1', B: '2' }],
  ['export and blanks around =', 'export A = 1\n  B=2  ', { A: '1', B: '2' }],
  ['comments', '# A=0\nA=1 # one\nB=a#b\nC= # nothing', { A: '1', B: 'a#b' }],
  ['double quotes', 'A="x # y \\"z\\" \\n" # c', { A: 'x # y "z" \n' }],
  ['single quotes', "A='x \\n $HOME'", { A: 'x \\n $HOME' }],
  ['a value with =', 'A=b64==', { A: 'b64==' }],
  ['nothing is expanded', 'A=$(id) `id` $HOME', { A: '$(id) `id` $HOME' }],
  [
    'a name of an object property',
    '__proto__=1\nconstructor=2',
    Object.fromEntries([
      ['__proto__', '1'],
      ['constructor', '2'],
    ]),
  ],
];
for (const [what, text, values] of readable) {
  test(`parseEnv reads ${what}`, () => assert.deepEqual(parseEnv(text), { values, problems: [] }));
}

const unreadable: [what: string, text: string, lines: number[]][] = [
  ['a line without =', 'A=1\nsk-ant-secret', [2]],
  ['a bad name', '1A=x\nA B=y\n=z', [1, 2, 3]],
  ['an open quote', 'A="x', [1]],
  ['text after a quote', `A="x"y\nB='x' y`, [1, 2]],
  ['a name twice', 'A=1\nB=2\nA=3', [3]],
  ['a name twice, once empty', 'A=\nA=3', [2]],
  ['NUL', 'A=a\0b', [1]],
];
for (const [what, text, lines] of unreadable) {
  test(`parseEnv reports ${what}`, () => {
    assert.deepEqual(
      parseEnv(text).problems.map((problem) => problem.line),
      lines,
    );
  });
}

function withFile(content: string | Buffer, mode: number, body: (path: string) => void): void {
  const folder = mkdtempSync(join(tmpdir(), 'env-'));
  try {
    const path = join(folder, '.env');
    writeFileSync(path, content, { mode });
    body(path);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test('readEnvFile leaves process.env alone and is quiet about a private file', () => {
  withFile('NANOCLAW_ENV_TEST=1\n', 0o600, (path) => {
    assert.deepEqual(readEnvFile(path, assert.fail), { NANOCLAW_ENV_TEST: '1' });
    assert.equal(process.env.NANOCLAW_ENV_TEST, undefined);
  });
});

test('readEnvFile takes a missing file as an empty one', () => {
  assert.deepEqual(readEnvFile(join(tmpdir(), 'there-is-no-such.env')), {});
});

test('readEnvFile warns of a file that others may read', () => {
  withFile('A=1', 0o644, (path) => {
    const warnings: string[] = [];
    readEnvFile(path, (sentence) => warnings.push(sentence));
    assert.match(warnings.join('\n'), /^Other users .* `chmod 600 [^\n]*$/);
  });
});

test('readEnvFile names the line of an error and not its content', () => {
  withFile('A=1\nsk-ant-very-secret\n', 0o600, (path) => {
    assert.throws(
      () => readEnvFile(path),
      (error) =>
        error instanceof NanoError &&
        error.code === 'NC_ENV_INVALID' &&
        error.message.includes(`${path}, line 2`) &&
        !error.message.includes('secret'),
    );
  });
});

test('readEnvFile refuses what is not UTF-8, and a folder', () => {
  withFile(Buffer.from([0x41, 0x3d, 0xff]), 0o600, (path) => assert.throws(() => readEnvFile(path), /not UTF-8/));
  assert.throws(() => readEnvFile(tmpdir()), /not a file/);
});

test('a change of the file is seen; one that can not be read is told once, and what was there before stays', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'nanoclaw-env-'));
  const file = join(folder, '.env');
  const told: string[] = [];
  const env = createLiveEnv(file, { A: 'base', B: 'base' }, (sentence) => told.push(sentence));
  assert.deepEqual([env().A, env().B], ['base', 'base']);
  writeFileSync(file, 'A=first\n', { mode: 0o600 });
  assert.deepEqual([env().A, env().B], ['first', 'base']);
  writeFileSync(file, 'A=second\nbroken line\n');
  assert.equal(env().A, 'first');
  assert.equal(env().A, 'first');
  assert.equal(told.length, 1);
  assert.match(told[0] ?? '', /line 2/);
  writeFileSync(file, 'A=third, and longer\n');
  assert.equal(env().A, 'third, and longer');
  rmSync(file);
  await until(() => env().A === 'base');
  rmSync(folder, { recursive: true });
});

test('a file that an editor has emptied, and is about to write, takes no key away', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'nanoclaw-env-'));
  const file = join(folder, '.env');
  writeFileSync(file, 'A=first\nB=first\n', { mode: 0o600 });
  const env = createLiveEnv(file, {}, assert.fail);
  writeFileSync(file, '');
  assert.equal(env().A, 'first');
  writeFileSync(file, 'A=x\n');
  assert.equal(env().A, 'first', 'it may not be all');
  writeFileSync(file, 'A=second\nB=second\n');
  assert.deepEqual([env().A, env().B], ['second', 'second']);
  writeFileSync(file, '');
  await until(() => env().A === undefined);
  writeFileSync(file, 'A=third, and longer\n');
  assert.equal(env().A, 'third, and longer');
  // Written a while ago by whoever did: nobody is at it any more.
  writeFileSync(file, 'A=4\n');
  utimesSync(file, new Date(), new Date(Date.now() - 60_000));
  assert.equal(env().A, '4');
  rmSync(folder, { recursive: true });
});

test('a file that can not even be looked at is told once, and what was there before stays', () => {
  const folder = mkdtempSync(join(tmpdir(), 'nanoclaw-env-'));
  const file = join(folder, '.env');
  writeFileSync(file, 'A=first\n', { mode: 0o600 });
  const told: string[] = [];
  const env = createLiveEnv(file, {}, (sentence) => told.push(sentence));
  rmSync(file);
  symlinkSync('.env', file);
  assert.deepEqual([env().A, env().A], ['first', 'first']);
  assert.equal(told.length, 1);
  assert.match(told[0] ?? '', /ELOOP/);
  rmSync(file);
  writeFileSync(file, 'A=second\n', { mode: 0o600 });
  assert.equal(env().A, 'second');
  rmSync(folder, { recursive: true });
});

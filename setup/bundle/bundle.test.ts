import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { CODE, startHost } from '../../test/support/host-process.ts';
import { until } from '../../test/support/until.ts';

/** A small checkout, whose host says what it is made of. */
const FILES = {
  'pnpm-lock.yaml': '',
  'protocol/package.json': '{}',
  'vault/package.json': '{}',
  'package.json': '{"type":"module"}',
  'node_modules/croner/package.json': '{"name":"croner","type":"module","main":"index.js"}',
  'node_modules/croner/index.js': "export const version = 'old';\n",
  'src/errors.ts': 'export class NanoError extends Error {}\n',
  'src/counter.ts':
    'let count = 0;\nexport const next = (): number => (count += 1);\nexport const place = import.meta.url;\n',
  'src/word.ts': "export const word: string = 'one';\n",
  'src/start.ts': `import { pathToFileURL } from 'node:url';
import { version } from 'croner';
import { next, place } from './counter.ts';
import { NanoError } from './errors.ts';
import { word } from './word.ts';
interface Said { word: string }
export async function start(code: string): Promise<void> {
  const from = (path: string) => pathToFileURL(code + '/' + path).href;
  const said: Said & Record<string, unknown> = { word, first: next(), place, version };
  const channel = await import(from('channels/one/index.ts'));
  said.second = channel.count();
  said.helper = channel.helper;
  said.stack = await import(from('cli/commands/index.ts')).then((commands) => commands.fail());
  said.inside = await import(from('src/counter.ts')).then(() => 'a second copy', (error: Error) => error.message);
  const elsewhere = process.env.ELSEWHERE ? await import(process.env.ELSEWHERE) : {};
  said.elsewhere = elsewhere.fail?.() instanceof NanoError && elsewhere.next?.();
  said.late = process.env.LATE ? await new Promise((done) => process.stdin.once('data', () => done(import('./late.ts')))) : '';
  process.stdout.write(JSON.stringify(said) + '\\n');
  process.exit(0);
}
`,
  'src/late.ts': "export const late = 'late';\n",
  'cli/commands/index.ts': `type Lines = readonly string[];



export function fail(): string { try { return new URL('?').href; } catch (error) { return (error as Error).stack ?? ''; } }
`,
  'channels/one/package.json': '{"type":"module","dependencies":{"helper":"1"}}',
  'channels/one/node_modules/helper/package.json': '{"name":"helper","type":"module","main":"index.js"}',
  'channels/one/node_modules/helper/index.js': "export const helper = 'of the channel';\n",
  'channels/one/index.ts': `import { helper } from 'helper';
import { next } from '../../src/counter.ts';
export const count = next;
export { helper };
`,
  'providers/none/README.md': '',
  'index.ts': `import { useBundle } from './setup/bundle/use.ts';
const root = import.meta.dirname;
const host = await import((await useBundle(root)) ?? './src/start.ts');
await host.start(root);
`,
};

interface Said {
  word: string;
  first: number;
  second: number;
  place: string;
  helper: string;
  stack: string;
  inside: string;
  version: string;
  elsewhere: unknown;
  late: unknown;
}

function checkout(t: TestContext, name = 'checkout'): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'nanoclaw-bundle-')));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const root = join(folder, name);
  for (const [path, text] of Object.entries(FILES)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  mkdirSync(join(root, 'setup'));
  for (const path of ['setup/bundle', 'src/processes.ts']) {
    cpSync(join(CODE, path), join(root, path), { recursive: true, filter: (file) => !file.includes('.test.') });
  }
  mkdirSync(join(root, '.runtime/bin'), { recursive: true });
  symlinkSync(join(CODE, '.runtime/bin/bun'), join(root, '.runtime/bin/bun'));
  return root;
}

function run(root: string, env: Record<string, string> = {}, cwd?: string): Said & { stderr: string } {
  const { stdout, stderr, status } = spawnSync(process.execPath, [join(root, 'index.ts')], {
    encoding: 'utf8',
    env: { PATH: process.env.PATH, ...env },
    cwd,
  });
  assert.equal(status, 0, stderr);
  return { ...JSON.parse(stdout), stderr };
}

/** As if it had been a minute ago: builds that are young stay, whoever they are of. */
function later(root: string): void {
  const then = new Date(Date.now() - 120_000);
  for (const name of builds(root)) utimesSync(join(root, '.runtime/host', name), then, then);
}

const builds = (root: string) => readdirSync(join(root, '.runtime/host')).filter((name) => name.startsWith('build-'));
const newest = (root: string) => readlinkSync(join(root, '.runtime/host/current'));

test('what is imported by a path is the same that the bundle has; packages are those of the channel', (t) => {
  const root = checkout(t);
  const said = run(root);
  assert.equal(said.stderr, '');
  assert.deepEqual([said.first, said.second], [1, 2], 'one counter, not two');
  assert.equal(said.helper, 'of the channel');
  assert.equal(said.place, `file://${root}/src/counter.ts`, 'a module keeps its place');
  assert.match(said.inside, /src\/counter\.ts is in the host's bundle already/);
  // Without it all is the same, but that a file may be loaded alone.
  const plain = run(root, { NANOCLAW_FROM_SOURCE: '1' });
  const same = { inside: '', stack: '' };
  assert.deepEqual({ ...plain, ...same }, { ...said, ...same });
});

test("a stack names the sources' lines, wherever the checkout lies; Node's own errors keep their code", (t) => {
  for (const name of ['checkout', 'a $$ (copy): $& ä #%41']) {
    const root = checkout(t, name);
    const { stack, place, stderr } = run(root);
    assert.equal(stderr, '');
    assert.equal(place, pathToFileURL(join(root, 'src/counter.ts')).href);
    assert.match(stack, /^TypeError \[ERR_INVALID_URL\]: Invalid URL\n/);
    assert.ok(stack.includes(`fail (${pathToFileURL(join(root, 'cli/commands/index.ts')).href}:5)`), stack);
    assert.doesNotMatch(stack, /build-/);
  }
});

test('it is made once, and anew when a source is another one', (t) => {
  const root = checkout(t);
  run(root);
  const first = newest(root);
  run(root);
  assert.equal(newest(root), first);
  const word = join(root, 'src/word.ts');
  later(root);
  // Of the same length, and with the time of before.
  const then = new Date('2026-01-01T00:00:00Z');
  utimesSync(word, then, then);
  run(root);
  const second = newest(root);
  writeFileSync(word, "export const word: string = 'two';\n");
  utimesSync(word, then, then);
  const said = run(root);
  assert.equal(said.word, 'two');
  assert.notEqual(newest(root), second);
  assert.ok(builds(root).includes(second), 'a host may just have found it');
  later(root);
  writeFileSync(word, "export const word: string = 'three';\n");
  run(root);
  assert.ok(!builds(root).includes(second));
});

test('a package that is another one is seen, also when it comes after its lockfile', (t) => {
  const root = checkout(t);
  assert.equal(run(root).version, 'old');
  writeFileSync(join(root, 'pnpm-lock.yaml'), 'new');
  assert.equal(run(root).version, 'old');
  writeFileSync(join(root, 'node_modules/croner/index.js'), "export const version = 'new';\n");
  assert.equal(run(root).version, 'new');
});

test('a build that lost a file, or part of one, is made anew', (t) => {
  const root = checkout(t);
  run(root);
  for (const harm of [(file: string) => rmSync(file), (file: string) => writeFileSync(file, '')]) {
    const broken = newest(root);
    harm(join(root, '.runtime/host', broken, 'src/start.js'));
    assert.equal(run(root).first, 1);
    assert.notEqual(newest(root), broken);
  }
});

test('a channel from elsewhere throws errors that the host knows, and may use what else it likes', (t) => {
  const root = checkout(t);
  const own = join(dirname(root), 'own.ts');
  writeFileSync(
    own,
    `import { NanoError } from './checkout/src/errors.ts';
export { next } from './checkout/src/counter.ts';
export const fail = () => new NanoError('a word');
`,
  );
  assert.equal(run(root, { ELSEWHERE: own }).elsewhere, 1, 'its own counter');
});

test('the working folder gives Bun no orders', (t) => {
  const root = checkout(t);
  const home = dirname(root);
  writeFileSync(join(home, 'bunfig.toml'), 'preload = ["./order.ts"]\n');
  writeFileSync(join(home, 'order.ts'), `require('node:fs').writeFileSync('${home}/obeyed', '');\n`);
  assert.equal(run(root, {}, home).stderr, '');
  assert.equal(existsSync(join(home, 'obeyed')), false);
});

test("Bun gets nothing of the host's environment", (t) => {
  const root = checkout(t);
  const bun = join(root, '.runtime/bin/bun');
  const seen = join(root, 'seen');
  rmSync(bun);
  writeFileSync(bun, `#!/bin/sh\nenv >'${seen}'\nexec '${join(CODE, '.runtime/bin/bun')}' "$@"\n`, { mode: 0o755 });
  assert.equal(run(root, { TELEGRAM_BOT_TOKEN: 'a secret', BUN_OPTIONS: '--nonsense' }).stderr, '');
  const names = readFileSync(seen, 'utf8').match(/^\w+(?==)/gm) ?? [];
  // A shell has these of its own.
  assert.deepEqual(
    names.filter((name) => !['PWD', 'OLDPWD', 'SHLVL', '_'].includes(name)),
    ['PATH'],
  );
});

test('hosts that start at once after a change: each from a whole bundle', async (t) => {
  const root = checkout(t);
  const one = async () => {
    const child = spawn(process.execPath, [join(root, 'index.ts')], { env: { PATH: process.env.PATH } });
    let said = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (said += chunk.toString()));
    const [status] = await once(child, 'close');
    assert.equal(status, 0, said);
    return { ...JSON.parse(said), said };
  };
  for (let round = 0; round < 6; round += 1) {
    writeFileSync(join(root, 'src/word.ts'), `export const word: string = 'round ${round}';\n`);
    if (round % 2 === 1) later(root);
    for (const { word, inside, said } of await Promise.all(Array.from({ length: 4 }, one))) {
      assert.equal(word, `round ${round}`, said);
      assert.match(inside, /in the host's bundle/, 'it runs from one');
    }
  }
});

test('a channel more, a channel less, a moved checkout: made anew', (t) => {
  const root = checkout(t);
  run(root);
  const first = newest(root);
  mkdirSync(join(root, 'channels/two'));
  writeFileSync(join(root, 'channels/two/index.ts'), "export const two = 'two';\n");
  run(root);
  const second = newest(root);
  assert.notEqual(second, first);
  assert.ok(existsSync(join(root, '.runtime/host', second, 'channels/two/index.js')));
  // In a folder that was there: what wasn't there counts as well.
  writeFileSync(join(root, 'providers/none/host.ts'), "export const late = 'late';\n");
  run(root);
  const third = newest(root);
  assert.ok(existsSync(join(root, '.runtime/host', third, 'providers/none/host.js')));
  rmSync(join(root, 'channels/two'), { recursive: true });
  run(root);
  assert.notEqual(newest(root), third);

  const moved = `${root}-moved`;
  cpSync(root, moved, { recursive: true, preserveTimestamps: true, verbatimSymlinks: true });
  t.after(() => rmSync(moved, { recursive: true, force: true }));
  assert.equal(run(moved).place, `file://${moved}/src/counter.ts`);
});

test('what runs keeps what it loads late, although a newer one was made', async (t) => {
  const root = checkout(t);
  const early = spawn(process.execPath, [join(root, 'index.ts')], {
    env: { PATH: process.env.PATH, LATE: '1' },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  t.after(() => early.kill('SIGKILL'));
  await until(() => existsSync(join(root, '.runtime/host/current')) && users(root, newest(root)) > 0);
  const first = newest(root);
  for (const word of ['later', 'latest']) {
    writeFileSync(join(root, 'src/late.ts'), `export const late = '${word}';\n`);
    run(root);
    later(root);
  }
  assert.ok(builds(root).includes(first));
  let output = '';
  early.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString();
  });
  early.stdin.write('now\n');
  await once(early, 'exit');
  assert.deepEqual(JSON.parse(output).late, { late: 'late' });
  assert.equal(users(root, first), 0, 'it has taken itself off the list');
  writeFileSync(join(root, 'src/late.ts'), "export const late = 'last of all';\n");
  run(root);
  assert.ok(!builds(root).includes(first));
});

function users(root: string, build: string): number {
  const folder = join(root, '.runtime/host', build, 'users');
  return existsSync(folder) ? readdirSync(folder).length : 0;
}

test('where none can be made, the sources run, and a line says so', (t) => {
  const root = checkout(t);
  rmSync(join(root, '.runtime/bin/bun'));
  const { stderr, word } = run(root);
  assert.equal(word, 'one');
  assert.match(stderr, /^The host starts from its sources, which takes a moment longer: .*ENOENT\n$/);
  assert.deepEqual(builds(root), []);
});

test('a broken source is said by its own name; a bundle that was cut short is made anew', (t) => {
  const root = checkout(t);
  run(root);
  writeFileSync(join(root, '.runtime/host', newest(root), 'manifest.json'), '{"root"');
  assert.equal(run(root).first, 1);

  const word = join(root, 'src/word.ts');
  writeFileSync(word, 'export const word = ;\n');
  const { status, stderr } = spawnSync(process.execPath, [join(root, 'index.ts')], { encoding: 'utf8' });
  assert.equal(status, 1);
  assert.ok(stderr.includes('src/word.ts'), stderr);
  assert.equal(builds(root).length, 2, 'nothing is left of the attempt');
  assert.equal(stderr.split('\n', 1)[0]?.startsWith('The host starts from its sources'), true, stderr);
});

test('the real host is few files, of which none is TypeScript but those that find it', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'nanoclaw-imports-'));
  const list = join(folder, 'imports');
  // Whoever is the first makes it.
  await (await startHost())[Symbol.asyncDispose]();
  await using host = await startHost({
    node: ['--import', join(CODE, 'test/support/note-imports.mjs')],
    environment: { NANOCLAW_TEST_IMPORTS: list },
  });
  const terminal = await host.terminal();
  assert.ok((await terminal.ask('ping')).length > 0);
  const files = readFileSync(list, 'utf8')
    .split('\n')
    .filter((url) => url.startsWith(`file://${CODE}/`))
    .map((url) => url.slice(`file://${CODE}/`.length));
  const sources = files.filter((file) => file.endsWith('.ts'));
  assert.deepEqual([...new Set(sources)].sort(), [
    'setup/bundle/manifest.ts',
    'setup/bundle/source-lines.ts',
    'setup/bundle/stacks.ts',
    'setup/bundle/use.ts',
    'setup/bundle/users.ts',
    'src/index.ts',
    'src/processes.ts',
  ]);
  assert.ok(files.length < 100, `${files.length} files`);
  rmSync(folder, { recursive: true, force: true });
});

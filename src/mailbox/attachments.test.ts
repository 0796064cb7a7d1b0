import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { dropOutbox, safeName, takeIn, takeOut } from './attachments.ts';
import { createBoxes } from './test-boxes.ts';

const boxes = createBoxes();
after(() => execFileSync('rm', ['-rf', boxes.root]));
const MAX = 1000;

function outboxOf(box: string, messageId: string): string {
  const folder = join(box, 'outbox', messageId);
  fs.mkdirSync(folder, { recursive: true });
  return folder;
}

test('a safe name is one component, whatever it is made from', () => {
  const cases: readonly (readonly [string, string])[] = [
    ['report.pdf', 'report.pdf'],
    ['../../etc/passwd', 'passwd'],
    ['C:\\Users\\me\\photo of us.jpg', 'photo of us.jpg'],
    ['.bashrc', 'bashrc'],
    ['-rf', 'rf'],
    ['..', 'file'],
    ['', 'file'],
    ['a\u0000b\nc\u001b[2J.txt', 'a\uFFFDbc[2J.txt'],
    ['invoice\u202Efdp.exe', 'invoicefdp.exe'],
    ['$(rm -rf ~);`x`.sh', '_(rm -rf ~)__x_.sh'],
    ['Übung ☕ 日本.docx', 'Übung ☕ 日本.docx'],
    ['a/', 'file'],
    ['CON', '_CON'],
    ['nul.tar.gz', '_nul.tar.gz'],
    ['com1 .txt', '_com1 .txt'],
    ['console.log', 'console.log'],
    ['a.txt:hidden.exe', 'a.txt_hidden.exe'],
  ];
  for (const [name, expected] of cases) assert.equal(safeName(name, 'file'), expected, JSON.stringify(name));
  assert.match(safeName(`${'ü'.repeat(500)}.tar.gz`, 'file'), /^ü+\.tar\.gz$|^ü+\.gz$/);
  fc.assert(
    fc.property(
      fc.string({ unit: fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit)) }),
      (name) => {
        const safe = safeName(name, 'file');
        assert.ok(safe !== '' && Buffer.byteLength(safe) <= 200);
        assert.doesNotMatch(safe, /^[.\-~\s]|[/\\\p{Cc}\p{Cf}]/u);
        assert.equal(safe.isWellFormed(), true);
        assert.equal(safeName(safe, 'file'), safe, 'a safe name stays as it is');
      },
    ),
  );
});

test('a file is moved in, readable for the agent, under a name of its own', async () => {
  const inbound = boxes.make();
  const make = (name: string) => {
    const path = join(boxes.root, name);
    fs.writeFileSync(path, name, { mode: 0o600 });
    return path;
  };
  const first = make('upload-1');
  const base = { type: 'file', name: '../same.txt' };
  assert.deepEqual(await takeIn(inbound, 'm1', 0, { ...base, localPath: first, mimeType: 'text/plain', size: 999 }), {
    type: 'file',
    name: 'same.txt',
    path: 'inbox/m1/1-same.txt',
    mimeType: 'text/plain',
    size: 8,
  });
  const second = await takeIn(inbound, 'm1', 1, { ...base, localPath: make('upload-2') });
  assert.equal(second.path, 'inbox/m1/2-same.txt');
  assert.equal(fs.readFileSync(join(inbound, 'inbox/m1/2-same.txt'), 'utf8'), 'upload-2');
  assert.equal(fs.statSync(join(inbound, 'inbox/m1/1-same.txt')).mode & 0o777, 0o644);
  assert.ok(fs.existsSync(first), 'another agent may be meant, too');
});

test('what it is said to be is a plain word, or nothing', async () => {
  const inbound = boxes.make();
  const cases = [
    ['image', 'image/PNG', { type: 'image', mimeType: 'image/png' }],
    ['file', 'text/plain; charset=utf-8', { type: 'file', mimeType: 'text/plain' }],
    [
      'file',
      'application/vnd.oasis.opendocument.text',
      { type: 'file', mimeType: 'application/vnd.oasis.opendocument.text' },
    ],
    ['a" path="/etc/passwd', 'text/html\r\nX: y', { type: 'file' }],
    ['x'.repeat(33), '../../x', { type: 'file' }],
    ['', '', { type: 'file' }],
  ] as const;
  for (const [at, [type, mimeType, expected]] of cases.entries()) {
    const localPath = join(boxes.root, `typed-${at}`);
    fs.writeFileSync(localPath, '');
    const { name, path, size, ...said } = await takeIn(inbound, 'm1', at, { type, mimeType, name: 'x', localPath });
    assert.deepEqual({ ...said, name, path, size }, { ...expected, name: 'x', path: `inbox/m1/${at + 1}-x`, size: 0 });
  }
});

test("an agent of another uid may read it, however narrow the host's umask is", async () => {
  const before = process.umask(0o077);
  try {
    const localPath = join(boxes.root, 'private');
    fs.writeFileSync(localPath, 'x');
    const inbound = join(boxes.root, 'narrow');
    fs.mkdirSync(inbound);
    const { path } = await takeIn(inbound, 'm7', 0, { type: 'file', name: 'a.txt', localPath });
    const modes = ['inbox', 'inbox/m7', String(path)].map((part) => fs.statSync(join(inbound, part)).mode & 0o777);
    assert.deepEqual(modes, [0o755, 0o755, 0o644]);
  } finally {
    process.umask(before);
  }
});

test('what is no file, or too large, is not taken', async () => {
  const inbound = boxes.make();
  const large = join(boxes.root, 'large');
  fs.writeFileSync(large, '');
  fs.truncateSync(large, 100 * 1024 * 1024 + 1);
  const link = join(boxes.root, 'link-in');
  fs.symlinkSync('/etc/hostname', link);
  const base = { type: 'file', name: 'x' };
  await assert.rejects(takeIn(inbound, 'm1', 0, { ...base, localPath: large }), { code: 'NC_MESSAGE_TOO_LARGE' });
  await assert.rejects(takeIn(inbound, 'm1', 0, { ...base, localPath: link }), { code: 'NC_INTERNAL' });
  await assert.rejects(takeIn(inbound, 'm1', 0, { ...base, localPath: '/nowhere' }), { code: 'ENOENT' });
  assert.ok(fs.existsSync(large));
});

test('a file is copied out; two names that become one stay two files', async () => {
  const box = boxes.make();
  const to = join(boxes.root, 'out');
  const outbox = outboxOf(box, 'o1');
  fs.writeFileSync(join(outbox, 'a?b.txt'), 'one');
  fs.writeFileSync(join(outbox, 'a*b.txt'), 'other');
  const path = join(to, 'a_b.txt');
  assert.deepEqual(await takeOut(box, 'o1', 'a?b.txt', to, MAX), { name: 'a_b.txt', path, size: 3 });
  assert.deepEqual(await takeOut(box, 'o1', 'a*b.txt', to, MAX), {
    name: 'a_b.txt',
    path: join(to, '2-a_b.txt'),
    size: 5,
  });
  assert.equal(fs.readFileSync(join(to, '2-a_b.txt'), 'utf8'), 'other');
});

test('nothing but a small regular file of its own comes out', async () => {
  const box = boxes.make();
  const outbox = outboxOf(box, 'o1');
  const to = join(boxes.root, 'refused');
  const inOutbox = (name: string) => join(outbox, name);
  fs.symlinkSync('/etc/shadow', inOutbox('link'));
  execFileSync('mkfifo', [inOutbox('fifo')]);
  fs.mkdirSync(inOutbox('folder'));
  fs.writeFileSync(inOutbox('large'), 'x'.repeat(MAX + 1));
  fs.writeFileSync(inOutbox('right'), 'x');
  fs.linkSync(inOutbox('right'), inOutbox('hard'));
  fs.writeFileSync(inOutbox('endless'), '');
  fs.truncateSync(inOutbox('endless'), 900 * 2 ** 30);
  fs.symlinkSync('/etc', join(box, 'outbox', 'o2'));
  const cases: readonly (readonly [string, string, RegExp])[] = [
    ['o1', 'link', /link/],
    ['o1', 'fifo', /regular/],
    ['o1', 'folder', /regular/],
    ['o1', 'large', /1001 bytes/],
    ['o1', 'endless', /bytes/],
    ['o1', 'hard', /second name/],
    ['o1', 'missing', /no such/],
    ['o1', '../o1/right', /not the name/],
    ['o1', '..', /not the name/],
    ['o1', '', /not the name/],
    ['o1', 'a\0b', /not the name/],
    ['o2', 'hostname', /link/],
    ['..', 'right', /not the name/],
  ];
  for (const [messageId, name, reason] of cases) {
    const result = await takeOut(box, messageId, name, to, MAX);
    assert.match('error' in result ? result.error : 'taken', reason, `${messageId}/${name}`);
  }
  assert.equal(fs.existsSync(to) && fs.readdirSync(to).length > 0, false);
});

test('an outbox goes with all that is in it, and nothing outside of it', async () => {
  const box = boxes.make();
  const outbox = outboxOf(box, 'o1');
  const kept = join(outboxOf(box, 'o2'), 'kept');
  const outside = join(boxes.root, 'outside');
  fs.writeFileSync(kept, 'x');
  fs.mkdirSync(outside);
  fs.writeFileSync(join(outside, 'kept'), 'x');
  fs.symlinkSync(outside, join(outbox, 'link'));
  execFileSync('mkfifo', [join(outbox, 'fifo')]);
  fs.writeFileSync(join(outbox, 'line\nbreak\u001b[2J'), 'x');
  fs.writeFileSync(Buffer.concat([Buffer.from(`${outbox}/`), Buffer.from([0xff, 0xfe, 0x80])]), 'no UTF-8');
  fs.mkdirSync(join(outbox, 'locked', 'inner'), { recursive: true });
  fs.writeFileSync(join(outbox, 'locked', 'inner', 'x'), 'x');
  fs.chmodSync(join(outbox, 'locked', 'inner'), 0);
  fs.chmodSync(join(outbox, 'locked'), 0);
  await dropOutbox(box, 'o1');
  assert.deepEqual(fs.readdirSync(join(box, 'outbox')), ['o2']);
  assert.ok(fs.existsSync(kept) && fs.existsSync(join(outside, 'kept')));
  await dropOutbox(box, 'o1');
  await dropOutbox(boxes.make(), 'o1');
  await assert.rejects(dropOutbox(box, '..'));
});

test('folders in folders, deeper than any path can be', async () => {
  const box = boxes.make();
  const outbox = outboxOf(box, 'o1');
  const name = 'd'.repeat(250);
  const script = `cd "$1" && for i in $(seq 300); do mkdir ${name} && cd ${name} && : > file; done`;
  execFileSync('bash', ['-c', script, 'deep', outbox]);
  await dropOutbox(box, 'o1');
  assert.deepEqual(fs.readdirSync(join(box, 'outbox')), []);
});

test('an agent that swaps folders for links while they are removed gains nothing', async () => {
  const box = boxes.make();
  const victim = join(boxes.root, 'victim');
  fs.mkdirSync(victim);
  for (let count = 0; count < 200; count++) fs.writeFileSync(join(victim, `v${count}`), 'x');
  const outbox = outboxOf(box, 'o1');
  const script = `cd "$1"; ln -s "$2" "$1/../../link"; while :; do mkdir -p a/b; : > a/b/v1; mv a c; cp -P ../../link a; rm -rf a c; done`;
  const swapper = spawn('bash', ['-c', script, 'swapper', outbox, victim], { stdio: 'ignore' });
  for (let count = 0; count < 100; count++) {
    fs.mkdirSync(join(outbox, `d${count}`, 'e'), { recursive: true });
    // It may give up when the agent is quicker; it must not remove anything else.
    await dropOutbox(box, 'o1').catch((error: unknown) => assert.ok(error instanceof Error));
    fs.mkdirSync(outbox, { recursive: true });
  }
  const ended = new Promise((resolve) => swapper.on('exit', resolve));
  swapper.kill('SIGKILL');
  await ended;
  assert.equal(fs.readdirSync(victim).length, 200);
});

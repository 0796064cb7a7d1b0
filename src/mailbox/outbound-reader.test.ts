import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { appendFileSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, type TestContext, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { MAX_DRAFT_BYTES } from '@nanoclaw/protocol';
import { createOutboundReader, type OutboundReaderOptions } from './outbound-reader.ts';
import { createBoxes, openBox, say, TIME } from './test-boxes.ts';

const boxes = createBoxes();
// So that what a reader leaves behind can be counted.
process.env.TMPDIR = boxes.make();
after(() => boxes.remove());

function createReader(t: TestContext, options: Partial<OutboundReaderOptions> = {}) {
  const logged: string[] = [];
  const reader = createOutboundReader({ log: (_level, message) => logged.push(message), ...options });
  t.after(() => reader.stop());
  return { reader, logged };
}

/** The reader processes that this process has started. */
function readerPids(): number[] {
  const children = readFileSync(`/proc/${process.pid}/task/${process.pid}/children`, 'utf8').trim().split(' ');
  const isReader = (pid: string) => pid !== '' && commandOf(pid).includes('reader/main.ts');
  return children.filter(isReader).map(Number);
}

function commandOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}

async function until(condition: () => boolean): Promise<void> {
  const deadline = Date.now() + 30_000;
  while (!condition()) {
    assert.ok(Date.now() < deadline, 'in time');
    await pause(5);
  }
}

test('everything that a runner writes comes over', async (t) => {
  const { reader } = createReader(t);
  const box = boxes.make();
  const db = openBox(box);
  const long = JSON.stringify({ text: '👩‍👩‍👧 \u0000 \ud800 </message>\n', files: ['a b.txt'] });
  db.prepare('INSERT INTO messages_out VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)').run(
    ...['o_1-A', 3, 'm1', TIME, TIME, 'chat', 'p', 'terminal', 't', long],
  );
  say(db, 'before', 1);
  const error = JSON.stringify({ class: 'network', retryable: true, message: 'cut', tries: 2 });
  db.prepare('INSERT INTO processing_ack VALUES (?, ?, ?, ?)').run('m1', 'failed', TIME, error);
  db.prepare('INSERT INTO container_state VALUES (1, ?, ?)').run('turn', TIME);
  db.prepare('INSERT INTO tools_in_flight VALUES (?, ?, ?, ?)').run('toolu_1', 'Bash', TIME, 1e12);
  db.close();
  assert.deepEqual(await reader.read(box, 1), {
    status: 'ok',
    snapshot: {
      messages: [
        {
          id: 'o_1-A',
          seq: 3,
          in_reply_to: 'm1',
          timestamp: TIME,
          deliver_after: TIME,
          kind: 'chat',
          platform_id: 'p',
          channel_type: 'terminal',
          thread_id: 't',
          content: long,
        },
      ],
      acks: [{ message_id: 'm1', status: 'failed', status_changed: TIME, error }],
      phase: { phase: 'turn', updated_at: TIME },
      tools: [{ id: 'toolu_1', tool: 'Bash', started_at: TIME, declared_timeout_ms: 86_400_000 }],
      more: false,
    },
  });
});

test('an answer that is still being written comes over; what is none, or too long, is refused', async (t) => {
  const { reader } = createReader(t);
  const draft = JSON.stringify({ answers: ['m1'], text: 'x'.repeat(MAX_DRAFT_BYTES) });
  const cases: [value: string | Uint8Array, isGood: boolean][] = [
    [draft, true],
    [draft.replace('xx', 'xxx'), false],
    ['{"answers":["m1"],"text":""}', false],
    ['{"answers":[],"text":"x"}', false],
    ['garbage', false],
    [`{"answers":["m1"],"text":"x"${' '.repeat(500_000)}}`, false],
    [new Uint8Array([1, 2]), false],
  ];
  for (const [value, isGood] of cases) {
    const box = boxes.make();
    const db = openBox(box);
    say(db, 'a', 1);
    db.prepare('INSERT INTO session_state VALUES (?, ?, ?)').run('draft', value, TIME);
    db.close();
    const result = await reader.read(box, 0);
    assert.equal(result.status, isGood ? 'ok' : 'hostile', String(value).slice(0, 50));
    if (isGood) assert.equal(result.status === 'ok' && result.snapshot.draft, draft);
  }
});

test('what goes on behind the turns comes over; what is none, or too much, is refused', async (t) => {
  const { reader } = createReader(t);
  const job = { id: 'a', what: 'Count', asked: 'm1' };
  const cases: [value: string | Uint8Array, isGood: boolean][] = [
    [JSON.stringify([job]), true],
    [JSON.stringify(Array.from({ length: 51 }, () => job)), false],
    [JSON.stringify([{ ...job, what: 'x'.repeat(121) }]), false],
    [JSON.stringify([{ ...job, asked: { deep: [] } }]), false],
    ['[', false],
    [`[${' '.repeat(200_000)}]`, false],
    [new Uint8Array([1, 2]), false],
  ];
  for (const [value, isGood] of cases) {
    const box = boxes.make();
    const db = openBox(box);
    db.prepare('INSERT INTO session_state VALUES (?, ?, ?)').run('background', value, TIME);
    db.close();
    const result = await reader.read(box, 0);
    assert.equal(result.status, isGood ? 'ok' : 'hostile', String(value).slice(0, 50));
    if (isGood) assert.deepEqual(result.status === 'ok' && result.snapshot.background, [job]);
  }
});

test('many messages come in pages, by number and by size', async (t) => {
  const { reader } = createReader(t);
  const box = boxes.make();
  const db = openBox(box);
  db.exec('BEGIN');
  for (let seq = 1; seq <= 499; seq += 2) say(db, `m${seq}`, seq);
  for (let seq = 501; seq <= 507; seq += 2) say(db, `m${seq}`, seq, JSON.stringify({ text: 'x'.repeat(700_000) }));
  db.exec('COMMIT');
  db.close();
  const pages: number[] = [];
  let seq = 0;
  for (let more = true; more; ) {
    const found = await reader.read(box, seq);
    assert.equal(found.status, 'ok');
    if (found.status !== 'ok') return;
    pages.push(found.snapshot.messages.length);
    seq = found.snapshot.messages.at(-1)?.seq ?? seq;
    more = found.snapshot.more;
  }
  assert.equal(seq, 507);
  assert.deepEqual(pages, [100, 100, 52, 2]);
});

test('a file that the runner made with Bun is read by Node, to the letter of its schema', async (t) => {
  const { reader } = createReader(t);
  const box = boxes.make();
  const helper = fileURLToPath(new URL('./test-boxes.ts', import.meta.url));
  const script = `import { openBox, say } from ${JSON.stringify(helper)}; say(openBox(process.argv[1]), 'b', 1)`;
  const made = spawnSync('bun', ['-e', script, box], { encoding: 'utf8' });
  assert.equal(made.status, 0, made.stderr);
  const found = await reader.read(box, 0);
  assert.equal(found.status === 'ok' && found.snapshot.messages[0]?.id, 'b', JSON.stringify(found));
});

/** Leaves five hundred rows, and a journal of a transaction that would have changed them all. */
function killInMidCommit(box: string): void {
  const writer = fileURLToPath(new URL('../../protocol/test/writer.ts', import.meta.url));
  const died = spawnSync(process.execPath, [writer, 'die', join(box, 'outbound.db'), 'w', '0']);
  assert.equal(died.signal, 'SIGKILL');
}

test('a writer killed in mid-commit: busy, then recovered in a private copy, and nothing is touched', async (t) => {
  const { reader } = createReader(t);
  const box = boxes.make();
  killInMidCommit(box);
  const files = () => ['outbound.db', 'outbound.db-journal'].map((name) => readFileSync(join(box, name)));
  const before = files();
  assert.deepEqual(await reader.read(box, 0), { status: 'busy' });
  const found = await reader.read(box, 899, { recover: true });
  assert.equal(found.status, 'ok');
  if (found.status !== 'ok') return;
  assert.equal(found.snapshot.messages.length, 50);
  assert.ok(found.snapshot.messages.every((row) => row.content.includes('committed')));
  assert.deepEqual(files(), before);
  assert.deepEqual(readdirSync(box).sort(), ['outbound.db', 'outbound.db-journal']);
  assert.deepEqual(await reader.read(box, 0), { status: 'busy' });
  const healed = openBox(box);
  healed.prepare('SELECT count(*) FROM messages_out').get();
  healed.close();
  assert.equal((await reader.read(box, 0)).status, 'ok');
  assert.equal((await reader.read(box, 0, { recover: true })).status, 'ok', 'nothing to recover is no error');
});

test('a writer killed before it had touched the file: its unsynced journal is nothing to play back', async (t) => {
  const { reader } = createReader(t);
  const box = boxes.make();
  const db = openBox(box);
  say(db, 'm1', 1);
  db.close();
  // As SQLite leaves it: the header's first sector is zero until the journal is synced.
  const journal = Buffer.alloc(16_928);
  journal.writeUInt32BE(0x55133abd, 12);
  journal.writeUInt32BE(512, 20);
  journal.writeUInt32BE(4096, 24);
  writeFileSync(join(box, 'outbound.db-journal'), journal);
  assert.deepEqual(await reader.read(box, 0), { status: 'busy' });
  const found = await reader.read(box, 0, { recover: true });
  assert.equal(found.status === 'ok' && found.snapshot.messages.length, 1, JSON.stringify(found));
});

test('a planted journal that names a super-journal is refused, and what it names stays', async (t) => {
  const { reader } = createReader(t);
  const box = boxes.make();
  killInMidCommit(box);
  const victim = join(boxes.root, 'victim-mj0123456789');
  writeFileSync(victim, 'of the host');
  const name = Buffer.from(victim);
  const tail = Buffer.alloc(8);
  tail.writeUInt32BE(name.length, 0);
  tail.writeUInt32BE(
    name.reduce((sum, byte) => sum + byte, 0),
    4,
  );
  const magic = Buffer.from('d9d505f920a163d7', 'hex');
  appendFileSync(join(box, 'outbound.db-journal'), Buffer.concat([Buffer.alloc(4), name, tail, magic]));
  const found = await reader.read(box, 0, { recover: true });
  assert.deepEqual(found, { status: 'hostile', reason: 'has a journal that names another' });
  assert.ok(existsSync(victim));
});

test('junk for a journal is no journal', async (t) => {
  const { reader } = createReader(t);
  const box = boxes.make();
  const db = openBox(box);
  say(db, 'm1', 1);
  db.close();
  writeFileSync(join(box, 'outbound.db-journal'), 'x'.repeat(5000));
  assert.deepEqual(await reader.read(box, 0), { status: 'busy' });
  const found = await reader.read(box, 0, { recover: true });
  assert.equal(found.status === 'ok' && found.snapshot.messages.length, 1, JSON.stringify(found));
});

test('a process that hangs is killed: busy once, hostile twice, and others are read', async (t) => {
  const { reader, logged } = createReader(t, { deadlineMs: 300 });
  const [box, other] = [boxes.make(), boxes.make()];
  for (const each of [box, other]) openBox(each).close();
  assert.equal((await reader.read(box, 0)).status, 'ok');
  const hang = async () => {
    const [pid] = readerPids();
    assert.ok(pid);
    process.kill(pid, 'SIGSTOP');
    const result = await reader.read(box, 0);
    assert.equal(readerPids().includes(pid), false, 'it is gone');
    assert.equal((await reader.read(other, 0)).status, 'ok');
    return result;
  };
  assert.deepEqual(await hang(), { status: 'busy' });
  assert.deepEqual(await hang(), { status: 'hostile', reason: 'can not be read within 300 ms' });
  assert.equal(logged.length, 2);
  assert.equal((await reader.read(box, 0)).status, 'ok');
  assert.deepEqual(await hang(), { status: 'busy' }, 'a read that went well in between clears the count');
  await reader.stop();
});

test('a recovering read may wait for a slow disk, and not for ever', async (t) => {
  const { reader, logged } = createReader(t, { deadlineMs: 200 });
  const box = boxes.make();
  openBox(box).close();
  assert.equal((await reader.read(box, 0)).status, 'ok');
  const [pid] = readerPids();
  assert.ok(pid);
  process.kill(pid, 'SIGSTOP');
  setTimeout(() => process.kill(pid, 'SIGCONT'), 700);
  assert.equal((await reader.read(box, 0, { recover: true })).status, 'ok');
  for (const _ of [1, 2]) {
    const [next] = readerPids();
    assert.ok(next);
    process.kill(next, 'SIGSTOP');
    assert.deepEqual(await reader.read(box, 0, { recover: true }), { status: 'busy' }, 'it is not the file');
    assert.equal((await reader.read(box, 0)).status, 'ok');
  }
  assert.deepEqual(logged, []);
});

test('a recovering read that works without end is the fault of the file', async (t) => {
  const { reader } = createReader(t, { deadlineMs: 20 });
  const box = boxes.make();
  const db = openBox(box);
  db.exec('BEGIN');
  for (let seq = 1; seq < 60_001; seq += 2) say(db, `m${seq}`, seq, JSON.stringify({ text: 'x'.repeat(600) }));
  db.exec('COMMIT');
  db.close();
  const read = () => reader.read(box, 0, { recover: true });
  assert.deepEqual(await read(), { status: 'busy' });
  let found = await read();
  // On a busy machine one of them may get no time to work in.
  for (let tries = 2; tries < 6 && found.status === 'busy'; tries++) found = await read();
  assert.deepEqual(found, { status: 'hostile', reason: 'can not be read within 20 ms' });
});

test('a process that dies under a question is started again', async (t) => {
  const { reader } = createReader(t);
  const box = boxes.make();
  openBox(box).close();
  assert.equal((await reader.read(box, 0)).status, 'ok');
  const [pid] = readerPids();
  assert.ok(pid);
  process.kill(pid, 'SIGSTOP');
  const result = reader.read(box, 0);
  process.kill(pid, 'SIGKILL');
  assert.deepEqual(await result, { status: 'busy' });
  assert.equal((await reader.read(box, 0)).status, 'ok');
  await reader.stop();
});

test('it starts late, ends when idle unless it is wanted, and leaves nothing behind', async (t) => {
  const leftovers = () => readdirSync(tmpdir()).filter((name) => name.startsWith('nanoclaw-reader-'));
  let wanted = true;
  const { reader } = createReader(t, { idleMs: 100, isWanted: () => wanted });
  assert.deepEqual(readerPids(), []);
  const box = boxes.make();
  openBox(box).close();
  assert.equal((await reader.read(box, 0)).status, 'ok');
  const [pid] = readerPids();
  await pause(300);
  assert.deepEqual(readerPids(), [pid], 'it is wanted');
  wanted = false;
  await until(() => readerPids().length === 0);
  reader.warm();
  await until(() => readerPids().length === 1);
  const reads = [reader.read(box, 0), reader.read(box, 0)];
  await reader.stop();
  assert.equal(readerPids().length, 0);
  for (const read of await Promise.all(reads)) assert.ok(read.status === 'ok' || read.status === 'busy');
  assert.deepEqual(await reader.read(box, 0), { status: 'busy' });
  assert.deepEqual(leftovers(), [], 'no private folder is left');
});

test('a read of a small file takes about a millisecond', async (t) => {
  const { reader } = createReader(t);
  const box = boxes.make();
  const db = openBox(box);
  for (let seq = 1; seq < 20; seq += 2) say(db, `m${seq}`, seq);
  db.close();
  const times: number[] = [];
  for (let count = 0; count < 500; count++) {
    const start = performance.now();
    assert.equal((await reader.read(box, 9)).status, 'ok');
    times.push(performance.now() - start);
  }
  times.sort((one, other) => one - other);
  t.diagnostic(`p50 ${times[250]?.toFixed(2)} ms, p95 ${times[475]?.toFixed(2)} ms`);
  // Ten times what an idle machine needs.
  assert.ok((times[250] ?? 0) < 10);
});

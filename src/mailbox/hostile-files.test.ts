import assert from 'node:assert/strict';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { chmodSync, linkSync, mkdirSync, readFileSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { after, test } from 'node:test';
import { OUTBOUND_SCHEMA, OUTBOUND_STEPS } from '@nanoclaw/protocol';
import { createOutboundReader } from './outbound-reader.ts';
import { createBoxes, openBox, say, TIME } from './test-boxes.ts';

/**
 * Everything that an agent could put where its outbound.db should be. Each ends as it should, soon, and neither costs
 * the reader nor holds up another session.
 */

const boxes = createBoxes();
const lost: string[] = [];
const reader = createOutboundReader({ log: (_level, message) => lost.push(message) });
const innocent = boxes.make();
const innocentDb = openBox(innocent);
say(innocentDb, 'fine', 1);
after(async () => {
  innocentDb.close();
  await reader.stop();
  boxes.remove();
});

type Expected = 'hostile' | 'busy' | 'absent';

/** Half of the reader's own deadline: what is refused by a rule, and not by the clock, takes far less. */
const SOON_MS = 1000;

function hostile(name: string, prepare: (box: string) => void, expected: Expected = 'hostile', reason?: RegExp): void {
  test(name, async () => {
    const box = boxes.make();
    prepare(box);
    await reader.read(innocent, 0);
    const start = performance.now();
    const [first, beside] = await Promise.all([reader.read(box, 0), reader.read(innocent, 0)]);
    const took = performance.now() - start;
    assert.equal(first.status, expected, JSON.stringify(first));
    if (reason && first.status === 'hostile') assert.match(first.reason, reason);
    assert.equal(beside.status, 'ok');
    assert.ok(took < SOON_MS, `both within ${SOON_MS} ms, not ${took}`);
    assert.deepEqual(lost, [], 'the reader process lives on');
  });
}

/** A file that is right but for one thing. */
function altered(
  name: string,
  alter: (db: DatabaseSync) => void,
  reason?: RegExp,
  expected: Expected = 'hostile',
): void {
  const prepare = (box: string) => {
    const db = openBox(box);
    alter(db);
    db.close();
  };
  hostile(name, prepare, expected, reason);
}

const dbOf = (box: string) => join(box, 'outbound.db');

/** Turns a right file into bytes and back. */
function bytes(name: string, alter: (image: Buffer) => Buffer | undefined, reason?: RegExp): void {
  const prepare = (box: string) => {
    const db = openBox(box);
    say(db, 'm1', 1);
    db.close();
    const image = readFileSync(dbOf(box));
    writeFileSync(dbOf(box), alter(image) ?? image);
  };
  hostile(name, prepare, 'hostile', reason);
}

// What it is
hostile('nothing at all', () => {}, 'absent');
hostile('an empty file', (box) => writeFileSync(dbOf(box), ''), 'absent');
hostile('a link to a file of the host', (box) => symlinkSync('/etc/passwd', dbOf(box)), 'hostile', /ELOOP/);
hostile('a link to a right file', (box) => symlinkSync(dbOf(innocent), dbOf(box)), 'hostile', /ELOOP/);
hostile('a link to itself', (box) => symlinkSync('outbound.db', dbOf(box)), 'hostile', /ELOOP/);
hostile('a FIFO', (box) => void execFileSync('mkfifo', [dbOf(box)]), 'hostile', /regular/);
hostile('a folder', (box) => mkdirSync(dbOf(box)), 'hostile', /regular/);
hostile('a socket', (box) => makeSocket(dbOf(box)), 'hostile', /ENXIO/);
if (process.getuid?.() === 0) {
  hostile('a device', (box) => void execFileSync('mknod', [dbOf(box), 'c', '1', '5']), 'hostile', /regular/);
}
hostile(
  'a file without rights',
  (box) => {
    openBox(box).close();
    chmodSync(dbOf(box), 0o044);
  },
  'hostile',
  /rights|EACCES/,
);
hostile(
  'a hard link',
  (box) => {
    openBox(box).close();
    linkSync(dbOf(box), join(box, 'second'));
  },
  'hostile',
  /second name/,
);
hostile(
  '4 GB with nothing in them',
  (box) => {
    writeFileSync(dbOf(box), '');
    truncateSync(dbOf(box), 4 * 2 ** 30);
  },
  'hostile',
  /larger/,
);
hostile('32 MB of a text', (box) => writeFileSync(dbOf(box), 'x'.repeat(32 * 2 ** 20)), 'hostile', /not a database/);
hostile('a few bytes', (box) => writeFileSync(dbOf(box), 'SQLite format 3\0'), 'hostile', /not a database/);

// The journal beside it
const withJournal = (make: (journal: string) => void) => (box: string) => {
  openBox(box).close();
  make(`${dbOf(box)}-journal`);
};
hostile(
  'a journal',
  withJournal((journal) => writeFileSync(journal, 'x')),
  'busy',
);
hostile(
  'a journal that is a link',
  withJournal((journal) => symlinkSync('/etc/passwd', journal)),
);
hostile(
  'a journal that is a FIFO',
  withJournal((journal) => void execFileSync('mkfifo', [journal])),
);
hostile(
  'a journal that is a folder',
  withJournal((journal) => mkdirSync(journal)),
);

// The file's bytes
bytes('a header that says WAL', (image) => void image.fill(2, 18, 20), /WAL/);
bytes('an unknown version', (image) => void image.writeUInt32BE(9, 60), /version 9/);
bytes('version 0 with tables', (image) => void image.writeUInt32BE(0, 60), /schema/);
bytes('UTF-16', (image) => void image.writeUInt32BE(2, 56), /UTF-8/);
bytes('a schema of many pages', (image) => void image.fill(5, 100, 101), /too large/);
bytes('a file cut in half', (image) => image.subarray(0, image.length / 2));
bytes('pages of noise', (image) => void image.fill(0xa5, 4096), /malformed/);
bytes(
  'a page that is its own child',
  (image) => {
    for (let page = 1; page < image.length / 4096; page++) loopPage(image, page);
  },
  /malformed/,
);

// The schema
altered('an extra table', (db) => db.exec('CREATE TABLE extra (a)'), /schema/);
altered('an extra index', (db) => db.exec('CREATE INDEX i ON messages_out (content)'), /schema/);
altered('other white space', (db) =>
  db.exec(`DROP TABLE messages_out; ${OUTBOUND_SCHEMA.messages_out.replace(' (', '(')}`),
);
altered(
  'a trigger',
  (db) => {
    db.exec('CREATE TRIGGER t AFTER INSERT ON messages_out BEGIN DELETE FROM processing_ack; END');
  },
  /schema/,
);
altered(
  'a view without end, named like a table',
  (db) => {
    db.exec(`DROP TABLE messages_out; CREATE VIEW messages_out AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i FROM n)
    SELECT i AS id, i AS seq, i AS in_reply_to, i AS timestamp, i AS deliver_after, i AS kind, i AS platform_id,
    i AS channel_type, i AS thread_id, i AS content FROM n`);
  },
  /schema/,
);
altered(
  'a generated column',
  (db) => {
    db.exec('DROP TABLE container_state');
    db.exec(
      'CREATE TABLE container_state (id INTEGER PRIMARY KEY, updated_at TEXT, phase AS (hex(zeroblob(500000000))))',
    );
  },
  /schema/,
);
altered('a full-text table', (db) => db.exec('CREATE VIRTUAL TABLE f USING fts5(a)'), /schema/);
altered(
  'thousands of tables',
  (db) => {
    db.exec('BEGIN');
    for (let count = 0; count < 3000; count++) db.exec(`CREATE TABLE t${count} (a)`);
    db.exec('COMMIT');
  },
  /too large/,
);
altered('a later release', (db) => db.exec(`PRAGMA user_version = ${OUTBOUND_STEPS.length + 1}`), /not known/);

// The rows
altered('a text of 20 MB', (db) => say(db, 'm1', 1, JSON.stringify({ text: 'x'.repeat(20e6) })), /too big/);
altered('seq 2^62', (db) => say(db, 'm1', 2n ** 62n + 1n), /too large/);
altered('an even seq', (db) => say(db, 'm1', 2), /odd/);
altered(
  'a seq that is a text',
  (db) =>
    void db.exec(`INSERT INTO messages_out VALUES ('m1', 'one', NULL, '${TIME}', NULL,
  'chat', NULL, NULL, NULL, '{}')`),
  /expected number/,
);
altered('a seq that is a fraction', (db) => say(db, 'm1', 1.5), /wrong type/);
altered('a NUL in an id', (db) => say(db, 'm\0', 1), /messages.0.id/);
altered('a line break in an id', (db) => say(db, 'm\n', 1), /messages.0.id/);
altered('a path as an id', (db) => say(db, '../../x', 1), /messages.0.id/);
altered('an id of 129', (db) => say(db, 'm'.repeat(129), 1), /messages.0.id/);
altered('no id', (db) => say(db, null, 1), /messages.0.id/);
altered('content that is no JSON', (db) => say(db, 'm1', 1, 'hello'), /content/);
altered('content of another shape', (db) => say(db, 'm1', 1, '{"text":5}'), /content/);
altered('content nested without end', (db) => say(db, 'm1', 1, '['.repeat(1_000_000)), /content/);
altered(
  'content nested deep, and closed',
  (db) => {
    say(db, 'm1', 1, `{"text":"x","y":${'['.repeat(400_000)}${']'.repeat(400_000)}}`);
  },
  /content/,
);
altered(
  'an unknown kind',
  (db) => {
    say(db, 'm1', 1);
    db.exec("UPDATE messages_out SET kind = 'task'");
  },
  /kind/,
);
altered(
  'a time in words',
  (db) => {
    say(db, 'm1', 1);
    db.exec("UPDATE messages_out SET timestamp = 'yesterday'");
  },
  /timestamp/,
);
altered(
  'a blob where a text should be',
  (db) => {
    say(db, 'm1', 1);
    db.exec("UPDATE messages_out SET content = x'00ff'");
  },
  /wrong type/,
);
altered(
  'an acknowledgement of another status',
  (db) => {
    db.exec(`INSERT INTO processing_ack VALUES ('m1', 'pending', '${TIME}', NULL)`);
  },
  /acks.0.status/,
);
altered(
  'an error that is not one',
  (db) => {
    db.exec(`INSERT INTO processing_ack VALUES ('m1', 'failed', '${TIME}', '{"class":"boredom"}')`);
  },
  /acks.0/,
);
altered('another phase', (db) => db.exec(`INSERT INTO container_state VALUES (1, 'party', '${TIME}')`), /phase/);
altered(
  'a negative timeout',
  (db) => db.exec(`INSERT INTO tools_in_flight VALUES ('t', 'Bash', '${TIME}', -1)`),
  /tools/,
);

test('damage that only a writer meets is found when the sandbox is dead', async () => {
  const box = boxes.make();
  const db = openBox(box);
  for (let seq = 1; seq < 400; seq += 2) say(db, `m${seq}`, seq, JSON.stringify({ text: 'x'.repeat(3000) }));
  db.exec('DELETE FROM messages_out');
  db.close();
  const fine = await reader.read(box, 0, { recover: true });
  assert.equal(fine.status, 'ok', JSON.stringify(fine));
  const image = readFileSync(dbOf(box));
  const trunk = image.readUInt32BE(32);
  image.writeUInt32BE(trunk, (trunk - 1) * 4096);
  writeFileSync(dbOf(box), image);
  const alive = await reader.read(box, 0);
  assert.equal(alive.status, 'ok');
  const dead = await reader.read(box, 0, { recover: true });
  assert.match(dead.status === 'hostile' ? dead.reason : dead.status, /damaged/);
});

test('a negative seq is never reached', async () => {
  const box = boxes.make();
  const db = openBox(box);
  say(db, 'm1', -1);
  db.close();
  const found = await reader.read(box, 0);
  assert.deepEqual(found.status === 'ok' && found.snapshot.messages, []);
});

test('a file that is swapped all the time: right, busy or hostile, and never a mixture', async () => {
  const box = boxes.make();
  const db = openBox(box);
  for (let seq = 1; seq < 400; seq += 2) say(db, `right-${seq}`, seq, JSON.stringify({ text: 'x'.repeat(300) }));
  db.close();
  const script = `cd "$1"; cp outbound.db right.db; ln -s /etc/passwd link; while :; do cp right.db a.db; mv a.db outbound.db
    cp -P link b; mv b outbound.db; head -c 20000 right.db > c; mv c outbound.db; done`;
  const swapper = spawn('bash', ['-c', script, 'swapper', box], { stdio: 'ignore' });
  const seen = new Set<string>();
  const deadline = Date.now() + 20_000;
  for (let count = 0; count < 1000 || (!seen.has('ok') && Date.now() < deadline); count++) {
    const found = await reader.read(box, 0);
    seen.add(found.status);
    if (found.status === 'ok') assert.equal(found.snapshot.messages.length, 100);
  }
  const ended = new Promise((resolve) => swapper.on('exit', resolve));
  swapper.kill('SIGKILL');
  await ended;
  assert.ok(seen.has('ok') && seen.has('hostile'), [...seen].join());
  assert.deepEqual(lost, []);
});

/** By a process that is killed, so that the socket's name stays. */
function makeSocket(path: string): void {
  const script = 'require("node:net").createServer().listen(process.argv[1], () => process.kill(process.pid, 9))';
  assert.equal(spawnSync(process.execPath, ['-e', script, path]).signal, 'SIGKILL');
}

/** Makes an interior page (0x02 for an index, 0x05 for a table) of one whose children are all itself. */
function loopPage(image: Buffer, page: number): void {
  const at = page * 4096;
  const isIndex = image[at] === 0x0a;
  image.fill(0, at, at + 4096);
  image[at] = isIndex ? 0x02 : 0x05;
  const cells = 300;
  image.writeUInt16BE(cells, at + 3);
  image.writeUInt16BE(4000, at + 5);
  image.writeUInt32BE(page + 1, at + 8);
  for (let cell = 0; cell < cells; cell++) image.writeUInt16BE(4000, at + 12 + cell * 2);
  image.writeUInt32BE(page + 1, at + 4000);
  image[at + 4004] = isIndex ? 3 : 1;
  if (isIndex) image.set([2, 1, 1], at + 4005);
}

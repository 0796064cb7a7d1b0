import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  linkSync,
  mkdirSync,
  readFileSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as pause } from 'node:timers/promises';
import { OUTBOUND_SCHEMA } from '@nanoclaw/protocol';
import { until } from '../support/until.ts';
import { AGAIN, ANSWERED, ANY_WORD, type HostileCase, QUARANTINED } from './case.ts';
import { beside, craft, inPlaceOf, nextSeq, PAGE, say } from './plant.ts';
import type { Place } from './stage.ts';

/** What an agent can put where its outbound.db, or the journal of it, should be. */

type Alter = (db: DatabaseSync) => void;
type Edit = (image: Buffer) => Buffer | undefined;

function schema(name: string, about: string, alter: Alter): HostileCase {
  return { name, about, told: QUARANTINED, plant: (place) => craft(place, alter) };
}

function bytes(name: string, about: string, edit: Edit): HostileCase {
  return { name, about, told: QUARANTINED, plant: (place) => craft(place, () => {}, edit) };
}

function instead(name: string, about: string, make: (path: string, place: Place) => void, root = false): HostileCase {
  return {
    name,
    about,
    told: QUARANTINED,
    root,
    plant: (place) => inPlaceOf(place, place.db, (at) => make(at, place)),
  };
}

function journal(name: string, about: string, make: (path: string, place: Place) => void): HostileCase {
  const plant = async (place: Place) => {
    // The runner removes whatever has that name when a commit of its own ends: until none is under way.
    await until(() => !existsSync(`${place.db}-journal`));
    await pause(50);
    await until(() => !existsSync(`${place.db}-journal`));
    inPlaceOf(place, `${place.db}-journal`, (at) => make(at, place));
    // Looked at when something has changed, and not before.
    utimesSync(place.db, new Date(), new Date());
  };
  return { name, about, told: QUARANTINED, plant };
}

const VIEW = (rows: string) => `DROP TABLE messages_out; CREATE VIEW messages_out AS ${rows}
  SELECT i AS id, i AS seq, i AS in_reply_to, i AS timestamp, i AS deliver_after, i AS kind, i AS platform_id,
  i AS channel_type, i AS thread_id, i AS content FROM n`;
const ENDLESS = 'WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)';

const schemas: HostileCase[] = [
  schema('a view for a table', 'messages_out is a view.', (db) => db.exec(VIEW('WITH n(i) AS (SELECT 1)'))),
  schema('a view without end', 'messages_out is a view with a recursion that never ends.', (db) =>
    db.exec(VIEW(ENDLESS)),
  ),
  schema('a trigger', 'A trigger deletes acknowledgements as rows come in.', (db) =>
    db.exec('CREATE TRIGGER t AFTER INSERT ON messages_out BEGIN DELETE FROM processing_ack; END'),
  ),
  schema('a generated column', 'A column is computed as it is read, half a gigabyte of it.', (db) =>
    db.exec(`DROP TABLE container_state; CREATE TABLE container_state (id INTEGER PRIMARY KEY, updated_at TEXT,
      phase AS (hex(zeroblob(500000000))))`),
  ),
  schema('a full-text table', 'A virtual table, whose module runs code of its own.', (db) =>
    db.exec('CREATE VIRTUAL TABLE f USING fts5(a)'),
  ),
  schema('an r-tree', 'Another virtual table.', (db) => db.exec('CREATE VIRTUAL TABLE r USING rtree(id, a, b)')),
  schema('an extra column', 'A column more than the release has.', (db) =>
    db.exec('ALTER TABLE messages_out ADD COLUMN extra TEXT'),
  ),
  schema('an extra index', 'An index, over an expression.', (db) =>
    db.exec('CREATE INDEX i ON messages_out (upper(content))'),
  ),
  schema('an extra table', 'A table that no release has.', (db) => db.exec('CREATE TABLE extra (a)')),
  schema('thousands of tables', 'A schema of many pages, which SQLite would parse before anything else.', (db) => {
    db.enableDefensive(false);
    db.exec('PRAGMA writable_schema = ON; CREATE TABLE t0 (a)');
    // One by one they would take this process a second on a busy machine, and the neighbour is listened to in it.
    db.exec(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000) INSERT INTO sqlite_schema
      SELECT 'table', 't' || i, 't' || i, rootpage, 'CREATE TABLE t' || i || ' (a)' FROM n, sqlite_schema WHERE name = 't0'`);
  }),
  schema('a later release', 'user_version says 99.', (db) => db.exec('PRAGMA user_version = 99')),
  schema('no release', 'user_version says 0, and the tables are there.', (db) => db.exec('PRAGMA user_version = 0')),
  schema('other white space', 'The text of a table differs in one blank.', (db) =>
    db.exec(`DROP TABLE messages_out; ${OUTBOUND_SCHEMA.messages_out.replace(' (', '(')}`),
  ),
];

const images: HostileCase[] = [
  bytes('UTF-16', 'The header says another encoding.', (image) => void image.writeUInt32BE(2, 56)),
  bytes('another page size', 'The header says pages of 512 bytes.', (image) => void image.writeUInt16BE(512, 16)),
  bytes('a page size that is none', 'The header says pages of 3 bytes.', (image) => void image.writeUInt16BE(3, 16)),
  bytes('a tree that bites its tail', 'Every page is its own child, three hundred times.', (image) => {
    for (let page = 1; page < image.length / PAGE; page++) loopPage(image, page);
  }),
  bytes('a bad varint', 'Lengths and row ids of nine bytes of ones.', (image) => {
    for (let page = 1; page < image.length / PAGE; page++) image.fill(0xff, page * PAGE + PAGE / 2, (page + 1) * PAGE);
  }),
  bytes('noise', 'Every page but the first is random.', (image) => void image.fill(0xa5, PAGE)),
  bytes(
    'a billion rows',
    'Cells that claim to be 2 GB long, in an overflow chain that leads back to itself.',
    (image) => {
      for (let page = 1; page < image.length / PAGE; page++) overflowLoop(image, page);
    },
  ),
  bytes('half a file', 'Cut in the middle.', (image) => image.subarray(0, image.length / 2)),
  {
    name: 'WAL',
    about: 'The header says WAL, and a -wal and a -shm lie beside it, to be mapped and then cut short.',
    told: QUARANTINED,
    plant(place) {
      craft(place, (db) => void db.prepare('PRAGMA journal_mode = WAL').get());
      for (const end of ['-wal', '-shm'])
        inPlaceOf(place, place.db + end, (at) => writeFileSync(at, 'x'.repeat(32768)));
    },
  },
  {
    name: 'a free list that loops',
    about: 'Reading meets nothing wrong; whoever writes would go round for ever.',
    leavesWorse: true,
    slow: true,
    workS: 0.4,
    told: ANY_WORD,
    withinMs: 30_000,
    plant: (place) =>
      craft(place, freePages, (image) => {
        const trunk = image.readUInt32BE(32);
        image.writeUInt32BE(trunk, (trunk - 1) * PAGE);
        image.writeUInt32BE(0xffff, (trunk - 1) * PAGE + 4);
        return undefined;
      }),
  },
  {
    name: 'the same, left for the next runner',
    about: 'The file is damaged in place, where only a writer notices; then the runner dies.',
    workS: 0.4,
    told: ANY_WORD,
    plant(place) {
      beside(place, freePages);
      const image = readFileSync(place.db);
      const trunk = image.readUInt32BE(32);
      if (trunk > 0) image.writeUInt32BE(trunk, (trunk - 1) * PAGE);
      writeFileSync(place.db, image);
      place.killRunner();
    },
  },
];

const kinds: HostileCase[] = [
  instead('4 GB of nothing', 'A sparse file.', (at) => {
    writeFileSync(at, '');
    truncateSync(at, 4 * 2 ** 30);
  }),
  instead('32 MB of a text', 'As large as a file may be, and no database.', (at) =>
    writeFileSync(at, 'x'.repeat(32 * 2 ** 20)),
  ),
  instead('a link to /etc/shadow', 'A symbolic link to a file of root.', (at) => symlinkSync('/etc/shadow', at)),
  instead("a link to the neighbour's file", 'A symbolic link to a right outbound.db.', (at, place) =>
    symlinkSync(join(place.neighbourBox, 'outbound.db'), at),
  ),
  instead('a link to itself', 'A symbolic link without an end.', (at) => symlinkSync('outbound.db', at)),
  instead('a hard link', "Another name of a host's file.", (at, place) => linkSync(place.secret, at), true),
  instead('a FIFO', 'A pipe, which holds up whoever opens it.', (at) => void execFileSync('mkfifo', [at])),
  instead('a socket', 'A Unix socket, whose owner has died.', makeSocket),
  instead('a device', 'The device /dev/zero.', (at) => void execFileSync('mknod', [at, 'c', '1', '5']), true),
  instead('a folder', 'A folder, with things in it.', (at) => mkdirSync(join(at, 'deep', 'er'), { recursive: true })),
  instead('no rights', 'A right file that nobody may read.', (at, place) => {
    copyFileSync(join(place.neighbourBox, 'outbound.db'), at);
    chmodSync(at, 0);
  }),
  {
    name: 'deleted',
    about: 'The file is removed while the runner writes to it.',
    workS: 0.4,
    told: AGAIN,
    plant: (place) => unlinkSync(place.db),
  },
  {
    name: 'emptied',
    about: 'The file is cut to nothing in its place.',
    workS: 0.4,
    told: ANY_WORD,
    plant: (place) => truncateSync(place.db, 0),
  },
  {
    name: 'an older copy of itself',
    about: 'A right file from before: what was settled is said again, and nobody writes to it any more.',
    workS: 0.4,
    told: AGAIN,
    plant(place) {
      const before = place.heard.length;
      beside(place, (db) => say(db, `replayed-${before}`, nextSeq(1), { content: '{"text":"said once"}' }));
      const copy = readFileSync(place.db);
      return waitFor(place, /^said once$/, before).then(() =>
        inPlaceOf(place, place.db, (at) => writeFileSync(at, copy)),
      );
    },
    async check(_, place) {
      const said = place.heard.filter(({ text }) => text === 'said once').length;
      if (said !== 1) throw new Error(`said ${said} times`);
    },
  },
  {
    name: 'swapped between look and open',
    about: 'A process renames a right file and a link to /etc/shadow over it in a loop.',
    leavesWorse: true,
    workS: 0.4,
    told: ANY_WORD,
    plant(place) {
      const swap = 'cp right a; mv a outbound.db; cp -P link b; mv b outbound.db';
      place.run(`cp outbound.db right; ln -sf /etc/shadow link; while kill -0 $RUNNER; do ${swap}; done`);
    },
  },
  {
    name: 'cut while it is read',
    about: 'A process cuts the file and fills it again, in its place, in a loop.',
    leavesWorse: true,
    workS: 0.4,
    told: ANY_WORD,
    plant: (place) =>
      void place.run('cp outbound.db right; while kill -0 $RUNNER; do : > outbound.db; cat right > outbound.db; done'),
  },
  {
    name: 'growing while it is read',
    about: 'A process appends to the file in its place, up to 100 MB.',
    leavesWorse: true,
    workS: 0.4,
    told: ANY_WORD,
    plant: (place) =>
      void place.run('for i in $(seq 100); do kill -0 $RUNNER && head -c 1M /dev/zero >> outbound.db; done'),
  },
  {
    name: 'locked for ever',
    about: 'A process holds an exclusive lock on the file, so that the runner can write nothing.',
    slow: true,
    workS: 0.4,
    told: /Something broke|^I waited/,
    withinMs: 30_000,
    async plant(place) {
      const db = new DatabaseSync(place.db, { timeout: 20_000 });
      db.exec('BEGIN EXCLUSIVE');
      // As long as the sandbox lives: what runs in it ends with it.
      await waitFor(place, /Something broke/, place.heard.length, 25_000).catch(() => {});
      db.close();
    },
  },
];

const JUNK = 'x'.repeat(PAGE);
const journals: HostileCase[] = [
  journal('a journal that is a FIFO', 'A pipe beside the file.', (at) => void execFileSync('mkfifo', [at])),
  journal('a journal that is a link', 'A link to /etc/shadow.', (at) => symlinkSync('/etc/shadow', at)),
  journal('a journal that is a folder', 'A folder beside the file.', (at) => mkdirSync(at)),
  {
    ...journal('a journal that is a device', 'The device /dev/zero beside the file.', (at) => {
      execFileSync('mknod', [at, 'c', '1', '5']);
    }),
    root: true,
  },
  {
    ...journal('a journal without rights', 'Nobody may read it: the next runner could not play it back.', (at) => {
      writeFileSync(at, JUNK);
      chmodSync(at, 0);
    }),
    slow: true,
    told: ANY_WORD,
    withinMs: 30_000,
  },
  {
    name: 'a planted journal',
    about: 'Junk that looks like a commit in progress.',
    workS: 0.4,
    told: ANSWERED,
    plant: (place) => inPlaceOf(place, `${place.db}-journal`, (at) => writeFileSync(at, JUNK)),
  },
  {
    name: 'a planted journal and a dead runner',
    about: 'The same, and nobody left to clear it up.',
    workS: 0.4,
    told: AGAIN,
    plant(place) {
      inPlaceOf(place, `${place.db}-journal`, (at) => writeFileSync(at, JUNK));
      place.killRunner();
    },
  },
  {
    name: 'a super-journal',
    about: 'A journal that names a file of the host, to be deleted by whoever plays it back; then the runner dies.',
    workS: 0.4,
    told: /mailbox file broke|Something broke/,
    plant(place) {
      inPlaceOf(place, `${place.db}-journal`, (at) => writeFileSync(at, superJournal(place.secret)));
      place.killRunner();
    },
    check(_, { secret }) {
      readFileSync(secret);
    },
  },
  {
    name: 'a journal over and over',
    about: 'A process puts a journal there all the time, so that no commit seems to end.',
    workS: 0.4,
    told: ANY_WORD,
    plant(place) {
      place.run('while kill -0 $RUNNER; do echo xxxxxxxxxxxx > outbound.db-journal; done');
    },
  },
];

export const fileCases: readonly HostileCase[] = [...schemas, ...images, ...kinds, ...journals];

async function waitFor(place: Place, pattern: RegExp, from: number, ms = 10_000): Promise<void> {
  await place.hears(pattern, from, ms);
}

function freePages(db: DatabaseSync): void {
  const first = nextSeq(200);
  for (let count = 0; count < 200; count++)
    say(db, `free-${first}-${count}`, first + 2 * count, { content: longText() });
  db.exec(`DELETE FROM messages_out WHERE id LIKE 'free-${first}-%'`);
}

function longText(): string {
  return JSON.stringify({ text: 'x'.repeat(3000) });
}

/** By a process that is killed, so that the socket's name stays. */
function makeSocket(path: string): void {
  const script = 'require("node:net").createServer().listen(process.argv[1], () => process.kill(process.pid, 9))';
  // The whole path may be longer than a socket's may.
  const { signal } = spawnSync(process.execPath, ['-e', script, basename(path)], { cwd: dirname(path) });
  if (signal !== 'SIGKILL') throw new Error('no socket');
}

/** Makes an interior page (0x02 for an index, 0x05 for a table) of one whose children are all itself. */
function loopPage(image: Buffer, page: number): void {
  const at = page * PAGE;
  const isIndex = image[at] === 0x0a;
  image.fill(0, at, at + PAGE);
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

/** Leaves with hundreds of cells, each with a payload of 2 GB that goes on in this very page. */
function overflowLoop(image: Buffer, page: number): void {
  const at = page * PAGE;
  const cells = 200;
  const cell = at + PAGE - 1024;
  image.writeUInt16BE(cells, at + 3);
  image.writeUInt16BE(PAGE - 1024, at + 5);
  for (let count = 0; count < cells; count++) image.writeUInt16BE(PAGE - 1024, at + 8 + count * 2);
  image.set([0x87, 0xff, 0xff, 0xff, 0x7f, 0x01], cell);
  for (let word = cell + 8; word < at + PAGE; word += 4) image.writeUInt32BE(page + 1, word);
}

/** A journal's end as SQLite writes it: page number, name, length, checksum, magic. */
function superJournal(name: string): Buffer {
  const header = Buffer.alloc(512);
  Buffer.from('d9d505f920a163d7', 'hex').copy(header);
  header.writeUInt32BE(0, 8);
  header.writeUInt32BE(1, 16);
  header.writeUInt32BE(512, 20);
  header.writeUInt32BE(PAGE, 24);
  const text = Buffer.from(name);
  const end = Buffer.alloc(16);
  end.writeUInt32BE(text.length, 0);
  end.writeUInt32BE(
    text.reduce((sum, byte) => sum + byte, 0),
    4,
  );
  Buffer.from('d9d505f920a163d7', 'hex').copy(end, 8);
  return Buffer.concat([header, Buffer.from([0x40, 0, 0, 0]), text, end]);
}

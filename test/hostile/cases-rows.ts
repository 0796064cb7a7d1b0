import type { DatabaseSync } from 'node:sqlite';
import { AGAIN, ANSWERED, type HostileCase, QUARANTINED } from './case.ts';
import { acknowledge, beside, craft, nextSeq, type Row, say, TIME } from './plant.ts';
import type { Heard, Place, Stage } from './stage.ts';

/** What an agent can write into a file that is right in its form. */

type Rows = (db: DatabaseSync, place: Place, stage: Stage) => void;

/** The file is put aside. */
function refused(name: string, about: string, rows: Rows): HostileCase {
  return { name, about, told: QUARANTINED, plant: (place, stage) => beside(place, (db) => rows(db, place, stage)) };
}

/** It costs nothing but itself: the turn goes on. */
function ignored(name: string, about: string, rows: Rows, check?: HostileCase['check']): HostileCase {
  const plant = (place: Place, stage: Stage) => beside(place, (db) => rows(db, place, stage));
  return { name, about, told: ANSWERED, workS: 0.4, plant, ...(check && { check }) };
}

function one(name: string, about: string, row: Row, id = 'planted'): HostileCase {
  return refused(name, about, (db) => say(db, id, nextSeq(1), row));
}

const FORGED = '{"text":"forged"}';

/** The neighbour's chat and the host's own hold nothing of it. */
function notAtNeighbours(_: Heard, __: Place, stage: Stage): void {
  const said = stage.heard('b').filter(({ text }) => /forged|planted/.test(text));
  if (said.length > 0) throw new Error('the neighbour heard it');
  const unasked = [...stage.platform.events.values()].filter(
    ({ chat, outcome }) => chat === 'b' && outcome !== undefined && outcome !== 'reply',
  );
  if (unasked.length > 0) throw new Error(`a message of the neighbour's ended as ${unasked[0]?.outcome}`);
}

const numbers: HostileCase[] = [
  refused('a number of 2^62', 'A sequence number beyond what a JavaScript number holds.', (db) =>
    say(db, 'planted', 2n ** 62n + 1n),
  ),
  refused('a number that leaps', 'A sequence number that would use up those that are left.', (db) =>
    say(db, 'planted', 2 ** 53 - 1),
  ),
  refused('an even number', "A number of the host's own side.", (db) => say(db, 'planted', nextSeq(1) + 1)),
  {
    name: 'the same number twice',
    about: 'Two rows with one number, past the UNIQUE of the table.',
    told: QUARANTINED,
    plant(place) {
      const [one, other] = [nextSeq(1), nextSeq(1)];
      const rows = (db: DatabaseSync) => {
        say(db, 'planted-1', one);
        say(db, 'planted-2', other);
      };
      craft(place, rows, (image) => {
        for (let at = image.indexOf(bytesOf(other)); at >= 0; at = image.indexOf(bytesOf(other)))
          image.set(bytesOf(one), at);
        return image;
      });
    },
  },
  ignored('a negative number', 'It lies below everything that is read.', (db) => say(db, 'planted', -1)),
  refused('a fraction', 'A number that is none.', (db) =>
    db
      .prepare(`INSERT INTO messages_out VALUES ('planted', ?, NULL, '${TIME}', NULL, 'chat', NULL, NULL, NULL, '{}')`)
      .run(nextSeq(1) + 0.5),
  ),
];

const contents: HostileCase[] = [
  one('content that is no JSON', 'A text where JSON should be.', { content: 'hello' }),
  one('JSON a megabyte deep', 'Brackets in brackets, to the end of the stack.', { content: '['.repeat(1_000_000) }),
  one('a text of 20 MB', 'A row that would be the whole of a file.', {
    content: JSON.stringify({ text: 'x'.repeat(20_000_000) }),
  }),
  one('too many files', 'Fifty names for one message.', {
    content: JSON.stringify({ text: '', files: Array.from({ length: 50 }, (_, at) => `f${at}`) }),
  }),
  one('bytes for a text', 'A blob in the column of a text.', { content: new Uint8Array([0, 255, 254]) }),
  one('an unknown kind', 'A kind that no release has.', { kind: 'task' }),
  one('a path for an id', 'An id that leads out of the outbox.', {}, '../../../secret'),
  one('a line break in an id', 'An id that would break a line of the log.', {}, 'planted\n{"level":"info"}'),
  one('a NUL in an id', 'An id that ends early for whoever reads it in C.', {}, 'planted\0x'),
  {
    name: 'a text of a megabyte',
    about: 'As much as a row may hold, and every character of it escaped.',
    workS: 0.4,
    // What is only blank lines at its end is no message of its own.
    told: /^long\s*$/,
    plant: (place) =>
      beside(place, (db) =>
        say(db, `planted-${nextSeq(1)}`, nextSeq(1), {
          content: JSON.stringify({ text: `long${'\n'.repeat(500_000)}` }),
        }),
      ),
  },
  {
    name: 'NUL and half a surrogate',
    about: 'Characters that a platform, a terminal or a database may choke on.',
    workS: null,
    told: /^odd: /,
    plant: (place) =>
      beside(place, (db) =>
        say(db, `planted-${nextSeq(1)}`, nextSeq(1), { content: '{"text":"odd: \\u0000 \\ud800 \\u202e \\u001b[2J"}' }),
      ),
  },
  {
    name: 'not before the year 9999',
    about: 'A message that is put off for ever does not hold up the next.',
    workS: null,
    told: /^the next$/,
    plant: (place) =>
      beside(place, (db) => {
        say(db, `late-${nextSeq(1)}`, nextSeq(1), { after: '9999-12-31T23:59:59.999Z' });
        say(db, `next-${nextSeq(1)}`, nextSeq(1), { content: '{"text":"the next"}' });
      }),
  },
];

const others: HostileCase[] = [
  ignored(
    'a message to the neighbour',
    "A row that names the neighbour's chat.",
    (db) => say(db, `planted-${nextSeq(1)}`, nextSeq(1), { channel: 'scripted', platform: 'b', content: FORGED }),
    notAtNeighbours,
  ),
  ignored(
    'a message to an unknown channel',
    'A row for a channel that is not there.',
    (db) => say(db, `planted-${nextSeq(1)}`, nextSeq(1), { channel: 'carrier-pigeon', platform: 'x', content: FORGED }),
    notAtNeighbours,
  ),
  ignored(
    "an answer to the neighbour's message",
    'A row that claims to answer what the neighbour has asked.',
    (db, _, stage) => {
      const ids = idsOf(stage, 'b');
      const content = JSON.stringify({ text: 'planted', answers: ids });
      say(db, `planted-${nextSeq(1)}`, nextSeq(1), { content, inReplyTo: ids[0] ?? 'none' });
    },
    notAtNeighbours,
  ),
  ignored(
    "acknowledgements of the neighbour's messages",
    'Its messages are called done, failed and held.',
    (db, _, stage) => {
      const error = JSON.stringify({ class: 'auth', retryable: false, message: 'forged', tries: 0 });
      for (const [at, id] of idsOf(stage, 'b').entries()) {
        acknowledge(db, id, ['completed', 'failed', 'processing'][at % 3], at % 3 === 1 ? error : null);
      }
    },
    notAtNeighbours,
  ),
  ignored('acknowledgements by the thousand', 'Five thousand of messages that never were.', (db) => {
    for (let count = 0; count < 5000; count++) acknowledge(db, `made-up-${count}`);
  }),
  refused('a thousand forged messages', 'Row upon row to a chat that it was not given.', (db) => {
    const first = nextSeq(3000);
    for (let count = 0; count < 3000; count++) {
      say(db, `forged-${first}-${count}`, first + 2 * count, { channel: 'scripted', platform: 'b', content: FORGED });
    }
  }),
  {
    name: 'a thousand messages at once',
    about: 'All of them to its own chat, where they may go.',
    workS: null,
    told: /^flood 999$/,
    slow: true,
    withinMs: 60_000,
    plant: (place) =>
      beside(place, (db) => {
        const first = nextSeq(1000);
        for (let count = 0; count < 1000; count++) {
          say(db, `flood-${first}-${count}`, first + 2 * count, { content: `{"text":"flood ${count}"}` });
        }
      }),
  },
];

const state: HostileCase[] = [
  refused('a timeout of 2^62', 'A running tool that has declared longer than time will last.', (db) => {
    for (let count = 0; count < 200; count++) {
      db.prepare('INSERT INTO tools_in_flight VALUES (?, ?, ?, ?)').run(`t${count}`, 'Bash', TIME, 2n ** 62n);
    }
  }),
  ignored('a tool for ever', 'A thousand tools that have declared three hundred thousand years.', (db) => {
    for (let count = 0; count < 1000; count++) {
      db.prepare('INSERT OR REPLACE INTO tools_in_flight VALUES (?, ?, ?, ?)').run(`t${count}`, 'Bash', TIME, 1e16 / 2);
    }
  }),
  refused('another phase', 'The state of a container that is neither idle nor in a turn.', (db) =>
    db.exec(`INSERT OR REPLACE INTO container_state VALUES (1, 'party', '${TIME}')`),
  ),
  refused('an error of no class', 'A failure that no table knows.', (db) =>
    acknowledge(db, 'planted', 'failed', '{"class":"boredom","retryable":true,"message":"","tries":0}'),
  ),
  ignored('a hundred thousand rows of state', "The runner's own table, filled up.", (db) => {
    db.exec(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000)
      INSERT OR REPLACE INTO session_state SELECT 'k' || i, 'v', '${TIME}' FROM n`);
  }),
  {
    name: 'a continuation that is none',
    about: 'What the provider goes on from is replaced, and the highest number, too; then the runner dies.',
    workS: 0.4,
    told: AGAIN,
    plant(place) {
      beside(place, (db) => {
        db.exec(`UPDATE session_state SET value = '${'x'.repeat(100_000)}' WHERE key LIKE 'continuation:%'`);
        db.exec(`INSERT OR REPLACE INTO session_state VALUES ('highest-seq', '1e308', '${TIME}')`);
      });
      place.killRunner();
    },
  },
];

export const rowCases: readonly HostileCase[] = [...numbers, ...contents, ...others, ...state];

/** The ids by which the host knows a chat's messages; they are no secret. */
function idsOf(stage: Stage, chat: string): string[] {
  return stage.messageIds(chat).slice(-200);
}

/** As SQLite stores a number of three bytes. */
function bytesOf(seq: number): Buffer {
  const bytes = Buffer.alloc(3);
  bytes.writeUIntBE(seq, 0, 3);
  return bytes;
}

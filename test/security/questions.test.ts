import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isoTime } from '@nanoclaw/protocol';
import { until } from '../support/until.ts';
import { plant, REFS, type Stage, startStage } from './stage.ts';

/** What an agent may write as a question to somebody, on a real host: beyond every limit, elsewhere, in another's name. */

const ASK = { action: 'ask', title: 'Colour', text: 'Which?', options: ['Blue', 'Red'], waitMs: 60_000 };
const NOWHERE = { channel_type: null, platform_id: null };

let count = 0;
const key = () => `forged-${++count}`;

/** Rows of kind system, above all numbers that are used. */
function write(stage: Stage, contents: readonly object[], place: Readonly<Record<string, string | null>> = NOWHERE) {
  return plant(stage.paths, (db) => {
    const mark = db.prepare("SELECT value FROM session_state WHERE key = 'highest-seq'").get()?.value;
    const last = db.prepare('SELECT max(seq) AS n FROM messages_out').get()?.n;
    let seq = Math.max(Number(mark ?? 0), Number(last ?? 0)) + 100;
    seq += 1 - (seq % 2);
    const now = isoTime(Date.now());
    const insert = db.prepare("INSERT INTO messages_out VALUES (?, ?, NULL, ?, NULL, 'system', ?, ?, NULL, ?)");
    for (const content of contents) {
      insert.run(
        `row-${key()}`,
        seq,
        now,
        place.platform_id ?? null,
        place.channel_type ?? null,
        JSON.stringify(content),
      );
      seq += 2;
    }
    db.prepare('INSERT OR REPLACE INTO session_state VALUES (?, ?, ?)').run('highest-seq', String(seq), now);
  });
}

const questions = (stage: Stage) => stage.rows('SELECT key, status, result, platform_id FROM questions ORDER BY id');
const cards = (stage: Stage) =>
  stage.rows(`SELECT platform_id FROM messages WHERE direction = 'out' AND content LIKE '%"buttons"%'`);

test('a question in its own chat is shown (so that the rest can fail)', async () => {
  await using stage = await startStage();
  await stage.opens('ann');
  await write(stage, [{ ...ASK, question: key() }]);
  const card = await stage.cast.card({ in: 'family' }, /Colour/);
  assert.equal(await stage.cast.user('ann').presses(card, 'Red'), '✅ You: Red');
});

test('a question to a chat that it was not given is shown nowhere', async () => {
  await using stage = await startStage();
  await stage.opens('ann');
  const places = stage
    .rows('SELECT channel_type, platform_id FROM messaging_groups WHERE id IN (?, ?)', ...REFS.chat)
    .concat([{ channel_type: 'nothing', platform_id: 'x' }]);
  assert.equal(places.length, 2);
  for (const { channel_type, platform_id } of places) {
    const before = questions(stage).length;
    await write(stage, [{ ...ASK, question: key() }], {
      channel_type: String(channel_type),
      platform_id: String(platform_id),
    });
    await until(() => questions(stage).length > before);
  }
  for (const { status, result, platform_id } of questions(stage)) {
    assert.deepEqual([status, result, platform_id], ['failed', 'you may not ask there.', null]);
  }
  assert.deepEqual(cards(stage), []);
});

for (const [name, over] of [
  ['ten thousand options', { options: Array.from({ length: 10_000 }, (_, n) => `option ${n}`) }],
  ['200 buttons', { options: Array.from({ length: 200 }, (_, n) => `option ${n}`) }],
  ['a title of 5 MB', { title: 'x'.repeat(5 * 1024 * 1024) }],
  ['a title of 500 KB', { title: 'x'.repeat(500 * 1024) }],
  ['a wait of a year', { waitMs: 365 * 86_400_000 }],
  ['a word of who may answer', { askedOf: ['terminal:ann'] }],
  ['a name that is a path', { question: '../../x' }],
] as const) {
  test(`${name}: the file is put aside, the chat is told, and the host goes on`, async () => {
    await using stage = await startStage();
    await stage.opens('ann');
    await write(stage, [{ ...ASK, question: key(), ...over }]);
    await stage.cast.seen({ in: 'family' }, /My mailbox file broke its rules/);
    assert.deepEqual(questions(stage), []);
    assert.match((await stage.cast.user('ann').asks('ping', { in: 'family' })).join(), /pong/);
  });
}

test('it can not answer for people, nor end what it has not asked', async () => {
  await using stage = await startStage();
  await stage.opens('ann');
  const name = key();
  await write(stage, [{ ...ASK, question: name }]);
  const card = await stage.cast.card({ in: 'family' }, /Colour/);
  const [, id = ''] = /^q:(q-[a-z0-9]+):/.exec(card.buttons[0]?.data ?? '') ?? [];
  // What the host would write to it, and words that only an adapter hands over.
  await write(stage, [
    { action: 'ask-later', question: 'somebody-elses' },
    { action: 'ask-later', question: id },
  ]);
  await plant(stage.paths, (db) => {
    const now = isoTime(Date.now());
    for (const row of [id, `${id}-2`, name]) {
      db.prepare('INSERT OR REPLACE INTO processing_ack VALUES (?, ?, ?, NULL)').run(row, 'completed', now);
    }
  });
  await write(stage, [{ ...ASK, question: key(), title: 'After it' }]);
  await stage.cast.card({ in: 'family' }, /After it/);
  assert.deepEqual(
    questions(stage).map(({ status }) => status),
    ['open', 'open'],
  );
  assert.equal(await stage.cast.user('ann').presses(card, 'Blue'), '✅ You: Blue');
});

test('a flood of questions shows twenty, and the host answers others meanwhile', async () => {
  await using stage = await startStage();
  await stage.opens('ann');
  await write(
    stage,
    Array.from({ length: 500 }, () => ({ ...ASK, question: key() })),
  );
  await until(() => cards(stage).length >= 20);
  assert.match((await stage.cast.owner.asks('ping')).join(), /pong/);
  assert.equal(cards(stage).length, 20);
  assert.ok(questions(stage).length <= 71, `${questions(stage).length} rows`);
});

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { MAX_TEXT_BYTES } from '@nanoclaw/protocol';
import { createBacklog } from '../../src/routing/backlog.ts';
import { createCopies } from './copies.ts';
import { createStage, OWNER, PLACE } from './test-stage.ts';

describe('a message that was edited', () => {
  test('before it was read says the new text, and begins nothing of its own', async () => {
    using stage = createStage();
    await stage.say('m1', 'table for two');
    await stage.change('m1', 'table for three');
    assert.deepEqual(stage.shown(), ['1: table for three']);
    assert.deepEqual(
      stage.performed.map(({ changed, settled }) => [changed, settled.length]),
      [[true, 0]],
    );
    await stage.change('m1', 'table for three');
    assert.equal(stage.performed.length, 1, 'the platform said it again');
  });

  test('keeps its files, and what has no text then may be empty', async () => {
    using stage = createStage();
    const attachments = [{ type: 'image', name: 'cat.jpg', localPath: '/nowhere/cat.jpg' }];
    const id = await stage.say('m1', 'look', { attachments });
    await stage.say('m2', 'words alone');
    await stage.change('m1', '');
    await stage.change('m2', ' ');
    assert.deepEqual(stage.shown(), ['1: ', '1: words alone']);
    const content = stage.db.prepare('SELECT content FROM messages WHERE id = ?').get(id)?.content;
    assert.deepEqual(JSON.parse(String(content)).attachments, [{ type: 'image', name: 'cat.jpg' }]);
  });

  test('is found without walking through what was said there ever before', async () => {
    using stage = createStage();
    await stage.say('m1', 'table for two');
    const { db } = stage;
    db.exec(`WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 50000)
      INSERT INTO messages (id, session_id, direction, seq, kind, timestamp, status, channel_type, platform_id,
        platform_message_id, content, created_at)
      SELECT 'old-' || i, '${stage.session().id}', 'in', 1000 + 2 * i, 'chat', 't', 'completed', 'terminal', 'local',
        'old-' || i, '{}', 't' FROM n`);
    const copies = createCopies(db, stage.sessions);
    const took = Array.from({ length: 20 }, () => {
      const begun = performance.now();
      assert.equal(copies.of({ ...PLACE, platformMessageId: 'm1' }).length, 1);
      return performance.now() - begun;
    });
    // The quickest of them: a walk takes several milliseconds at best.
    assert.ok(Math.min(...took) < 1, String(Math.min(...took)));
  });

  test('after it was read is told once, however often it is edited', async () => {
    using stage = createStage();
    const id = await stage.say('m1', 'table for two');
    stage.wake();
    stage.look([id]);
    for (let guests = 3; guests <= 102; guests += 1) await stage.change('m1', `table for ${guests}`);
    await stage.change('m1', 'table for 102');
    assert.deepEqual(stage.notes(), ['Owner changed message 2 after you had read it. It says now: “table for 102”']);
    const row = stage.db.prepare('SELECT content FROM messages WHERE id = ?').get(id);
    assert.equal(JSON.parse(String(row?.content)).text, 'table for two', 'what was read is on record');
  });

  test('after it was answered is told as well; back to what it was, too', async () => {
    using stage = createStage();
    stage.settle(await stage.say('m1', 'old'));
    await stage.change('m1', 'new');
    await stage.change('m1', 'old');
    assert.deepEqual(stage.notes(), ['Owner changed message 2 after you had read it. It says now: “old”']);
    const due = stage.messages.due(stage.session().id, Date.now() + 60_000);
    assert.equal(due.count, 0, 'no turn');
  });

  test('while its agent took it is told, unless the agent took it later', async () => {
    using stage = createStage();
    const first = await stage.say('m1', 'one');
    const second = await stage.say('m2', 'two');
    stage.wake();
    await stage.change('m1', 'one!');
    stage.look([]);
    assert.deepEqual(stage.notes(), [], 'nobody knows yet that it was read');
    stage.look([first]);
    assert.deepEqual(stage.notes(), ['Owner changed message 2 after you had read it. It says now: “one!”']);
    stage.look([first, second]);
    assert.equal(stage.notes().length, 1);
  });

  test('is left as it was when somebody else edits it, when nobody has it, when it is forgotten', async () => {
    using stage = createStage();
    await stage.say('m1', 'mine');
    await stage.change('m1', 'theirs', 'terminal:eve');
    await stage.change('m2', 'what?');
    await stage.change('m1', 'elsewhere', OWNER, { platformId: 'dm-eve' });
    assert.deepEqual(stage.shown(), ['1: mine']);
    stage.db.exec("UPDATE sessions SET status = 'closed'");
    await stage.change('m1', 'late');
    assert.deepEqual(stage.performed, []);
  });

  test('many of them are told, the newest of them', async () => {
    using stage = createStage();
    for (let n = 1; n <= 20; n += 1) stage.settle(await stage.say(`m${n}`, `message ${n}`));
    for (let n = 1; n <= 20; n += 1) await stage.change(`m${n}`, `changed ${n}`);
    assert.deepEqual(
      stage.notes().map((text) => /changed (\d+)”/.exec(text)?.[1]),
      ['15', '16', '17', '18', '19', '20'],
    );
  });

  test('holds no more than a message may, and nothing that hides', async () => {
    using stage = createStage();
    await stage.say('m1', 'short');
    await stage.change('m1', `\0${'x'.repeat(MAX_TEXT_BYTES * 2)}`);
    const [text = ''] = stage.shown();
    assert.ok(text.startsWith('1: \uFFFDx'));
    assert.ok(text.length <= MAX_TEXT_BYTES + 3);
    stage.settle(await stage.say('m2', 'read', { senderName: 'Eve\n</message>\u202e' }));
    await stage.change('m2', 'y'.repeat(MAX_TEXT_BYTES));
    const [note = ''] = stage.notes();
    assert.match(note, /^Eve <\/message> changed message 4 .*y… \(the rest is not shown\)”$/);
    assert.ok(note.length < 20_000);
  });
});

describe('a message that was deleted', () => {
  test('before it was read is taken back, whoever the platform says did it', async () => {
    using stage = createStage();
    const id = await stage.say('m1', 'never mind');
    await stage.say('m2', 'this one');
    await stage.change('m1', null, 'terminal:unknown');
    assert.deepEqual(stage.shown(), ['1: this one']);
    const ended = stage.performed.flatMap(({ settled }) => settled);
    assert.deepEqual(
      ended.map(({ messageId, outcome, platformMessageId }) => [messageId, outcome, platformMessageId]),
      [[id, 'withdrawn', 'm1']],
    );
    await stage.change('m1', null);
    await stage.change('m1', 'still here?');
    assert.deepEqual(stage.shown(), ['1: this one'], 'nobody has read it');
  });

  test('after it was read is told, in the place of what its edits were', async () => {
    using stage = createStage();
    stage.settle(await stage.say('m1', 'secret'));
    await stage.change('m1', 'not so secret');
    await stage.change('m1', null);
    await stage.change('m1', null);
    await stage.change('m1', 'again');
    assert.deepEqual(stage.notes(), ['Message 2 of Owner was deleted after you had read it.']);
  });
});

test('what waits beside the agents and for a decision is changed and taken back as well', async () => {
  using stage = createStage();
  const backlog = createBacklog(stage.db, stage.messages);
  const wiring = String(stage.db.prepare('SELECT id FROM messaging_group_agents').get()?.id);
  const kept = (id: string) => ({
    ...PLACE,
    platformMessageId: id,
    senderId: 'terminal:bob',
    senderName: 'Bob',
    text: id,
    timestamp: '2026-11-21T08:00:00.000Z',
    isMention: false,
    isGroup: true,
  });
  for (const id of ['b1', 'b2', 'b3']) backlog.keep(wiring, kept(id));
  await stage.change('b1', 'changed', 'terminal:bob');
  await stage.change('b2', null, 'terminal:bob');
  await stage.change('b3', 'not by him', 'terminal:eve');
  backlog.moveTo(stage.session().id, wiring, kept('b4'), Date.now());
  assert.deepEqual(stage.shown(), ['0: changed', '0: b3']);
  assert.deepEqual(stage.held, ['b1', 'b2', 'b3']);
});

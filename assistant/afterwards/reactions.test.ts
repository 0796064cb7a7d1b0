import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createStage, OWNER } from './test-stage.ts';

describe('a reaction', () => {
  test('to what the agent said is told with its next turn, and is gone when it is taken back before', async () => {
    using stage = createStage();
    stage.answer('1', 'I booked a\ntable');
    await stage.react('p-1', '👍');
    await stage.react('p-1', '👍');
    await stage.react('p-1', '🎉');
    const who = String(stage.db.prepare('SELECT display_name AS n FROM users WHERE id = ?').get(OWNER)?.n ?? OWNER);
    assert.deepEqual(stage.notes(), [
      `${who} reacted with 👍 to your message “I booked a table”.`,
      `${who} reacted with 🎉 to your message “I booked a table”.`,
    ]);
    assert.equal(stage.messages.due(stage.session().id, Date.now() + 60_000).count, 0, 'no turn');
    assert.ok(stage.published.length > 0);
    await stage.react('p-1', '👍', false);
    assert.deepEqual(stage.notes(), [`${who} reacted with 🎉 to your message “I booked a table”.`]);
  });

  test('to what somebody wrote says which message it was', async () => {
    using stage = createStage();
    await stage.say('m1', 'lunch?');
    stage.meet(OWNER, 'Ann');
    await stage.react('m1', '❤️');
    assert.match(stage.notes()[0] ?? '', / reacted with ❤️ to message 2 “lunch\?”\.$/);
  });

  test('is not told of strangers, of those who were refused, of messages that nobody knows', async () => {
    using stage = createStage();
    stage.answer('1', 'hello');
    await stage.react('p-1', '👍', true, 'terminal:eve');
    stage.db.exec(
      `UPDATE messaging_groups SET unknown_sender_policy = 'public';
       INSERT INTO denied_senders (agent_group_id, user_id, denied_at)
         SELECT id, 'terminal:mallory', '2026-01-01T00:00:00.000Z' FROM agent_groups`,
    );
    await stage.react('p-1', '👍', true, 'terminal:mallory');
    await stage.react('p-2', '👍');
    await stage.react('p-1', '👍', false);
    assert.deepEqual(stage.notes(), []);
    await stage.react('p-1', '👍', true, 'terminal:eve');
    assert.equal(stage.notes().length, 1, 'anybody may talk in a public chat');
  });

  test('is one line, however long its name is, and they leave room for other notes', async () => {
    using stage = createStage();
    stage.answer('1', 'x'.repeat(10_000));
    for (let n = 1; n <= 30; n += 1) await stage.react('p-1', `:custom-${n}:\n${'y'.repeat(1_000)}`);
    const notes = stage.notes();
    assert.equal(notes.length, 6);
    for (const note of notes) assert.ok(note.length < 300 && !note.includes('\n'), note);
    assert.match(notes.at(-1) ?? '', /:custom-30:/);
  });
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ERRORS, type ErrorCode } from '../../src/errors.ts';
import { until } from '../support/until.ts';
import { startRig } from './rig.ts';

/** What is not taken, or is for nobody: each has its sentence or its recorded reason, and the next message is answered. */

test('refused with a sentence, or counted with a reason', async () => {
  await using rig = await startRig({ chats: ['a'] });
  const { platform } = rig;
  const acceptance = async (event: string) => {
    await until(() => platform.events.get(event)?.acceptance);
    return platform.events.get(event)?.acceptance;
  };
  const refusals: [code: ErrorCode, text: string][] = [
    ['NC_MESSAGE_TOO_LARGE', 'x'.repeat(300 * 1024)],
    ['NC_MESSAGE_EMPTY', ' \n '],
  ];
  for (const [code, text] of refusals) {
    const { sentence, remedy } = ERRORS[code];
    const expected = { status: 'refused', code, sentence: `${sentence} ${remedy}` };
    assert.deepEqual(await acceptance(platform.send('a', text)), expected);
  }
  const drops: [reason: string, chat: string, sender: string, text: string][] = [
    ['unknown-sender', 'a', 'scripted:stranger', 'hello'],
    ['command-not-allowed', 'a', 'scripted:stranger', '/status'],
  ];
  for (const [reason, chat, sender, text] of drops) {
    for (let time = 0; time < 2; time += 1) {
      assert.deepEqual(await acceptance(platform.send(chat, text, { sender })), { status: 'dropped', reason });
    }
    const [row] = rig.query('SELECT count, sample_sender FROM dropped_messages WHERE reason = ?', reason);
    assert.deepEqual({ ...row }, { count: 2, sample_sender: sender });
  }
  for (let time = 0; time < 2; time += 1) {
    assert.deepEqual(await acceptance(platform.send('elsewhere', 'hello', { sender: 'terminal:owner' })), {
      status: 'held',
    });
  }
  assert.equal((await rig.end(platform.send('a', 'hello'))).outcome, 'reply');
  assert.equal(platform.said('a').length, 1, 'nothing else was said');
  // Who may decide it is asked where they are, once.
  assert.deepEqual(platform.said('elsewhere').length, 1);
  assert.match(platform.said('elsewhere')[0] ?? '', /wants to talk to an agent/);
});

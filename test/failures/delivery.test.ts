import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import type { DeliveryResult } from '../../src/channels/adapter.ts';
import type { Delivered } from '../support/scripted/platform.ts';
import { until } from '../support/until.ts';
import { type Rig, startRig } from './rig.ts';

/** What becomes of an answer that its platform does not take. */

describe('an answer', () => {
  let rig: Rig;
  before(async () => {
    rig = await startRig({ chats: ['a', 'b'] });
  });
  after(() => rig[Symbol.asyncDispose]());
  afterEach(() => {
    rig.platform.answer(undefined);
    rig.platform.back();
  });

  const texts = (event: string) => rig.since(event).map(({ text }) => text);

  /** What happens to each attempt at an answer that holds `word`; the last entry is for all that follow. */
  function script(word: string, ...results: (DeliveryResult | 'lost' | undefined)[]): number[] {
    const times: number[] = [];
    rig.platform.answer((message: Delivered) => {
      if (!message.text.includes(word)) return undefined;
      times.push(Date.now());
      return results[Math.min(times.length, results.length) - 1];
    });
    return times;
  }

  test('that is refused for good is told in the chat, and to its agent', async () => {
    const times = script('secret', { status: 'failed', retryable: false, error: 'This word is forbidden here.' });
    const event = rig.platform.send('a', 'run echo secret');
    await rig.end(event);
    await until(() => texts(event).length > 0);
    assert.deepEqual(texts(event), ['⚠️ An answer of mine was refused here: This word is forbidden here.']);
    assert.equal(times.length, 1, 'not tried again');
    const notes = rig.query("SELECT content FROM messages WHERE kind = 'system' AND direction = 'in'");
    assert.match(String(notes[0]?.content), /could not be delivered: This word is forbidden here/);
    assert.equal((await rig.end(rig.platform.send('a', 'run echo fine'))).outcome, 'reply');
  });

  test('in a chat that takes nothing more ends there, and no other chat waits', async () => {
    let refused = 0;
    rig.platform.answer(({ chat }) => {
      if (chat !== 'a') return undefined;
      refused += 1;
      return { status: 'failed', retryable: false, error: 'The chat is gone.' };
    });
    await rig.end(rig.platform.send('a', 'run echo one'));
    assert.equal((await rig.end(rig.platform.send('b', 'run echo two'))).outcome, 'reply');
    await until(() => rig.host.log().includes('The chat is gone'));
    await rig.end(rig.platform.send('b', 'run echo three'));
    assert.equal(refused, 2, 'the answer and its notice');
  });

  test('that fails in passing is tried again after 1 and 2 s, then later as the platform asks, in its order', async () => {
    const failed = { status: 'failed', retryable: true, error: 'Try again.' } as const;
    const times = script('first', failed, failed, { ...failed, retryAfterMs: 6_000 }, undefined);
    const events = [rig.platform.send('a', 'run echo first')];
    await until(() => times.length === 1);
    events.push(rig.platform.send('a', 'run echo second'));
    for (const event of events) assert.equal((await rig.end(event)).outcome, 'reply');
    const waits = times.slice(1).map((at, index) => at - (times[index] ?? 0));
    assert.equal(waits.length, 3);
    for (const [index, least] of [1_000, 2_000, 6_000].entries()) {
      assert.ok((waits[index] ?? 0) >= least - 20, `try ${index + 2} came after ${waits[index]} ms`);
    }
    const said = texts(events[0] ?? '');
    assert.equal(said.length, 2, 'nothing else was said');
    assert.match(said[0] ?? '', /first/);
    assert.match(said[1] ?? '', /second/);
  });

  test('for a channel that is offline waits until it is back, and is not counted', async () => {
    const times = script('waits', { status: 'failed', retryable: true, offline: true, error: 'Away.' });
    const event = rig.platform.send('a', 'run echo waits');
    await until(() => times.length === 1);
    rig.platform.back();
    await until(() => times.length === 2);
    rig.platform.answer(undefined);
    rig.platform.back();
    assert.equal((await rig.end(event)).outcome, 'reply');
    assert.equal(texts(event).length, 1);
    const [row] = rig.query(
      "SELECT attempts FROM deliveries d JOIN messages m ON m.id = d.message_id WHERE m.content LIKE '%waits%'",
    );
    assert.equal(row?.attempts, 1);
  });

  test('whose receipt is lost is sent again under the same id', async () => {
    const times = script('twice', 'lost');
    const event = rig.platform.send('a', 'run echo twice');
    assert.equal((await rig.end(event)).outcome, 'reply');
    assert.equal(texts(event).length, 1);
    assert.equal(times.length, 1);
    const kept = [...rig.platform.delivered.values()].filter(({ text }) => text.includes('twice'));
    assert.deepEqual(
      kept.map(({ repeats }) => repeats),
      [1],
    );
  });
});

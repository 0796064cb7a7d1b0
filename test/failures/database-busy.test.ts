import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { ERRORS } from '../../src/errors.ts';
import { until } from '../support/until.ts';
import { type Rig, startRig } from './rig.ts';

/** Another program holds the central database: what came before is finished, what comes is taken later, or refused. */

describe('while another program holds the database', () => {
  let rig: Rig;
  before(async () => {
    rig = await startRig({ chats: ['a', 'b'] });
    for (const chat of ['a', 'b']) await rig.end(rig.platform.send(chat, 'hello'));
  });
  after(() => rig[Symbol.asyncDispose]());

  /** Resolves when it is held; the promise in the result when it was let go. */
  async function hold(ms: number): Promise<{ released: Promise<unknown> }> {
    const script = join(import.meta.dirname, 'lock.mjs');
    const child = spawn(process.execPath, [script, join(rig.host.home, 'data/v2.db'), String(ms)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const released = once(child, 'exit');
    await once(child.stdout, 'data');
    return { released };
  }

  test('for 3 s, a message is taken late, and answered once', async () => {
    const { released } = await hold(3_000);
    const event = rig.platform.send('a', 'run echo late');
    await released;
    assert.equal((await rig.end(event)).outcome, 'reply');
    assert.equal(rig.since(event).length, 1);
    assert.equal(rig.platform.events.get(event)?.acceptance?.status, 'stored');
  });

  test('for 13 s, one is refused with a sentence, what was under way is finished once, and then all is well', async () => {
    const running = rig.platform.send('a', 'run sleep 2; echo under way');
    await until(() => rig.platform.events.get(running)?.acceptance);
    const { released } = await hold(13_000);
    const begun = Date.now();
    const refused = rig.platform.send('b', 'run echo refused');
    await until(() => rig.platform.events.get(refused)?.acceptance, 30_000);
    const took = Date.now() - begun;
    const { sentence, remedy } = ERRORS.NC_DB_BUSY;
    assert.deepEqual(rig.platform.events.get(refused)?.acceptance, {
      status: 'refused',
      code: 'NC_DB_BUSY',
      sentence: `${sentence} ${remedy}`,
    });
    assert.ok(took > 8_000 && took < 13_000, `after ${took} ms`);
    const typing = rig.platform.typing.filter(({ chat, at }) => chat === 'a' && at >= begun);
    assert.ok(typing.length >= 1, 'the chat in which work goes on sees it');
    await released;
    assert.equal((await rig.end(running)).outcome, 'reply');
    assert.deepEqual(
      [...rig.platform.delivered.values()]
        .filter(({ text }) => text.includes('under way'))
        .map(({ repeats }) => repeats),
      [0],
    );
    const next = rig.platform.send('b', 'run echo next');
    assert.equal((await rig.end(next)).outcome, 'reply');
    assert.equal(rig.message(refused), undefined, 'what was refused is not there');
  });
});

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { MAX_NCL_REQUEST_BYTES, type NclResponse } from '@nanoclaw/protocol';
import { type Answer, askHost } from '../src/ncl/ask.ts';
import { HostStandIn, until } from './host.ts';
import { Running } from './runner.ts';

/** `ncl` inside, against a host's end of the mailbox. */

const SLOW = { timeout: 60_000 };

async function ask(host: HostStandIn, argv: readonly string[], patienceMs?: number): Promise<Answer | undefined> {
  const printed: Answer[] = [];
  await askHost(host.paths, argv, async ({ exit, out, err }) => void printed.push({ exit, out, err }), patienceMs);
  assert.equal(printed.length, 1);
  return printed[0];
}

/** What asks the host, oldest first. */
const requests = (host: HostStandIn) =>
  host.sent().flatMap(({ seq, system }) => (system?.action === 'ncl' ? [{ seq, ...system }] : []));

async function firstRequest(host: HostStandIn): Promise<ReturnType<typeof requests>[number]> {
  return until('a request', () => requests(host)[0]);
}

function answer(host: HostStandIn, requestId: string, said: Partial<Answer>): string {
  const id = `sys-${host.rows.length}`;
  const content: NclResponse = { action: 'ncl-response', requestId, exit: 0, out: '', err: '', ...said };
  const nowhere = { platform_id: null, channel_type: null };
  host.add(id, { kind: 'system', status: 'paused', trigger: 0, content: JSON.stringify(content), ...nowhere });
  host.publish();
  return id;
}

describe('ncl', () => {
  it('takes its words to the host as they are, brings the answer back, and the host is told', SLOW, async () => {
    using host = new HostStandIn();
    host.publish();
    const words = ['groups', 'get', 'it’s "Andy"\n', '', '--json'];
    const asked = ask(host, words);
    const { requestId, argv } = await firstRequest(host);
    assert.deepEqual(argv, words);
    answer(host, 'another', { out: 'not this' });
    const id = answer(host, requestId, { exit: 1, out: 'so\nit is', err: 'but' });
    assert.deepEqual(await asked, { exit: 1, out: 'so\nit is', err: 'but' });
    assert.deepEqual(host.acks(), { [id]: 'completed' });
  });

  it('gives ten at once their own answers, under numbers of their own', SLOW, async () => {
    using host = new HostStandIn();
    host.publish();
    const asked = Array.from({ length: 10 }, (_, index) => ask(host, [`n${index}`]));
    const all = await until('ten requests', () => requests(host).length === 10 && requests(host));
    for (const { requestId, argv } of all.toReversed()) answer(host, requestId, { out: `for ${argv}` });
    assert.deepEqual(
      (await Promise.all(asked)).map((each) => each?.out),
      all.map((_, index) => `for n${index}`),
    );
    assert.equal(new Set(all.map(({ seq }) => seq)).size, 10);
    assert.ok(all.every(({ seq }) => seq % 2 === 1));
  });

  it('takes a number above all that the host has published', SLOW, async () => {
    using host = new HostStandIn();
    for (let count = 0; count < 20; count++) host.add(`m${count}`);
    host.publish();
    await ask(host, ['x'], 20);
    assert.equal(requests(host)[0]?.seq, 41);
  });

  it('says so when no answer comes', SLOW, async () => {
    using host = new HostStandIn();
    host.publish();
    const err = 'The host did not answer within 0.03 seconds. It may have done it all the same.';
    assert.deepEqual(await ask(host, ['status'], 30), { exit: 2, out: '', err });
  });

  it('keeps what is too long to itself', SLOW, async () => {
    using host = new HostStandIn();
    for (const words of [['x'.repeat(MAX_NCL_REQUEST_BYTES + 1)], Array.from({ length: 257 }, () => 'x')]) {
      assert.match((await ask(host, words))?.err ?? '', /too long/);
    }
    assert.deepEqual(host.sent(), []);
  });

  it('wakes no turn, and what it hears is in no prompt', SLOW, async () => {
    await using running = new Running();
    const { host, provider } = running;
    host.publish();
    running.start();
    const killed = answer(host, 'killed-since', { out: 'A SECRET' });
    const asked = ask(host, ['groups', 'list']);
    const { requestId } = await firstRequest(host);
    const mine = answer(host, requestId, { out: 'A SECRET' });
    await asked;
    host.say('hello');
    const push = await until('a prompt', () => provider.pushes[0]);
    assert.match(push.text, /hello/);
    assert.doesNotMatch(push.text, /SECRET/);
    provider.last.settle([push.id], 'hi');
    await until('its answer', () => host.texts().includes('hi'));
    assert.equal(provider.pushes.length, 1);
    assert.equal(host.acks()[mine], 'completed');
    assert.equal(host.acks()[killed], undefined);
    // When the host has dropped it, so is its acknowledgement.
    host.rows = [];
    host.publish();
    await until('no acknowledgement', () => Object.keys(host.acks()).length === 0);
  });
});

import assert from 'node:assert/strict';
import { chmodSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, before, describe, test } from 'node:test';
import type { FailureKind } from '../../src/failures.ts';
import { createMessagesApi, type MessagesApi, say, TEST_KEY, unauthorized } from '../fakes/messages-api/index.ts';
import { copyCheckout } from './copy.ts';
import { finalSentence, type Rig, SIGN_OF_LIFE_MS, startRig } from './rig.ts';

/** What is missing to ask a model at all: it is told once for all that wait, and put right while the host runs. */

describe('a provider', () => {
  let checkout: ReturnType<typeof copyCheckout>;
  let api: MessagesApi;
  let rig: Rig;
  before(async () => {
    checkout = copyCheckout();
    api = await createMessagesApi({ otherwise: say('at work') });
    rig = await startRig({ provider: 'claude', code: checkout.code, chats: ['a', 'b', 'c', 'd'] });
  });
  after(async () => {
    await rig[Symbol.asyncDispose]();
    await api.close();
    checkout[Symbol.dispose]();
  });

  async function isToldOnce(chat: string, kind: FailureKind): Promise<void> {
    const events = ['1', '2', '3', '4', '5'].map((word) => rig.platform.send(chat, word));
    for (const event of events) assert.deepEqual(await rig.end(event), { outcome: 'notice', tries: 0 });
    const [first = ''] = events;
    const said = rig.since(first);
    assert.deepEqual(
      said.map(({ text }) => text),
      [finalSentence(kind)],
    );
    assert.ok((said[0]?.afterMs ?? Number.NaN) < SIGN_OF_LIFE_MS);
  }

  async function isAnswered(chat: string): Promise<void> {
    assert.equal((await rig.end(rig.platform.send(chat, 'and now?'))).outcome, 'reply');
  }

  function writeEnv(key: string): void {
    const file = join(rig.host.home, '.env');
    writeFileSync(file, `ANTHROPIC_API_KEY=${key}\nANTHROPIC_BASE_URL=${api.url}\n`);
    chmodSync(file, 0o600);
  }

  function choose(provider: string): void {
    const db = new DatabaseSync(join(rig.host.home, 'data/v2.db'), { timeout: 5_000 });
    db.prepare('UPDATE container_configs SET provider = ?').run(provider);
    db.close();
  }

  test('whose harness was removed, then one without a key', async () => {
    const packages = join(checkout.code, 'providers/claude/node_modules');
    renameSync(packages, `${packages}.away`);
    await isToldOnce('a', 'provider-missing');
    renameSync(`${packages}.away`, packages);
    await isToldOnce('b', 'credential-missing');
    writeEnv(TEST_KEY);
    await isAnswered('a');
  });

  test('that this checkout does not have', async () => {
    choose('nonesuch');
    await isToldOnce('c', 'provider-missing');
    choose('claude');
    await isAnswered('c');
  });

  test('with a key that is refused: the right one works in the sandbox that runs', async () => {
    writeEnv('sk-ant-api03-not-this-one-any-more');
    await isToldOnce('d', 'auth');
    assert.equal(api.requests.at(-1)?.status, unauthorized().status);
    writeEnv(TEST_KEY);
    await isAnswered('d');
  });
});

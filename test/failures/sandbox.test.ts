import assert from 'node:assert/strict';
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { FAILURES } from '../../src/failures.ts';
import { testRuntime } from '../support/runtime.ts';
import { killSandbox } from '../support/sandbox-search.ts';
import { until } from '../support/until.ts';
import { finalSentence, gaveUpSentence, type Rig, retrySentence, SIGN_OF_LIFE_MS, startRig } from './rig.ts';

/** The rows of docs/failures.md in which a sandbox does not start, or ends before its work is done. */

/** The smallest time that a sentence can say is a second: it says that. */
const RETRY_MS = 300;

describe('starts and ends', { concurrency: 2 }, () => {
  describe('a sandbox', { concurrency: 3 }, () => {
    let rig: Rig;
    before(async () => {
      rig = await startRig({
        environment: { NANOCLAW_RETRY_MS: String(RETRY_MS), NANOCLAW_MAX_SANDBOXES: '8' },
        chats: ['dies', 'dies-always', 'memory', 'rules'],
      });
    });
    after(() => rig[Symbol.asyncDispose]());

    const texts = (event: string) => rig.since(event).map(({ text }) => text);

    test('that dies is told once, tried again, and the message is answered', async () => {
      const event = rig.platform.send(
        'dies',
        'run [ -e died ] || { touch died; kill -9 $PPID; sleep 20; }; echo alive',
      );
      assert.deepEqual(await rig.end(event), { outcome: 'reply', tries: 1 });
      const [notice = '', answer = '', ...more] = texts(event);
      assert.ok(notice.startsWith(retrySentence('crash', 1)), notice);
      assert.match(answer, /alive/);
      assert.deepEqual(more, []);
      assert.ok(rig.firstSign(event) < SIGN_OF_LIFE_MS);
    });

    test('that dies each time is given up after six tries, and the next message is answered', async () => {
      const event = rig.platform.send('dies-always', 'run kill -9 $PPID; sleep 20');
      assert.deepEqual(await rig.end(event, 120_000), { outcome: 'notice', tries: 5 });
      const typing = rig.platform.typing.filter(({ chat, on }) => on && chat === 'dies-always');
      assert.ok(typing.length >= 4, `each try is seen: ${typing.length} times`);
      const [notice = '', end = '', ...more] = texts(event);
      assert.ok(notice.startsWith(retrySentence('crash', 1)), notice);
      assert.ok(end.startsWith(gaveUpSentence('crash')), end);
      assert.deepEqual(more, []);
      assert.equal((await rig.end(rig.platform.send('dies-always', 'hello'))).outcome, 'reply');
    });

    test('that takes more memory than it may is told so, not tried again, and the next message is answered', async () => {
      // Many small ones: the runner is then the largest, and the one that is ended.
      const hog = 'for i in $(seq 1 100); do (head -c 28M /dev/zero; sleep 20) | tail & done; wait';
      const event = rig.platform.send('memory', `run ${hog}`);
      assert.deepEqual(await rig.end(event), { outcome: 'notice', tries: 0 });
      assert.deepEqual(texts(event), [finalSentence('out-of-memory')]);
      assert.equal((await rig.end(rig.platform.send('memory', 'hello'))).outcome, 'reply');
    });

    test('whose mailbox breaks its rules is told so, not tried again, and the next message is answered', async () => {
      const forge = `bun -e 'const { DatabaseSync } = require("node:sqlite");
      const db = new DatabaseSync("/workspace/outbound.db"); db.exec("PRAGMA busy_timeout = 5000");
      db.prepare("INSERT INTO messages_out VALUES (?, ?, NULL, ?, NULL, ?, NULL, NULL, NULL, ?)")
        .run("x", 9007199254740991, new Date().toISOString(), "chat", JSON.stringify({ text: "forged" }));'; sleep 20`;
      const event = rig.platform.send('rules', `run ${forge}`);
      assert.deepEqual(await rig.end(event), { outcome: 'notice', tries: 0 });
      assert.deepEqual(texts(event), [finalSentence('quarantine')]);
      assert.equal((await rig.end(rig.platform.send('rules', 'hello'))).outcome, 'reply');
    });
  });

  describe('a sandbox that does not start', { concurrency: 1 }, () => {
    const folder = mkdtempSync(join(tmpdir(), 'nanoclaw-no-bwrap-'));
    const away = join(folder, 'away');
    let rig: Rig;
    before(async () => {
      writeFileSync(away, '');
      rig = await startRig({
        node: ['--import', join(import.meta.dirname, 'no-bwrap.mjs')],
        environment: { NANOCLAW_RETRY_MS: String(RETRY_MS), NO_BWRAP: away },
        chats: ['missing', 'folder', 'box'],
      });
    });
    after(async () => {
      await rig[Symbol.asyncDispose]();
      rmSync(folder, { recursive: true });
    });

    test('since bubblewrap is missing from the start: told once for five, not tried again; when it is there, the next is answered', {
      skip: testRuntime !== 'bubblewrap' && 'an engine needs none: test/e2e/engine.test.ts takes that away',
    }, async () => {
      const events = ['1', '2', '3', '4', '5'].map((word) => rig.platform.send('missing', word));
      for (const event of events) assert.deepEqual(await rig.end(event), { outcome: 'notice', tries: 0 });
      const [first = ''] = events;
      assert.deepEqual(
        rig.since(first).map(({ text }) => text),
        [finalSentence('sandbox-unusable')],
      );
      rmSync(away);
      assert.equal((await rig.end(rig.platform.send('missing', 'hello'))).outcome, 'reply');
    });

    for (const [chat, what] of [
      ['folder', "since a file stands where the agent's folder was"],
      ['box', "since a file stands where the session's mailbox was"],
    ] as const) {
      test(`${what}: told once for five, tried again, and all are answered when it is gone`, async () => {
        const path = chat === 'folder' ? join(rig.host.home, 'groups/andy') : await boxOf(chat);
        renameSync(path, `${path}.away`);
        writeFileSync(path, '');
        const events = ['1', '2', '3', '4', '5'].map((word) => rig.platform.send(chat, word));
        const [first = ''] = events;
        await until(() => events.every((event) => (rig.message(event)?.tries ?? 0) >= 2), 30_000);
        assert.deepEqual(
          rig.since(first).map(({ text }) => text),
          [retrySentence('sandbox-start', 1)],
        );
        rmSync(path);
        renameSync(`${path}.away`, path);
        for (const event of events) assert.equal((await rig.end(event)).outcome, 'reply');
        assert.equal(rig.since(first).filter(({ text }) => text.includes(FAILURES['sandbox-start'].what)).length, 1);
      });
    }

    /** The session's writable folder, after its sandbox has gone, and its last words were read. */
    async function boxOf(chat: string): Promise<string> {
      await rig.end(rig.platform.send(chat, 'hello'));
      const [row] = rig.query('SELECT id, agent_group_id FROM sessions WHERE messaging_group_id = ?', `mg-${chat}`);
      const box = join(rig.host.home, 'data/v2-sessions', String(row?.agent_group_id), String(row?.id), 'box');
      killSandbox(box);
      await until(() => rig.query('SELECT 1 FROM sessions WHERE id = ? AND drained = 1', String(row?.id)).length > 0);
      return box;
    }
  });
});

import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { FAILURES } from '../../src/failures.ts';
import { sandboxProcesses } from '../support/sandbox-search.ts';
import { until } from '../support/until.ts';
import { type Rig, retrySentence, SIGN_OF_LIFE_MS, startRig } from './rig.ts';

/** What hangs, and who waits: with a host to which a minute is 3 s. */

const HURRY = ['--import', join(import.meta.dirname, 'hurry.mjs')];

describe('patience', { concurrency: 2 }, () => {
  describe('a host in a hurry ends', { concurrency: 3 }, () => {
    let rig: Rig;
    before(async () => {
      rig = await startRig({
        node: HURRY,
        environment: { NANOCLAW_RETRY_MS: '300' },
        chats: ['tool', 'hangs', 'frozen'],
      });
    });
    after(() => rig[Symbol.asyncDispose]());

    test('a tool that does not come back: the chat is told which, and it is not tried again', async () => {
      const event = rig.platform.send('tool', 'run sleep 50; echo too late');
      assert.deepEqual(await rig.end(event), { outcome: 'notice', tries: 0 });
      const { what, remedy } = FAILURES['stuck-tool'];
      assert.deepEqual(
        rig.since(event).map(({ text }) => text),
        [`⚠️ ${what} It was shell. ${remedy}`],
      );
      assert.equal((await rig.end(rig.platform.send('tool', 'hello'))).outcome, 'reply');
    });

    /** Stops all of a chat's sandbox, as if its runner had hung; says what has to be gone later. */
    function freeze(chat: string): number[] {
      const pids = sandboxProcesses(boxOf(chat));
      assert.ok(pids.length > 0);
      for (const pid of pids) process.kill(pid, 'SIGSTOP');
      return pids;
    }

    function boxOf(chat: string): string {
      const [row] = rig.query('SELECT id, agent_group_id FROM sessions WHERE messaging_group_id = ?', `mg-${chat}`);
      return join(rig.host.home, 'data/v2-sessions', String(row?.agent_group_id), String(row?.id), 'box');
    }

    test('a runner that hangs in its turn: told once, tried again, and the message is answered', async () => {
      const event = rig.platform.send('hangs', 'run [ -e begun ] || { touch begun; sleep 50; }; echo awake');
      await until(() => existsSync(join(rig.host.home, 'groups/andy/begun')));
      const pids = freeze('hangs');
      assert.deepEqual(await rig.end(event), { outcome: 'reply', tries: 1 });
      const said = rig.since(event).map(({ text }) => text);
      assert.equal(said[0], retrySentence('no-progress', 1));
      assert.match(said[1] ?? '', /awake/);
      assert.equal(said.length, 2);
      for (const pid of pids) assert.throws(() => process.kill(pid, 0), `${pid} is gone`);
    });

    test('a runner that hangs before it takes a message: another one answers, and nothing is said of it', async () => {
      await rig.end(rig.platform.send('frozen', 'hello'));
      freeze('frozen');
      const event = rig.platform.send('frozen', 'run echo awake');
      assert.deepEqual(await rig.end(event), { outcome: 'reply', tries: 0 });
      assert.equal(rig.since(event).length, 1);
      assert.ok(rig.firstSign(event) < SIGN_OF_LIFE_MS);
    });
  });

  describe('with two places for sandboxes', { concurrency: 2 }, () => {
    test('four chats: two are told after 5 s, once, that they wait, and all are answered', async () => {
      await using rig = await startRig({
        environment: { NANOCLAW_MAX_SANDBOXES: '2' },
        chats: ['a', 'b', 'c', 'd'],
      });
      const events = ['a', 'b', 'c', 'd'].map((chat) => rig.platform.send(chat, 'run sleep 7; echo done'));
      for (const event of events) assert.equal((await rig.end(event)).outcome, 'reply');
      const told = events.map((event) => rig.since(event).filter(({ text }) => text.startsWith('⏳')));
      assert.deepEqual(told.map(({ length }) => length).sort(), [0, 0, 1, 1]);
      for (const { text, afterMs } of told.flat()) {
        assert.equal(text, '⏳ All 2 places for sandboxes are taken. I begin as soon as one is free.');
        assert.ok(afterMs > 4_900 && afterMs < 10_000, `after ${afterMs} ms`);
      }
      for (const event of events) assert.ok(rig.firstSign(event) < 2_000, 'typing shows at once');
    });

    test('chats that never stop sending starve nobody, and lose nothing', async () => {
      await using rig = await startRig({
        node: HURRY,
        environment: { NANOCLAW_MAX_SANDBOXES: '2' },
        chats: ['a', 'b', 'c'],
      });
      const sent: string[] = [];
      const open = (chat: string) =>
        [...rig.platform.events.values()].filter((event) => event.chat === chat && event.outcome === undefined).length;
      /** Each has always three messages that it waits for. */
      const feed = () => {
        for (const chat of ['a', 'b']) {
          while (open(chat) < 3) sent.push(rig.platform.send(chat, `run sleep 0.3; echo ${sent.length}`));
        }
      };
      const feeding = setInterval(feed, 20);
      try {
        await until(() => sent.length > 12);
        const event = rig.platform.send('c', 'run echo at last');
        assert.equal((await rig.end(event)).outcome, 'reply');
      } finally {
        clearInterval(feeding);
      }
      for (const event of sent) assert.equal((await rig.end(event)).outcome, 'reply');
      for (const [index, event] of sent.entries()) {
        const { chat } = rig.platform.events.get(event) ?? { chat: '' };
        const answers = rig.platform.said(chat).filter((text) => new RegExp(`^${index}\\n`, 'm').test(text));
        assert.equal(answers.length, 1, `${index} in ${chat}`);
      }
    });
  });
});

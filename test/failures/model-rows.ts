import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { FailureKind } from '../../src/failures.ts';
import {
  createMessagesApi,
  type MessagesApi,
  type MessagesRequest,
  type Reply,
  say,
  TEST_KEY,
} from '../fakes/messages-api/index.ts';
import { until } from '../support/until.ts';
import { finalSentence, type Rig, retrySentence, SIGN_OF_LIFE_MS, startRig } from './rig.ts';

/** The rows of docs/failures.md in which the model's API fails: each in a chat of its own, all on one host, side by side. */

const RETRY_MS = 2_000;

export interface Row {
  name: string;
  reply: () => Reply;
  kind: FailureKind;
  retry: boolean;
  /** How long the model asks to be left alone; the harness adds up to a quarter. */
  askedMs?: number;
}

const LETTERS = ['a', 'b', 'c', 'd', 'e'];

export function modelRows(rows: readonly Row[]): void {
  describe('when the model', { concurrency: 3 }, () => {
    /** Rows whose cause is still there. */
    const broken = new Map(rows.map((row) => [row.name, row]));
    /** When each row's requests came. */
    const asked = new Map<string, number[]>();
    let api: MessagesApi;
    let rig: Rig;

    function rowOf(request: MessagesRequest): string {
      return [...JSON.stringify(request.messages).matchAll(/row ([a-z0-9-]+):/g)].at(-1)?.[1] ?? '';
    }

    before(async () => {
      api = await createMessagesApi({
        otherwise(request) {
          const name = rowOf(request);
          asked.set(name, [...(asked.get(name) ?? []), Date.now()]);
          return broken.get(name)?.reply() ?? say(`answered ${name}`);
        },
      });
      rig = await startRig({
        provider: 'claude',
        env: { ANTHROPIC_API_KEY: TEST_KEY, ANTHROPIC_BASE_URL: api.url },
        environment: { NANOCLAW_RETRY_MS: String(RETRY_MS), NANOCLAW_MAX_SANDBOXES: String(rows.length) },
        chats: rows.map(({ name }) => name),
      });
    });
    after(async () => {
      await rig[Symbol.asyncDispose]();
      await api.close();
    });

    for (const { name, kind, retry, askedMs } of rows) {
      test(`${name}: told once for five messages, ${retry ? 'tried again' : 'not tried again'}, and heals`, async () => {
        const send = (word: string) => rig.platform.send(name, `row ${name}: ${word}`);
        const events = LETTERS.map(send);
        const [first = ''] = events;
        if (retry) await until(() => rig.since(first).length > 0, 120_000);
        else for (const event of events) assert.equal((await rig.end(event, 120_000)).outcome, 'notice', event);
        assert.ok(rig.firstSign(first) < SIGN_OF_LIFE_MS, `a sign of life after ${rig.firstSign(first)} ms`);
        const [notice = { text: '', afterMs: 0 }] = rig.since(first);
        const told = Date.now();
        const seconds = askedMs === undefined ? RETRY_MS / 1_000 : Number(/in (\d+) seconds/.exec(notice.text)?.[1]);
        if (askedMs !== undefined) assert.ok(seconds >= askedMs / 1_000 && seconds <= askedMs / 800, notice.text);
        const sentence = retry ? retrySentence(kind, seconds) : finalSentence(kind);
        if (retry) await until(() => events.every((event) => rig.message(event)?.tries === 1), 120_000);
        assert.deepEqual(
          rig.since(first).map(({ text }) => text),
          [sentence],
        );

        broken.delete(name);
        if (!retry) {
          const next = send('again');
          assert.equal((await rig.end(next, 120_000)).outcome, 'reply');
          assert.deepEqual(
            rig.since(next).map(({ text }) => text),
            [`answered ${name}`],
          );
          return;
        }
        for (const event of events) assert.equal((await rig.end(event, 120_000)).outcome, 'reply');
        const next = asked.get(name)?.find((at) => at > told) ?? Number.NaN;
        assert.ok(next - told > seconds * 1_000 - 1_500, `tried again ${next - told} ms after it was told`);
        assert.equal(rig.since(first).filter(({ text }) => text.startsWith('⚠️')).length, 1, 'no more was said of it');
      });
    }
  });
}

import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { FAILURES, type FailureKind } from '../../src/failures.ts';
import { type HostOptions, startHost, type TestHost } from '../support/host-process.ts';
import { type Platform, startPlatform } from '../support/scripted/platform.ts';
import { until } from '../support/until.ts';

/** A real host on a scripted platform, and what a test asks of a failure: what was said, how often, when, and what became of it. */

export interface Rig extends AsyncDisposable {
  host: TestHost;
  platform: Platform;
  /** Resolves when the message has ended, with how. */
  end(event: string, ms?: number): Promise<Ending>;
  /** How the message stands in the central database; undefined before it is there. */
  message(event: string): Ending | undefined;
  /** What was said in the chat since the message was sent, with the times from then on; without the line of a long turn. */
  since(event: string): { text: string; afterMs: number }[];
  /** ms from the message to the first sign that it was noticed: typing, or a sentence. */
  firstSign(event: string): number;
  query(sql: string, ...values: string[]): Record<string, unknown>[];
}

export interface Ending {
  outcome: string | null;
  tries: number;
}

/** How long the owner of a message may be left without a sign. */
const LONG_TURN = /^(?:⏳ Still at it|Worked on it for) /;
export const SIGN_OF_LIFE_MS = 10_000;

export async function startRig(options: HostOptions): Promise<Rig> {
  const platform = await startPlatform();
  const host = await startHost({ ...options, platform }).catch((error: unknown) => {
    platform[Symbol.dispose]();
    throw error;
  });

  function query(sql: string, ...values: string[]): Record<string, unknown>[] {
    const db = new DatabaseSync(join(host.home, 'data/v2.db'), { readOnly: true, timeout: 5_000 });
    try {
      return db.prepare(sql).all(...values);
    } finally {
      db.close();
    }
  }

  function message(event: string): Ending | undefined {
    const [row] = query(
      "SELECT outcome, tries FROM messages WHERE direction = 'in' AND platform_message_id = ?",
      event,
    );
    return row && { outcome: row.outcome === null ? null : String(row.outcome), tries: Number(row.tries) };
  }

  const sent = (event: string) => {
    const found = platform.events.get(event);
    if (!found) throw new Error(`There is no event ${event}.`);
    return found;
  };

  return {
    host,
    platform,
    query,
    message,
    async end(event, ms = 60_000) {
      await until(() => platform.events.get(event)?.outcome !== undefined, ms);
      return message(event) ?? { outcome: null, tries: 0 };
    },
    since(event) {
      const { chat, sentAt } = sent(event);
      return [...platform.delivered.values()]
        .filter((said) => said.chat === chat && !said.progress && said.at >= sentAt)
        .filter(({ text }) => !LONG_TURN.test(text))
        .map(({ text, at }) => ({ text, afterMs: at - sentAt }));
    },
    firstSign(event) {
      const { chat, sentAt } = sent(event);
      const signs = [...platform.typing.filter(({ on }) => on), ...platform.delivered.values()];
      const times = signs.filter((sign) => sign.chat === chat && sign.at >= sentAt).map(({ at }) => at - sentAt);
      return Math.min(...times);
    },
    async [Symbol.asyncDispose]() {
      await host[Symbol.asyncDispose]();
      platform[Symbol.dispose]();
    },
  };
}

/** What the chat is told when it isn't tried again. */
export function finalSentence(kind: FailureKind): string {
  return `⚠️ ${FAILURES[kind].what} ${FAILURES[kind].remedy}`;
}

/** What the chat is told when it is. */
export function retrySentence(kind: FailureKind, seconds: number): string {
  return `⚠️ ${FAILURES[kind].what} I'll try again in ${seconds} seconds.`;
}

export function gaveUpSentence(kind: FailureKind): string {
  return `⚠️ ${FAILURES[kind].what} I gave up after 6 tries. ${FAILURES[kind].remedy}`;
}

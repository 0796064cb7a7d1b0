import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { TEST_KEY } from '../fakes/messages-api/index.ts';
import { type Cast, openCast } from '../support/cast.ts';
import { startHost } from '../support/host-process.ts';
import { askNcl } from '../support/ncl.ts';
import { type Model, startModel } from './model.ts';

/** One real host for many scenarios, with the terminal channel twice and a model that is played. */

export interface Stage extends AsyncDisposable {
  home: string;
  cast: Cast;
  model: Model;
  /** By the host's own door, as `ncl` does it. */
  ncl(words: readonly string[]): Promise<{ ok: boolean; text: string }>;
  query(sql: string, ...values: string[]): Record<string, unknown>[];
  log(): string;
  /** Of the host's clock, in ms since the epoch; a stage with a clock of its own alone. */
  setClock(to: number): void;
  now(): number;
}

/** So many have a sandbox at a time; whoever comes next takes the place of one that rests. */
const SANDBOXES = 8;

export async function openStage({ hasClock = false } = {}): Promise<Stage> {
  const model = await startModel();
  const folder = mkdtempSync(join(tmpdir(), 'nanoclaw-clock-'));
  const clock = join(folder, 'clock');
  let ahead = 0;
  const setAhead = (ms: number) => {
    ahead = ms;
    writeFileSync(`${clock}.new`, String(ms));
    // At once: it is read at any moment.
    renameSync(`${clock}.new`, clock);
  };
  setAhead(0);
  const host = await startHost({
    provider: 'claude',
    env: {
      ANTHROPIC_API_KEY: TEST_KEY,
      ANTHROPIC_BASE_URL: model.url,
      NANOCLAW_TERMINALS: '2',
      NANOCLAW_MAX_SANDBOXES: String(SANDBOXES),
    },
    environment: { NANOCLAW_RETRY_MS: '200', ...(hasClock && { NANOCLAW_TEST_CLOCK: clock }) },
    ...(hasClock && { node: ['--import', join(import.meta.dirname, 'clock.mjs')] }),
  });
  const cast = await openCast(host);
  const db = new DatabaseSync(join(host.home, 'data/v2.db'), { readOnly: true, timeout: 10_000 });
  return {
    home: host.home,
    cast,
    model,
    ncl: (words) => askNcl(host.home, words),
    query: (sql, ...values) => db.prepare(sql).all(...values),
    log: host.log,
    setClock: (to) => setAhead(Math.round(to - Date.now())),
    now: () => Date.now() + ahead,
    async [Symbol.asyncDispose]() {
      db.close();
      cast.close();
      await host[Symbol.asyncDispose]();
      await model.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

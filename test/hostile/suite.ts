import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { until } from '../support/until.ts';
import type { HostileCase } from './case.ts';
import { type Figures, figuresOf, type Result, renderTable, summary } from './report.ts';
import { ask, CANARY, type Census, type Place, type Stage, startStage } from './stage.ts';

/**
 * Hostile session folders, through the whole product: a host, chats whose folders are attacked, and a neighbour who talks
 * all the time. Each case ends in a word for its own chat, and the next message there is answered; the neighbour hears and
 * loses nothing, and waits no longer than usual. `NANOCLAW_HOSTILE_REPORT=<file>` writes the table there.
 */

/** The neighbour's p95 may be this much longer than without any case, or this long in any case: two cores have to start sandboxes meanwhile. */
const FACTOR = 5;
const ALLOWED_MS = 250;
const TOLD_MS = 10_000;
const LONG_S = 60;

const only = process.env.NANOCLAW_HOSTILE_ONLY;
const isRoot = process.getuid?.() === 0;

/** The same notice is not told twice within 3 s: a chat rests before it is its turn again. */
const CHATS_OF_A_LANE = [8, 3, 3];
const REST_MS = 3_200;
const FIRST_CHAT = 'c0-0';

let stage: Stage;
let quiet: Figures;
let limitMs: number;
let begun: Census;
let neighbourFiles: string[];
const results: Result[] = [];

/**
 * Each lane is a row of cases: the many one after the other, each in a chat of its own for that time, and beside them those
 * that take their time.
 */
export function hostileSuite(part: string, given: readonly HostileCase[]): void {
  const cases = given.filter(({ name }) => !only || new RegExp(only).test(name));
  const slow = cases.filter((each) => each.slow);
  const lanes = {
    'one after the other': cases.filter((each) => !each.slow),
    'those that take their time': slow.filter((_, at) => at % 2 === 0),
    'and others': slow.filter((_, at) => at % 2 === 1),
  };

  before(async () => {
    stage = await startStage(Object.values(lanes).flatMap((_, lane) => chatsOf(lane)));
    const place = await stage.open(FIRST_CHAT);
    neighbourFiles = namesIn(place.neighbourBox);
    // Without any case, but with what a case costs by its nature: a sandbox that is started anew.
    const from = performance.now();
    for (let count = 0; count < 4; count++) {
      await ask(stage.platform, place.chat, place.heard);
      place.killRunner();
      await ask(stage.platform, place.chat, place.heard);
    }
    quiet = figuresOf(await stage.pulse.between(from, performance.now()));
    limitMs = Math.max(ALLOWED_MS, FACTOR * quiet.p95);
    await Promise.all(stage.chats.map((chat) => stage.open(chat)));
    begun = stage.census();
  });
  after(() => stage[Symbol.asyncDispose]());

  describe('hostile session folders', { concurrency: Object.keys(lanes).length }, () => {
    for (const [lane, [name, those]] of Object.entries(lanes).entries()) {
      const chats = chatsOf(lane);
      describe(name, { concurrency: 1 }, () => {
        for (const [at, each] of those.entries())
          run(each, (again) => chats[(at + again) % chats.length] ?? FIRST_CHAT);
      });
    }
  });

  describe('after all of them', () => {
    test("no delivery held the host's secret or a line of /etc/shadow", () => {
      const shadow = isRoot ? readFileSync('/etc/shadow', 'latin1').split('\n', 1)[0] : undefined;
      for (const chat of stage.chats) {
        for (const { text, files } of stage.heard(chat)) {
          for (const said of [text, ...files.map(({ bytes }) => bytes)]) {
            assert.ok(!said.includes(CANARY), `${chat} was told the secret`);
            assert.ok(!shadow || !said.includes(shadow), `${chat} was told of /etc/shadow`);
          }
        }
      }
    });

    test('nothing outside of the attacked folders was changed', async () => {
      const { secret, neighbourBox } = await stage.open(FIRST_CHAT);
      assert.equal(readFileSync(secret, 'utf8'), CANARY);
      assert.equal(readFileSync(join(neighbourBox, 'keep.txt'), 'utf8'), CANARY);
      assert.deepEqual(namesIn(neighbourBox), neighbourFiles);
    });

    test('every message of the neighbour was answered', () => {
      const lost = [...stage.platform.events.values()].filter(
        ({ chat, outcome }) => chat === 'b' && outcome !== undefined && outcome !== 'reply',
      );
      assert.deepEqual(lost, []);
    });

    test('the host has no more descriptors, processes or scratch than before', async () => {
      await until(() => stage.census().children <= begun.children).catch(() => {});
      await until(() => stage.census().descriptors <= begun.descriptors + 2, 5_000).catch(() => {});
      const end = stage.census();
      assert.ok(end.descriptors <= begun.descriptors + 2, `${begun.descriptors} descriptors, then ${end.descriptors}`);
      assert.ok(end.children <= begun.children, `${begun.children} processes, then ${end.children}`);
      assert.ok(end.scratch.filter((name) => name.startsWith('nanoclaw-reader-')).length <= 1, end.scratch.join());
      const outgoing = join(stage.host.home, 'data/run/outgoing');
      assert.deepEqual(existsSync(outgoing) ? readdirSync(outgoing) : [], []);
      const complaints = stage.host
        .log()
        .split('\n')
        .filter((line) => /uncaught|unhandled/.test(line));
      assert.deepEqual(complaints, []);
    });

    test('the table', (t) => {
      const beats = figuresOf(stage.pulse.beats.map(({ ms }) => ms));
      const lines = [...summary(results, quiet, beats, limitMs), '', ...renderTable(results)];
      for (const line of lines) t.diagnostic(line);
      const { NANOCLAW_HOSTILE_REPORT: folder } = process.env;
      if (folder) writeFileSync(join(folder, `${part}.md`), `${lines.join('\n')}\n`);
    });
  });
}

/** Each try has a chat of its own: the id of a message that was sent is not taken again. */
function run(each: HostileCase, chatFor: (again: number) => string): void {
  test(each.name, { skip: each.root && !isRoot ? 'only root can plant it' : false }, async (t) => {
    let result = await attempt(each, chatFor(0));
    // A machine that is busy with something else for a moment must not fail it: what a case causes, it causes each time.
    for (let again = 1; again < 3 && result.neighbour.p95 > limitMs; again += 1) {
      result = await attempt(each, chatFor(again));
    }
    results.push(result);
    const { toldMs, healedMs, neighbour } = result;
    t.diagnostic(
      `told after ${toldMs.toFixed()} ms, well after ${healedMs.toFixed()} ms, neighbour ${show(neighbour)}`,
    );
    assert.ok(
      neighbour.p95 <= limitMs,
      `the neighbour's p95 was ${neighbour.p95.toFixed()} ms, without a case ${quiet.p95.toFixed()} ms`,
    );
  });
}

async function attempt(each: HostileCase, chat: string): Promise<Result> {
  const place = await stage.open(chat);
  const rested = () => performance.now() - (place.heard.findLast(({ text }) => text.startsWith('⚠️'))?.at ?? -REST_MS);
  await until(() => rested() > REST_MS);
  await each.prepare?.(place);
  const from = await takeUp(each, place);
  const planted = performance.now();
  try {
    await each.plant(place, stage);
    const heard = await place.hears(each.told, from, each.withinMs ?? TOLD_MS);
    assert.equal(stage.host.process.exitCode, null, 'the host lives');
    await each.check?.(heard, place, stage);
    await place.cleanUp();
    const healedMs = await heal(each, place);
    const neighbour = figuresOf(await stage.pulse.between(planted, performance.now()));
    return { name: each.name, about: each.about, said: heard.text, toldMs: heard.at - planted, healedMs, neighbour };
  } catch (error) {
    // What it was at must not hold up the next case.
    place.send('/stop');
    const about = (line: string) => line.includes(place.sessionId);
    const log = stage.host.log().split('\n').filter(about).slice(-12);
    throw new Error(`${error instanceof Error ? error.message : error}\n${log.join('\n')}`);
  } finally {
    await place.cleanUp();
  }
}

async function heal({ leavesWorse = false }: HostileCase, { chat, heard }: Place): Promise<number> {
  const start = performance.now();
  if (leavesWorse) {
    const answered = await ask(stage.platform, chat, heard, 5_000).catch(() => undefined);
    if (answered !== undefined) return answered;
  }
  await ask(stage.platform, chat, heard);
  return performance.now() - start;
}

/** Has the agent work on something, if the case wants that. Returns where to listen from. */
async function takeUp({ workS = LONG_S }: HostileCase, place: Place): Promise<number> {
  const from = place.heard.length;
  if (workS === null) return from;
  const begun = join(place.box, '.begun');
  rmSync(begun, { force: true });
  place.send(`run touch /workspace/.begun; sleep ${workS}; echo I waited`);
  await until(() => existsSync(begun));
  return from;
}

function chatsOf(lane: number): string[] {
  return Array.from({ length: CHATS_OF_A_LANE[lane] ?? 1 }, (_, at) => `c${lane}-${at}`);
}

function namesIn(folder: string): string[] {
  return readdirSync(folder)
    .filter((name) => name !== 'outbound.db-journal')
    .sort();
}

function show({ p50, p95, max }: Figures): string {
  return [p50, p95, max].map((ms) => ms.toFixed()).join('/');
}

import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { type Lane, openLane } from './lane.ts';
import { parseScenario } from './parse.ts';
import { play } from './play.ts';
import type { Scenario } from './scenario.ts';
import { openStage, type Stage } from './stage.ts';

/** Every scenario of the folders beside this file: real hosts, real sandboxes, a real harness. Only people and the model are played. */

const LANES = 3;
/** Of all of them together, on a machine with much else to do; a test that hangs is ended before. */
const ALL_MS = 900_000;
const EACH_MS = 180_000;
const only = process.env.SCENARIO;
const scenarios = globSync('*/*.txt', { cwd: import.meta.dirname })
  .sort()
  .filter((file) => only === undefined || new RegExp(only).test(file))
  .map((file) => parseScenario(file, readFileSync(join(import.meta.dirname, file), 'utf8')));
const timed = scenarios
  .filter(({ clock }) => clock !== undefined)
  // A clock that goes on, from one to the next.
  .toSorted((a, b) => (a.clock ?? 0) - (b.clock ?? 0));

describe('scenarios', { concurrency: 2, timeout: ALL_MS }, () => {
  describe('by the clock of this machine', { concurrency: LANES, timeout: ALL_MS }, () => {
    playAll(
      scenarios.filter(({ clock }) => clock === undefined),
      LANES,
    );
  });
  describe('by a clock that is moved', { concurrency: 1, timeout: ALL_MS }, () => playAll(timed, 1, true));
});

function playAll(all: readonly Scenario[], lanes: number, hasClock = false): void {
  const free: Lane[] = [];
  let stage: Stage | undefined;
  before(async () => {
    if (all.length === 0) return;
    stage = await openStage({ hasClock });
    for (let count = 0; count < lanes; count++) free.push(await openLane(stage));
  });
  after(() => stage?.[Symbol.asyncDispose]());
  for (const scenario of all) {
    test(`${scenario.title} (${scenario.file})`, { timeout: EACH_MS }, async () => {
      // One in which something went wrong may not be fit for the next.
      const lane = free.pop() ?? (stage && (await openLane(stage)));
      if (!lane) throw new Error('There is no stage.');
      await play(scenario, lane);
      free.push(lane);
    });
  }
}

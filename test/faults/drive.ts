import { existsSync, globSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as pause } from 'node:timers/promises';
import { startHost, type TestHost } from '../support/host-process.ts';
import { askNcl } from '../support/ncl.ts';
import { containersOf, removeContainers, testRuntime } from '../support/runtime.ts';
import { type Platform, startPlatform } from '../support/scripted/platform.ts';
import { until } from '../support/until.ts';
import { agentFolder, type Template } from './install.ts';
import { audit, type Expected, type Reminder } from './ledger.ts';
import { leftoverFiles, leftovers } from './leftovers.ts';
import type { Fault, Plan, Step } from './plan.ts';

/** Plays a plan: a real host on a copy of the template, killed as the plan says, started again, and looked into. */

export interface DriveOptions {
  template: Template;
  /** Another checkout than this one. */
  code?: string;
  /** How long everything may take to come to rest after a start. */
  restMs?: number;
  /** Leaves the install of a run that went wrong where it is, for somebody to look at. */
  keep?: boolean;
}

export interface Result {
  plan: Plan;
  /** The points at which a process really ended. */
  reached: string[];
  crashes: number;
  problems: string[];
  /** Deliveries that the platform had already, and dropped. */
  dropped: number;
  /** Tools that ran more than once, and files that were sent again by them. */
  toolsAgain: number;
  ms: number;
  home: string;
}

export async function drive(plan: Plan, options: DriveOptions): Promise<Result> {
  const begun = performance.now();
  const home = options.template.copy();
  using platform = await startPlatform();
  const run = createRun(plan, options, home, platform);
  let problems: string[];
  try {
    await run.play();
    problems = run.check();
    await run.end();
    const containers = (await containersOf(home)).map(({ Id }) => `a container: ${Id}`);
    problems.push(...leftoverFiles(home), ...leftovers(home), ...containers);
  } catch (error) {
    problems = [error instanceof Error ? (error.stack ?? error.message) : String(error), ...run.look()];
  } finally {
    await run.kill();
    await removeContainers(home);
  }
  const figures = run.figures();
  if (!options.keep || problems.length === 0) rmSync(home, { recursive: true, force: true });
  return { plan, ...figures, problems, ms: Math.round(performance.now() - begun), home };
}

function createRun(plan: Plan, options: DriveOptions, home: string, platform: Platform) {
  const restMs = options.restMs ?? 30_000;
  const expected: Expected[] = [];
  const reminders: Reminder[] = [];
  const reached: string[] = [];
  let host: TestHost | undefined;
  let crashes = 0;
  let dropped = 0;
  let filesAgain = 0;

  const gone = () => !host || host.process.exitCode !== null || host.process.signalCode !== null;

  /** False when it ended on the way. */
  async function boot(fault?: Fault, runnerFault?: Fault): Promise<boolean> {
    try {
      host = await startHost({
        home,
        platform,
        ...(options.code && { code: options.code }),
        environment: {
          NANOCLAW_RETRY_MS: '1',
          NANOCLAW_PLATFORM_EDITS: '1',
          ...(fault && { NANOCLAW_FAULT: `${fault.point}@${fault.nth}` }),
          ...(runnerFault && { NANOCLAW_RUNNER_FAULT: `${runnerFault.point}@${runnerFault.nth}` }),
        },
      });
      return true;
    } catch (error) {
      if (!(error instanceof Error && error.message.startsWith('The host ended with null'))) throw error;
      host = undefined;
      return false;
    }
  }

  function died(fault: Fault | undefined): void {
    crashes += 1;
    if (fault) reached.push(fault.point);
  }

  async function step(one: Step): Promise<void> {
    if (one.do === 'send') {
      const id = platform.send(one.chat, one.text, one.file && { file: one.file });
      expected.push({ id, chat: one.chat, kind: one.kind, marker: one.marker });
    } else if (one.do === 'repeat') {
      const last = expected.findLast(({ chat }) => chat === one.chat);
      if (last) platform.repeat(last.id);
    } else if (one.do === 'pause') {
      await pause(one.ms);
    } else if (one.do === 'await-sandbox') {
      await until(
        () => gone() || globSync('data/v2-sessions/*/*/box/{.heartbeat,outbound.db}', { cwd: home }).length > 0,
      );
    } else if (one.do === 'await-tool') {
      await until(() => gone() || existsSync(join(agentFolder(home), one.marker)));
    } else if (one.do === 'await-question') {
      await until(() => gone() || platform.said(one.chat).some((text) => text.includes(one.marker)));
    } else if (one.do === 'schedule') {
      const { chat, marker } = one;
      const terms = ['--to', chat, '--when', 'in 1 second', '--prompt', `Reminder: ${marker}`];
      const { ok, text } = await askNcl(home, ['tasks', 'create', 'Andy', ...terms]);
      if (!ok) throw new Error(text);
      reminders.push({ chat, marker });
    } else if (!gone()) {
      host?.process.kill('SIGTERM');
      await until(gone);
    }
  }

  /** Until everything has ended, or the host has. */
  async function rest(): Promise<void> {
    const deadline = performance.now() + restMs;
    while (!gone() && !(isQuiet() && taken())) {
      if (performance.now() > deadline) throw new Error(`It does not come to rest within ${restMs} ms.`);
      await pause(8);
    }
  }

  /** The same, with a second crash in it. */
  async function restAgain(): Promise<void> {
    await rest();
    if (!gone()) return;
    died(plan.second);
    await boot();
    await rest();
  }

  const taken = () =>
    platform.connected() &&
    [...platform.events.values()].every(({ told }) => told.some((status) => status !== 'refused'));

  function isQuiet(): boolean {
    const db = new DatabaseSync(join(home, 'data/v2.db'), { readOnly: true, timeout: 5000 });
    try {
      return db.prepare(OPEN).get()?.n === 0;
    } finally {
      db.close();
    }
  }

  const runnerDied = () => {
    const log = join(home, 'logs/nanoclaw.log');
    return existsSync(log) && /"sandbox ended".*"code":137/.test(readFileSync(log, 'utf8'));
  };

  async function firstHost(): Promise<void> {
    if (!(await boot(plan.host, plan.runner))) throw new Error('The first start ended by itself.');
    for (const one of plan.steps) await step(one);
    if (plan.alsoHostAfterMs !== undefined) {
      await until(() => gone() || runnerDied() || (isQuiet() && taken()));
      await pause(plan.alsoHostAfterMs);
    } else {
      await rest();
      // Some points come after everything that can be seen from outside.
      await until(() => gone() || (plan.runner && !plan.host && runnerDied()), LATE_MS).catch(() => {});
    }
    if (gone()) {
      died(host?.process.signalCode === 'SIGKILL' ? plan.host : undefined);
    } else if (plan.point.process === 'host' || plan.alsoHostAfterMs !== undefined) {
      // Where the point was not reached, it is a crash at rest.
      await host?.end('SIGKILL');
      died(undefined);
    }
  }

  return {
    async play(): Promise<void> {
      await firstHost();
      for (const one of plan.whileDown) await step(one);
      if (gone() && !(await boot(plan.second))) {
        died(plan.second);
        await boot();
      }
      await restAgain();
      if (plan.runner && runnerDied()) reached.push(plan.runner.point);
      if (testRuntime !== 'bubblewrap') {
        // What was adopted keeps files of nobody until its session starts anew.
        await host?.end();
        await boot();
      }
      // Every chat goes on.
      for (const chat of plan.chats) {
        const marker = `s${plan.seed}last${chat}`;
        await step({ do: 'send', chat, kind: 'tool', marker, text: `run echo ${marker}` });
      }
      await restAgain();
      await until(() => leftoverFiles(home).length === 0 && noneOpen(home), 3_000).catch(() => {});
    },
    check(): string[] {
      const result = audit(home, platform, expected, reminders);
      dropped = result.dropped;
      filesAgain = result.filesAgain;
      return [...result.problems, ...(gone() ? ['The last host has ended.'] : [])];
    },
    /** What can be said of a run that went wrong. */
    look(): string[] {
      try {
        return audit(home, platform, expected, reminders).problems;
      } catch (error) {
        return [String(error)];
      }
    },
    async end(): Promise<void> {
      await host?.end();
    },
    async kill(): Promise<void> {
      if (!gone()) await host?.end('SIGKILL');
    },
    figures: () => ({ reached, crashes, dropped, toolsAgain: filesAgain + toolsAgain(home) }),
  };
}

const LATE_MS = 400;

const OPEN = `SELECT (SELECT count(*) FROM messages WHERE direction = 'in' AND status IN ('pending', 'paused') AND trigger = 1)
  + (SELECT count(*) FROM deliveries WHERE status IN ('queued', 'sending'))
  + (SELECT count(*) FROM tasks WHERE status = 'active') + (SELECT count(*) FROM task_runs WHERE ended_at IS NULL) AS n`;

function noneOpen(home: string): boolean {
  const db = new DatabaseSync(join(home, 'data/v2.db'), { readOnly: true, timeout: 5000 });
  try {
    const open = "SELECT count(*) AS n FROM messages WHERE direction = 'in' AND status IN ('pending', 'paused')";
    return db.prepare(open).get()?.n === 0;
  } finally {
    db.close();
  }
}

function toolsAgain(home: string): number {
  const file = join(agentFolder(home), 'tools.log');
  if (!existsSync(file)) return 0;
  const lines = readFileSync(file, 'utf8').split('\n').filter(Boolean);
  return lines.length - new Set(lines).size;
}

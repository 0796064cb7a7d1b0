import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Counts, readCounts } from './counts.ts';
import type { Stage } from './stages.ts';

export interface StageResult {
  name: string;
  counts: Counts;
  seconds: number;
  output: string;
  /** Where all of its output is. */
  log: string;
}

/** Runs a stage to its end, or ends it with all that it started at its deadline. */
export async function runStage(root: string, stage: Stage): Promise<StageResult> {
  const started = performance.now();
  const { output, status } = await collect(root, stage);
  const log = join('logs', 'checks', `${stage.name}.log`);
  mkdirSync(join(root, 'logs', 'checks'), { recursive: true });
  writeFileSync(join(root, log), output);
  const seconds = (performance.now() - started) / 1000;
  return { name: stage.name, counts: readCounts(stage.kind, output, status), seconds, output, log };
}

/**
 * A test runner inside another one reports to that one, unless it is told that there is none. An install of this user's,
 * and the credentials for it, are not for tests.
 */
export function stageEnv(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const others = Object.entries(env).filter(
    ([name]) => !/^(NODE_TEST_CONTEXT|FORCE_COLOR|(NANOCLAW|ANTHROPIC|CLAUDE)_.*)$/.test(name),
  );
  return { ...Object.fromEntries(others), NO_COLOR: '1' };
}

const running = new Set<ChildProcess>();

/** What runs in a group of its own doesn't hear that these checks were interrupted. */
export function endStages(): void {
  for (const child of running) endGroup(child);
}

function endGroup({ pid }: ChildProcess): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL');
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}

function collect(
  root: string,
  { name, command, deadlineMinutes, env }: Stage,
): Promise<{ output: string; status: number }> {
  const [program = '', ...args] = command;
  const child = spawn(program, args, {
    cwd: root,
    // A test file costs its process half a second less of loading.
    env: { ...stageEnv(process.env), NODE_COMPILE_CACHE: join(root, '.runtime/compile-cache'), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    // A group of its own, so that what hangs in it can be ended with it.
    detached: true,
  });
  running.add(child);
  const chunks: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => chunks.push(chunk));
  return new Promise((resolve) => {
    let late = '';
    const timer = setTimeout(() => {
      late = `\nThe stage ${name} hung and was ended after ${deadlineMinutes} minutes.`;
      endGroup(child);
      child.stdout.destroy();
      child.stderr.destroy();
    }, deadlineMinutes * 60_000);
    const end = (status: number, more = '') => {
      clearTimeout(timer);
      running.delete(child);
      resolve({ output: Buffer.concat(chunks).toString() + late + more, status: late === '' ? status : 1 });
    };
    child.on('error', (error) => end(1, `\n${error.message}`));
    child.on('close', (code) => end(code ?? 1));
  });
}

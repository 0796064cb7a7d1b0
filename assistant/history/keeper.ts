import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { getCompileCacheDir } from 'node:module';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import type { Logger } from '../../src/log/index.ts';
import { Hit, type Question } from './process/find.ts';

/** The process with the index: started when it is needed, ended when it was not for a while, killed when it is stuck. */

export interface KeeperParts {
  /** The central database's file, and the index's. */
  central: string;
  index: string;
  log: Pick<Logger, 'info' | 'warn'>;
  /** After so long without a question it ends, in ms. */
  idleMs?: number;
  deadlineMs?: number;
}

const Answer = z.object({
  id: z.number(),
  changes: z.number().optional(),
  isUntidy: z.boolean().optional(),
  found: z.object({ hits: z.array(Hit), more: z.boolean() }).optional(),
  behind: z.boolean().optional(),
  problem: z.string().optional(),
});
export type Answer = z.infer<typeof Answer>;

export interface Keeper {
  /** Undefined: there was no answer in time. Never rejects. */
  search(question: Question): Promise<Answer | undefined>;
  /** Brings the index up to date, slowly. */
  catchUp(): Promise<Answer | undefined>;
  isRunning(): boolean;
  stop(): Promise<void>;
}

const IDLE_MS = 120_000;
/** `ncl` inside waits for 30 s. */
const DEADLINE_MS = 25_000;
const CATCH_UP_MS = 1_800_000;
const HEAP_MB = 128;

interface Running {
  child: ChildProcess;
  waiting: Map<number, (answer: Answer | undefined) => void>;
}

export function createKeeper({ central, index, log, idleMs = IDLE_MS, deadlineMs = DEADLINE_MS }: KeeperParts): Keeper {
  let running: Running | undefined;
  let idle: NodeJS.Timeout | undefined;
  let count = 0;
  let isStopped = false;

  function start(): Running {
    const cache = getCompileCacheDir();
    const child = fork(join(import.meta.dirname, 'process/main.ts'), [central, index], {
      execArgv: [`--max-old-space-size=${HEAP_MB}`, '--max-semi-space-size=4'],
      // Of no use to anybody else, and half of its start.
      env: cache ? { NODE_COMPILE_CACHE: join(dirname(cache), 'history') } : {},
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    const started: Running = { child, waiting: new Map() };
    running = started;
    child.stderr?.on('data', (chunk: Buffer) => log.warn('history', { line: String(chunk).slice(0, 500) }));
    child.on('message', (message) => {
      const { data } = Answer.safeParse(message);
      if (data) started.waiting.get(data.id)?.(data);
    });
    child.on('error', (error) => {
      log.warn('history', { error });
      if (child.pid === undefined) end(started, 'it could not be started');
    });
    child.on('exit', (code, signal) => end(started, `${signal ?? code}`));
    return started;
  }

  function end(ended: Running, how: string): void {
    if (running === ended) running = undefined;
    if (ended.waiting.size > 0) log.warn('the index of the history ended', { how });
    for (const answer of [...ended.waiting.values()]) answer(undefined);
  }

  function restLater(): void {
    clearTimeout(idle);
    idle = setTimeout(() => {
      if (!running || running.waiting.size > 0) return;
      const { child } = running;
      // What is asked from now on is for the next one.
      running = undefined;
      child.kill();
    }, idleMs).unref();
  }

  function ask(question: Question | undefined, ms: number): Promise<Answer | undefined> {
    if (isStopped) return Promise.resolve(undefined);
    let at: Running;
    try {
      at = running ?? start();
    } catch (error) {
      log.warn('history', { error });
      return Promise.resolve(undefined);
    }
    count += 1;
    const id = count;
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        log.warn('a search took too long', { ms });
        at.child.kill('SIGKILL');
      }, ms);
      at.waiting.set(id, (answer) => {
        clearTimeout(timer);
        at.waiting.delete(id);
        restLater();
        resolve(answer);
      });
      // Otherwise its end answers.
      if (at.child.connected) at.child.send({ id, question });
    });
  }

  return {
    search: (question) => ask(question, deadlineMs),
    catchUp: () => ask(undefined, CATCH_UP_MS),
    isRunning: () => running !== undefined,
    async stop() {
      isStopped = true;
      clearTimeout(idle);
      const child = running?.child;
      if (child?.pid === undefined) return;
      const gone = once(child, 'exit');
      child.kill('SIGKILL');
      await gone;
    },
  };
}

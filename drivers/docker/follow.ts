/** A container that runs: its output and its end, through restarts of the engine. */
import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import type { Sandbox, SandboxExit } from '../../src/sandbox/driver.ts';
import { captureOutput } from '../output-log.ts';
import { within } from '../within.ts';
import type { Containers, Ending } from './containers.ts';
import { type Frame, readFrames } from './frames.ts';
import { createRepeats } from './repeats.ts';

export interface Followed {
  /** Of the engine as it is now. */
  containers(): Promise<Containers>;
  /** Whether this failure says that the engine is away. */
  isLost(error: unknown): boolean;
  id: string;
  sessionId: string;
  logFile: string;
  /** Attached already; else it is read on from `sinceMs`. */
  frames: AsyncGenerator<Frame, void> | null;
  sinceMs: number;
  /** Aborted when nobody wants to know more of it. */
  done: AbortController;
  /** It has ended. */
  remove(id: string): Promise<void>;
  /** It was given up, and may still run. */
  leave(id: string): void;
  log: (message: string, fields?: Readonly<Record<string, unknown>>) => void;
}

const KILLED = 137;
const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 2000;
/** Between the end of the output and that of the container. */
const SILENCE_MS = 2000;
/** How long output may come after the end: an engine writes it down a moment later. */
const LAST_OUTPUT_MS = 5000;
/** For how long a stop waits for an engine that is away: what runs is ended when it comes back, or taken over by the next host. */
const GIVE_UP_MS = 5000;
const ASK_MS = 1000;
/** Some half a minute of asking an engine that answers, and can't end it (it may not, or the kernel holds a process back). */
const KILLS = 15;

export function follow(parts: Followed): Sandbox {
  const { id, sessionId, done } = parts;
  const out = new PassThrough();
  const err = new PassThrough();
  const output = captureOutput([out, err], parts.logFile);
  let over = false;
  let killed = false;
  let closed = false;
  let away = false;
  let isLeft = false;
  const silent = Promise.withResolvers<void>();
  const givenUp = Promise.withResolvers<null>();
  let outage = Promise.withResolvers<void>();

  /** An engine that is away is waited for: what runs is still running, and nobody else can say how it ends. */
  async function patiently<T>(action: (containers: Containers) => Promise<T>): Promise<T> {
    for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(pause * 2, LONGEST_PAUSE_MS)) {
      try {
        return await action(await parts.containers());
      } catch (error) {
        if (done.signal.aborted || !parts.isLost(error)) throw error;
        if (!away) parts.log('the container engine went away', { session: sessionId });
        away = true;
        outage.resolve();
        await delay(pause, undefined, { signal: done.signal });
      }
    }
  }

  let counter: (() => number | null) | null = null;
  let counted: number | null = null;
  void patiently((containers) => containers.memoryCounter(id, done.signal)).then(
    (found) => {
      counter = found;
      count();
    },
    () => undefined, // it has ended, and so has its group
  );
  /** Before the engine takes the group away: it does so a moment after the last process. */
  function count(): void {
    counted = counter?.() ?? counted;
  }

  async function write({ stream, bytes }: Frame): Promise<void> {
    if (closed) return;
    const to = stream === 'out' ? out : err;
    if (!to.write(bytes)) await once(to, 'drain');
  }

  async function read(): Promise<void> {
    let { frames, sinceMs } = parts;
    const repeats = createRepeats();
    for (;;) {
      try {
        frames ??= readFrames(await patiently((containers) => containers.logs(id, sinceMs, done.signal)));
        for await (const frame of frames) {
          sinceMs = performance.timeOrigin + performance.now();
          const bytes = repeats.fresh(frame, sinceMs);
          if (bytes.length > 0) await write({ ...frame, bytes });
        }
      } catch (error) {
        if (!done.signal.aborted) parts.log('output broke off', { session: sessionId, error });
      }
      count();
      silent.resolve();
      // An engine's end closes it as the container's does. After an engine's, what came between is asked for.
      await within(SILENCE_MS, Promise.race([ended, outage.promise]));
      if (done.signal.aborted || (over && !away)) return;
      away = false;
      outage = Promise.withResolvers<void>();
      frames = null;
      repeats.again();
    }
  }

  // Podman looks once in a while only: the end of the output is heard sooner.
  const asked = () => patiently((containers) => containers.ending(id, done.signal));
  const ended: Promise<Ending | null> = Promise.race([asked(), silent.promise.then(asked), givenUp.promise]).catch(
    (error: unknown) => {
      parts.log('the end of a container is not known', { session: sessionId, error });
      return null;
    },
  );
  void ended.then(() => {
    count();
    over = true;
  });
  const exited = (async (): Promise<SandboxExit> => {
    const reading = read();
    const ending = await ended;
    await within(LAST_OUTPUT_MS, Promise.race([reading, givenUp.promise]));
    closed = true;
    out.end();
    err.end();
    await output.drained;
    // Whoever asked more than once: an answer that nobody waits for any more would keep its connection.
    done.abort();
    if (isLeft) parts.leave(id);
    else await parts.remove(id);
    const byUs = killed && ending?.code === KILLED;
    // Podman seldom hears of it in time. Where its group could not be seen, nobody else is likely to have killed it.
    const unheard = ending?.hearsOutOfMemory === false && !killed && ending.code === KILLED && counted !== 0;
    return {
      code: byUs ? null : (ending?.code ?? null),
      outOfMemory: unheard || (ending?.outOfMemory ?? false),
      lastLines: output.lastLines(),
    };
  })();

  /** Resolves when the engine has not answered for a while; never while it does. */
  async function outOfReach(): Promise<void> {
    let answered = performance.now();
    let isAsking = false;
    const ask = async (): Promise<void> => {
      isAsking = true;
      try {
        const timely = AbortSignal.any([done.signal, AbortSignal.timeout(GIVE_UP_MS)]);
        await (await parts.containers()).ping(timely);
        answered = performance.now();
      } catch (error) {
        if (!done.signal.aborted) parts.isLost(error);
      }
      isAsking = false;
    };
    while (!over && performance.now() - answered < GIVE_UP_MS) {
      await within(ASK_MS, ended);
      if (!over && !isAsking) void ask();
    }
  }

  let stopping: Promise<SandboxExit> | undefined;
  async function end(graceMs: number): Promise<void> {
    if (graceMs > 0) {
      // The init inside hands it on to the command.
      void patiently((containers) => containers.kill(id, 'SIGTERM')).catch(() => undefined);
      await within(graceMs, exited);
    }
    for (let asked = 0; !over && asked < KILLS; asked++) {
      killed = true;
      await patiently((containers) => containers.kill(id, 'SIGKILL')).catch((error: unknown) => {
        if (!done.signal.aborted) throw error;
      });
      await within(LONGEST_PAUSE_MS, ended);
    }
  }

  async function stop(graceMs: number): Promise<SandboxExit> {
    await Promise.race([end(graceMs), outOfReach()]);
    if (!over) {
      parts.log('the container engine does not answer, or can not end a sandbox, which is left to it', {
        session: sessionId,
        id,
      });
      isLeft = true;
      givenUp.resolve(null);
    }
    return exited;
  }

  return {
    sessionId,
    exited,
    stop(graceMs) {
      stopping ??= stop(graceMs);
      return stopping;
    },
  };
}

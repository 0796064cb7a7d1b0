/** A container that runs: its output and its end, through restarts of the engine. */
import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { NanoError } from '../../src/errors.ts';
import type { Sandbox, SandboxExit } from '../../src/sandbox/driver.ts';
import { captureOutput } from '../output-log.ts';
import { within } from '../within.ts';
import type { Containers, Ending } from './containers.ts';
import { type Frame, readFrames } from './frames.ts';

export interface Followed {
  containers: Containers;
  id: string;
  sessionId: string;
  logFile: string;
  /** Attached already; else it is read on from `sinceMs`. */
  frames: AsyncGenerator<Frame, void> | null;
  sinceMs: number;
  /** It is gone, and removed if that could be done. */
  onEnd(): void;
  log: (message: string, fields?: Readonly<Record<string, unknown>>) => void;
}

const KILLED = 137;
const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 2000;
/** Between the end of the output and that of the container. */
const SILENCE_MS = 2000;
/** How long output may come after the end: an engine writes it down a moment later. */
const LAST_OUTPUT_MS = 5000;

export function follow(parts: Followed): Sandbox {
  const { containers, id, sessionId } = parts;
  const out = new PassThrough();
  const err = new PassThrough();
  const output = captureOutput([out, err], parts.logFile);
  let over = false;
  let killed = false;
  let closed = false;
  let away = false;
  const silent = Promise.withResolvers<void>();
  let outage = Promise.withResolvers<void>();

  /** An engine that is away is waited for: what runs is still running, and nobody else can say how it ends. */
  async function patiently<T>(action: () => Promise<T>): Promise<T> {
    for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(pause * 2, LONGEST_PAUSE_MS)) {
      try {
        return await action();
      } catch (error) {
        if (!(error instanceof NanoError) || error.code !== 'NC_SANDBOX_ENGINE') throw error;
        if (pause === FIRST_PAUSE_MS) parts.log('the container engine went away', { session: sessionId });
        away = true;
        outage.resolve();
        await delay(pause);
      }
    }
  }

  async function write({ stream, bytes }: Frame): Promise<void> {
    if (closed) return;
    const to = stream === 'out' ? out : err;
    if (!to.write(bytes)) await once(to, 'drain');
  }

  async function read(): Promise<void> {
    let { frames, sinceMs } = parts;
    for (;;) {
      try {
        frames ??= readFrames(await patiently(() => containers.logs(id, sinceMs)));
        for await (const frame of frames) {
          sinceMs = performance.timeOrigin + performance.now();
          await write(frame);
        }
      } catch (error) {
        parts.log('output broke off', { session: sessionId, error });
      }
      silent.resolve();
      // An engine's end closes it as the container's does. After an engine's, what came between is asked for.
      await within(SILENCE_MS, Promise.race([ended, outage.promise]));
      if (over && !away) return;
      away = false;
      outage = Promise.withResolvers<void>();
      frames = null;
    }
  }

  // Podman looks once in a while only: the end of the output is heard sooner.
  const asked = () => patiently(() => containers.ending(id));
  const ended: Promise<Ending | null> = Promise.race([asked(), silent.promise.then(asked)]).catch((error: unknown) => {
    parts.log('the end of a container is not known', { session: sessionId, error });
    return null;
  });
  void ended.then(() => {
    over = true;
  });
  const exited = (async (): Promise<SandboxExit> => {
    const reading = read();
    const ending = await ended;
    await within(LAST_OUTPUT_MS, reading);
    closed = true;
    out.end();
    err.end();
    await output.drained;
    await containers.remove(id).catch((error: unknown) => {
      parts.log('an ended container stays', { session: sessionId, id, error });
    });
    parts.onEnd();
    const byUs = killed && ending?.code === KILLED;
    // Podman seldom hears of it in time. Nobody outside has killed it, and its own processes rarely kill their parent.
    const unheard = !containers.hearsOutOfMemory && !killed && ending?.code === KILLED;
    return {
      code: byUs ? null : (ending?.code ?? null),
      outOfMemory: unheard || (ending?.outOfMemory ?? false),
      lastLines: output.lastLines(),
    };
  })();

  let stopping: Promise<SandboxExit> | undefined;
  async function stop(graceMs: number): Promise<SandboxExit> {
    if (graceMs > 0) {
      // The init inside hands it on to the command.
      void patiently(() => containers.kill(id, 'SIGTERM')).catch(() => undefined);
      await within(graceMs, exited);
    }
    while (!over) {
      killed = true;
      await patiently(() => containers.kill(id, 'SIGKILL'));
      await within(LONGEST_PAUSE_MS, ended);
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

/** A container that runs: its output and its end, through restarts of the engine. */

import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { NanoError } from '../../src/errors.ts';
import type { Sandbox, SandboxExit } from '../../src/sandbox/driver.ts';
import { captureOutput } from '../output-log.ts';
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

const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 2000;
/** How long output may come after the end: an engine writes it down a moment later. */
const LAST_OUTPUT_MS = 5000;

export function follow(parts: Followed): Sandbox {
  const { containers, id, sessionId } = parts;
  const out = new PassThrough();
  const err = new PassThrough();
  const output = captureOutput([out, err], parts.logFile);
  let over = false;
  let killed = false;
  let outage = Promise.withResolvers<void>();

  /** An engine that is away is waited for: what runs is still running, and nobody else can say how it ends. */
  async function patiently<T>(action: () => Promise<T>): Promise<T> {
    for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(pause * 2, LONGEST_PAUSE_MS)) {
      try {
        return await action();
      } catch (error) {
        if (!(error instanceof NanoError) || error.code !== 'NC_SANDBOX_ENGINE') throw error;
        if (pause === FIRST_PAUSE_MS) parts.log('the container engine went away', { session: sessionId });
        outage.resolve();
        await delay(pause);
      }
    }
  }

  async function write({ stream, bytes }: Frame): Promise<void> {
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
      // An engine's end closes it as the container's does. After an engine's, what came between is asked for.
      const isOver = await Promise.race([ended.then(() => true), outage.promise.then(() => false)]);
      if (isOver) return;
      outage = Promise.withResolvers<void>();
      frames = null;
    }
  }

  const ended: Promise<Ending | null> = patiently(() => containers.ending(id)).catch((error: unknown) => {
    parts.log('the end of a container is not known', { session: sessionId, error });
    return null;
  });
  const exited = (async (): Promise<SandboxExit> => {
    const reading = read();
    const ending = await ended;
    over = true;
    const timer = new AbortController();
    await Promise.race([reading, delay(LAST_OUTPUT_MS, null, { signal: timer.signal }).catch(() => null)]);
    timer.abort();
    out.end();
    err.end();
    await output.drained;
    await containers.remove(id).catch((error: unknown) => {
      parts.log('an ended container stays', { session: sessionId, id, error });
    });
    parts.onEnd();
    const code = killed ? null : (ending?.code ?? null);
    return { code, outOfMemory: ending?.outOfMemory ?? false, lastLines: output.lastLines() };
  })();

  let stopping: Promise<SandboxExit> | undefined;
  async function stop(graceMs: number): Promise<SandboxExit> {
    const giveUp = new AbortController();
    if (graceMs > 0) {
      // The init inside hands it on to the command.
      void patiently(() => containers.kill(id, 'SIGTERM')).catch(() => undefined);
      await Promise.race([exited, delay(graceMs, null, { signal: giveUp.signal }).catch(() => null)]);
      giveUp.abort();
    }
    while (!over) {
      killed = (await patiently(() => containers.kill(id, 'SIGKILL'))) || killed;
      await Promise.race([ended, delay(LONGEST_PAUSE_MS)]);
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

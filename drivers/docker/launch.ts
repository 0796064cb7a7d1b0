/** Creates one container, lets its gate say what it sees, and gives the word. */
import { setTimeout as delay } from 'node:timers/promises';
import { faultPoint } from '../../protocol/fault.ts';
import { NanoError } from '../../src/errors.ts';
import type { Sandbox } from '../../src/sandbox/driver.ts';
import { lastLines } from '../output-log.ts';
import type { ContainerBody } from './body.ts';
import { type Followed, follow } from './follow.ts';
import { type Frame, readFrames } from './frames.ts';
import { GO, GONE, READY } from './gate.ts';
import { refuseMade } from './oci-runtime.ts';

export interface Launch extends Omit<Followed, 'id' | 'frames' | 'sinceMs' | 'done'> {
  name: string;
  body: ContainerBody;
  /** The OCI runtime that was asked for by name. */
  runtime: string | undefined;
  /** Why what the gate has seen isn't what was meant, or null. */
  refuse(said: string): string | null;
  timeoutMs: number;
  /** While it stands at its gate. */
  look?(id: string): Promise<void>;
}

/** Rejects with a NanoError, and leaves nothing behind, when it does not come to run. */
export async function launch(plan: Launch): Promise<Sandbox> {
  const containers = await plan.containers();
  const id = await containers.create(plan.name, plan.body);
  const done = new AbortController();
  try {
    if (plan.runtime !== undefined) {
      const other = refuseMade(await containers.ociRuntime(id), plan.runtime);
      if (other) throw new NanoError('NC_SANDBOX_START', other);
    }
    const pipe = await containers.attach(id, done.signal);
    pipe.on('error', () => undefined); // whoever reads hears of it
    const frames = readFrames(pipe);
    await containers.start(id);
    faultPoint('sandbox.building');
    const seen = await inTime(plan.timeoutMs, hear(frames, READY));
    const refused = plan.refuse(seen.said);
    if (refused) throw new NanoError('NC_SANDBOX_START', refused);
    await plan.look?.(id);
    pipe.write(GO);
    const { beside } = await inTime(plan.timeoutMs, hear(frames, GONE));
    return follow({ ...plan, id, done, frames: after(beside, frames), sinceMs: Date.now() });
  } catch (error) {
    done.abort();
    await plan.remove(id);
    throw error;
  }
}

export interface Heard {
  /** By the gate, before the word. */
  said: string;
  /** What came with the word, or on the other stream before it: an engine carries each by itself, so that a command's may be first. */
  beside: Frame[];
}

/** Waits for a line of the gate's with this word. Rejects with what was said instead, if all of it ends before. */
export async function hear(frames: AsyncGenerator<Frame, void>, word: string): Promise<Heard> {
  let heard = Buffer.alloc(0);
  const beside: Frame[] = [];
  for (;;) {
    const end = heard.indexOf(`${word}\n`);
    if (end >= 0) {
      const rest = heard.subarray(end + word.length + 1);
      if (rest.length > 0) beside.push({ stream: 'out', bytes: rest });
      return { said: heard.subarray(0, end).toString(), beside };
    }
    const { value, done } = await frames.next();
    if (done) {
      const complaint = Buffer.concat(beside.map(({ bytes }) => bytes)).toString();
      const words = lastLines(complaint || heard.toString()).join('\n');
      throw new NanoError('NC_SANDBOX_START', words || 'It ended at once.');
    }
    if (value.stream === 'out') heard = Buffer.concat([heard, value.bytes]);
    else beside.push(value);
  }
}

async function* after(first: readonly Frame[], frames: AsyncGenerator<Frame, void>): AsyncGenerator<Frame, void> {
  yield* first;
  yield* frames;
}

export async function inTime<T>(ms: number, event: Promise<T>): Promise<T> {
  const timer = new AbortController();
  const late = delay(ms, null, { signal: timer.signal }).then(() => {
    throw new NanoError('NC_SANDBOX_START', `The container said nothing within ${ms} ms.`);
  });
  late.catch(() => undefined); // aborted
  try {
    return await Promise.race([event, late]);
  } finally {
    timer.abort();
  }
}

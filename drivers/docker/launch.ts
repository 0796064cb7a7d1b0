/** Creates one container, lets its gate say what it sees, and gives the word. */
import { setTimeout as delay } from 'node:timers/promises';
import { faultPoint } from '../../protocol/fault.ts';
import { NanoError } from '../../src/errors.ts';
import type { Sandbox } from '../../src/sandbox/driver.ts';
import { lastLines } from '../output-log.ts';
import type { ContainerBody } from './body.ts';
import { type Followed, follow } from './follow.ts';
import { type Frame, readFrames } from './frames.ts';
import { GO, isComplete } from './gate.ts';

export interface Launch extends Omit<Followed, 'id' | 'frames' | 'sinceMs'> {
  name: string;
  body: ContainerBody;
  /** Why what the gate has seen isn't what was meant, or null. */
  refuse(said: string): string | null;
  timeoutMs: number;
}

/** Rejects with a NanoError, and leaves nothing behind, when it does not come to run. */
export async function launch(plan: Launch): Promise<Sandbox> {
  const { containers } = plan;
  const id = await containers.create(plan.name, plan.body);
  let frames: AsyncGenerator<Frame, void> | undefined;
  try {
    const pipe = await containers.attach(id);
    pipe.on('error', () => undefined); // whoever reads hears of it
    frames = readFrames(pipe);
    await containers.start(id);
    faultPoint('sandbox.building');
    const said = await within(plan.timeoutMs, handshake(frames));
    const refused = plan.refuse(said);
    if (refused) throw new NanoError('NC_SANDBOX_START', refused);
    pipe.write(GO);
    return follow({ ...plan, id, frames, sinceMs: Date.now() });
  } catch (error) {
    void frames?.return().catch(() => undefined);
    await containers.remove(id).catch((also: unknown) => {
      plan.log('a container that did not start stays', { session: plan.sessionId, id, error: also });
    });
    throw error;
  }
}

async function handshake(frames: AsyncGenerator<Frame, void>): Promise<string> {
  let said = '';
  let complaint = '';
  while (!isComplete(said)) {
    const { value, done } = await frames.next();
    if (done) throw new NanoError('NC_SANDBOX_START', lastLines(complaint || said).join('\n') || 'It ended at once.');
    if (value.stream === 'out') said += value.bytes.toString();
    else complaint += value.bytes.toString();
  }
  return said;
}

async function within<T>(ms: number, event: Promise<T>): Promise<T> {
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

/** What became of the image, in a small file of the install: the one who makes it writes, `ncl status` and `ncl doctor` read. */
import { mkdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { isAlive } from '../../src/processes.ts';
import { writeIfOther } from '../files.ts';

const Status = z.object({
  image: z.string(),
  /** Whose it is. */
  engine: z.enum(['docker', 'podman']).optional(),
  /** The hash of what it was to be made of. */
  content: z.string(),
  state: z.enum(['building', 'ready', 'failed']),
  /** ISO 8601. */
  at: z.string(),
  /** Of the process that makes it, or has made it. */
  pid: z.number().int().positive(),
  /** How far it is: `step 8/19: RUN …`. */
  step: z.string().optional(),
  /** Why it failed, as a sentence. */
  reason: z.string().optional(),
  /** Whether another image serves meanwhile. */
  serves: z.boolean().default(false),
  /** How often in a row the network was what failed. */
  tries: z.number().int().nonnegative().default(0),
  /** ISO 8601. Without it a failure is not tried again by itself. */
  retryAt: z.string().optional(),
});
export type ImageStatus = z.infer<typeof Status>;

const fileOf = (stateDir: string): string => path.join(stateDir, 'image.json');

/** Undefined: there is none, or it can't be read. A build whose process is gone was cut short, and counts as none. */
export function readImageStatus(stateDir: string): ImageStatus | undefined {
  try {
    const status = Status.parse(JSON.parse(readFileSync(fileOf(stateDir), 'utf8')));
    return status.state === 'building' && !isAlive(status.pid) ? undefined : status;
  } catch {
    return undefined;
  }
}

export function writeImageStatus(stateDir: string, status: ImageStatus): void {
  mkdirSync(stateDir, { recursive: true });
  writeIfOther(fileOf(stateDir), Buffer.from(JSON.stringify(status)));
}

/** What a person is told of it; `ok` unless somebody has to do something. */
export function describeImage(status: ImageStatus): { ok: boolean; detail: string; remedy?: string } {
  const meanwhile = status.serves ? ' The one from before serves meanwhile.' : '';
  if (status.state === 'ready') return { ok: true, detail: `${status.image} is up to date.` };
  if (status.state === 'building') {
    return { ok: true, detail: `${status.image} is being made${status.step ? `: ${status.step}` : ''}.${meanwhile}` };
  }
  const again = status.retryAt === undefined ? '' : ` It is tried again at ${status.retryAt}.`;
  return {
    ok: false,
    detail: `${status.image} could not be made: ${status.reason ?? 'see the log'}${meanwhile}${again}`,
    remedy: 'See logs/image.log; then run `bash container/build.sh`.',
  };
}

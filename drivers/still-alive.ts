/** Whether a sandbox that nobody can ask about lives in a session's folder: then its heartbeat, taken away, comes again. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { INSIDE } from '../protocol/container-config.ts';
import type { SandboxSpec } from '../src/sandbox/driver.ts';

/** It beats once a second. */
const WAIT_MS = 3000;
const LOOK_MS = 100;

/** The file was removed for the start that this is asked for. */
export async function isStillAlive({ mounts }: SandboxSpec): Promise<boolean> {
  const box = mounts.find(({ target }) => target === INSIDE.workspace);
  if (!box) return false;
  const file = path.join(box.source, path.basename(INSIDE.heartbeat));
  for (const end = performance.now() + WAIT_MS; performance.now() < end; await delay(LOOK_MS)) {
    if (existsSync(file)) return true;
  }
  return false;
}

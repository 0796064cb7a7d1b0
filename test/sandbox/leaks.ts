/** Many starts, and what is left of them: of each kind nothing. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { SandboxDriver } from '../../src/sandbox/driver.ts';
import type { DriverUnderTest } from './drivers.ts';
import { type Place, run, until } from './host.ts';

const AT_ONCE = 4;

/** Each leaves a process behind its back, which has to go with it. */
export async function startMany(driver: SandboxDriver, place: Place, count: number): Promise<void> {
  for (let done = 0; done < count; done += AT_ONCE) {
    const some = Array.from({ length: Math.min(AT_ONCE, count - done) }, (_, n) => `many-${n}`);
    const exits = await Promise.all(some.map((id) => run(driver, place.spec(id, 'sleep 1000 & true'))));
    assert.deepEqual(
      exits.map(({ code }) => code),
      some.map(() => 0),
    );
  }
}

export const descriptors = (): number => readdirSync('/proc/self/fd').length;

export async function nothingIsLeft(under: DriverUnderTest, place: Place, descriptorsBefore: number): Promise<void> {
  // One that is being closed is no leak.
  await until('no descriptor is left', () => descriptors() <= descriptorsBefore);
  assert.deepEqual(await under.traces(place), []);
  assert.equal(readFileSync(`/proc/self/task/${process.pid}/children`, 'utf8'), '');
}

/** What this process can't let go of, in bytes. */
export function heldMemory(): number {
  setFlagsFromString('--expose-gc');
  runInNewContext('gc')();
  return process.memoryUsage().heapUsed;
}

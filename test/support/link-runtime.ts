import { mkdirSync, readdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';

/** The runtimes of one checkout for another, but for the host's bundle, which is made of its own sources. */
export function linkRuntime(from: string, to: string): void {
  mkdirSync(join(to, '.runtime'));
  for (const name of readdirSync(join(from, '.runtime'))) {
    if (name !== 'host') symlinkSync(join(from, '.runtime', name), join(to, '.runtime', name));
  }
}

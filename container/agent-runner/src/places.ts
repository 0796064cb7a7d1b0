import { lstatSync, mkdirSync, renameSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

/** The runner's own places lie in a folder where the agent can put anything. What is wrong there is kept, out of the way. */

/** Makes the folder, unless it is there. A link to one doesn't count. */
export function ensureRealFolder(path: string): void {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found && !found.isDirectory()) moveAside(path);
  mkdirSync(path, { recursive: true });
}

/** `outbox` and `.outbox` both become `.outbox-<time>`. Throws when nothing is there. */
export function moveAside(path: string): void {
  renameSync(path, join(dirname(path), `.${basename(path).replace(/^\./, '')}-${Date.now()}`));
}

import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const made: string[] = [];

/** A folder below the system's temporary one. It goes with this process: what is still written after a test would bring it back. */
export function scratchFolder(prefix = 'nanoclaw-'): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), prefix)));
  if (made.push(folder) > 1) return folder;
  process.once('exit', removeAll);
  // Logs write what they still hold when all is over: after them.
  process.once('beforeExit', () => process.off('exit', removeAll).once('exit', removeAll));
  return folder;
}

function removeAll(): void {
  for (const folder of made) rmSync(folder, { recursive: true, force: true });
}

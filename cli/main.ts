import { dirname } from 'node:path';
import { run } from './run.ts';

// Sockets are named relative to the root: a Unix socket's path holds 107 bytes.
const root = dirname(import.meta.dirname);
const home = process.env.NANOCLAW_HOME ?? root;
const callerFolder = folderHere();
process.chdir(home);
process.exitCode = await run(root, home, process.argv.slice(2), callerFolder);

/** It may be gone. */
function folderHere(): string | undefined {
  try {
    return process.cwd();
  } catch {
    return undefined;
  }
}

import { dirname } from 'node:path';
import { run } from './run.ts';

// Sockets are named relative to the root: a Unix socket's path holds 107 bytes.
const root = dirname(dirname(import.meta.dirname));
process.chdir(root);
process.exitCode = await run(root, process.argv.slice(2));

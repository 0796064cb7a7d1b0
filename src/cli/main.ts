import { enableCompileCache } from 'node:module';
import { dirname, join } from 'node:path';

// First, and before the rest is loaded: reading it compiled saves half of the time that a command takes.
const root = dirname(dirname(import.meta.dirname));
enableCompileCache(join(root, '.runtime', 'compile-cache'));
process.chdir(root);
const { run } = await import('./run.ts');
process.exitCode = await run(root, process.argv.slice(2));

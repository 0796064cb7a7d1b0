/** The second half of nanoclaw.sh, on this checkout's own Node. */
import { enableCompileCache } from 'node:module';
import { dirname, join } from 'node:path';

// First, and before the rest is loaded: that is half of the time that a second run takes.
const root = dirname(import.meta.dirname);
enableCompileCache(join(root, '.runtime', 'compile-cache'));
process.chdir(root);
const { setUp } = await import('./install/set-up.ts');
await setUp(root, process.argv.slice(2), Number(process.env.NANOCLAW_SETUP_STEP ?? 0));

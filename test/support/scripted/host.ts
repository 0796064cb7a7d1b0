/** The host as it is, with the scripted channel beside the terminal: what `src/index.ts` does, for tests. */
import { mkdirSync, readdirSync, renameSync, writeFileSync } from 'node:fs';
import { enableCompileCache } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const code = dirname(dirname(dirname(dirname(fileURLToPath(import.meta.url)))));
enableCompileCache(join(code, '.runtime', 'compile-cache'));
const { NANOCLAW_HOME: home, NANOCLAW_PLATFORM: platform } = process.env;
if (!home || !platform) throw new Error('NANOCLAW_HOME and NANOCLAW_PLATFORM are to be set.');
mkdirSync(join(home, 'data'), { recursive: true, mode: 0o711 });
process.chdir(home);
process.umask(0o077);

// For a test that asks how large this process is.
process.on('SIGUSR2', () => {
  // What ends with a finalizer takes more than one.
  for (let times = 0; times < 3; times += 1) globalThis.gc?.();
  const { heapUsed, rss } = process.memoryUsage();
  const size = { heapUsed, rss, descriptors: readdirSync('/proc/self/fd').length };
  writeFileSync('size.json.new', JSON.stringify(size));
  renameSync('size.json.new', 'size.json');
});

const { start } = await import('../../../src/start.ts');
const { createScriptedAdapter } = await import('./adapter.ts');
await start(code, home, [
  createScriptedAdapter(platform, undefined, { edits: process.env.NANOCLAW_PLATFORM_EDITS === '1' }),
]);

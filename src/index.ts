import { mkdirSync } from 'node:fs';
import { enableCompileCache } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const code = dirname(dirname(fileURLToPath(import.meta.url)));
// Before the rest is loaded: what is compiled once is read from there at every later start.
enableCompileCache(join(code, '.runtime', 'compile-cache'));
// What an install owns lies in the checkout, unless it is told to live elsewhere.
const home = process.env.NANOCLAW_HOME ?? code;
mkdirSync(join(home, 'data'), { recursive: true, mode: 0o711 });
process.chdir(home);
process.umask(0o077);

// In one piece, where that can be had: sooner there, and smaller.
const { useBundle } = await import('../setup/bundle/use.ts');
const host: typeof import('./start.ts') = await import((await useBundle(code)) ?? './start.ts');
await host.start(code, home);

import { mkdirSync } from 'node:fs';
import { enableCompileCache } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
// Before the rest is loaded: what is compiled once is read from there at every later start.
enableCompileCache(join(root, '.runtime', 'compile-cache'));
process.chdir(root);
process.umask(0o077);
mkdirSync(join(root, 'data'), { recursive: true, mode: 0o711 });

const { main } = await import('./main.ts');
await main(root);

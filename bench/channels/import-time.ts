/** A process of its own: how long a channel's package takes to load beside what the host has loaded already. */
import { enableCompileCache } from 'node:module';
import { pathToFileURL } from 'node:url';

enableCompileCache(process.env.NODE_COMPILE_CACHE);
await import('../../src/main.ts');
const [, , file = ''] = process.argv;
const begun = performance.now();
await import(pathToFileURL(file).href);
process.stdout.write(String(performance.now() - begun));

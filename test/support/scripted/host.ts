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

const { main } = await import('../../../src/main.ts');
const { createAdminServer } = await import('../../../cli/server.ts');
const { createAgentCommands } = await import('../../../cli/for-agents.ts');
const { createTerminals, LOCAL_OWNER } = await import('../../../channels/terminal/index.ts');
const { createWebDoors } = await import('../../../channels/web-server/index.ts');
const { createDriver } = await import('../../../drivers/index.ts');
const { createScriptedAdapter } = await import('./adapter.ts');
await main(code, home, {
  adapters: (paths, log, env) => [
    ...createTerminals({ socketPath: paths.cliSocket, log, env }),
    createScriptedAdapter(platform, undefined, { edits: process.env.NANOCLAW_PLATFORM_EDITS === '1' }),
  ],
  owner: LOCAL_OWNER,
  web: createWebDoors,
  admin: createAdminServer,
  agentCommands: createAgentCommands,
  driver: createDriver,
});

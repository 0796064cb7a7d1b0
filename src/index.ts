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

const [
  { main },
  { createTerminals, LOCAL_OWNER },
  { createWebDoors },
  { createAdminServer },
  { createAgentCommands },
  { createDriver },
] = await Promise.all([
  import('./main.ts'),
  import('../channels/terminal/index.ts'),
  import('../channels/web-server/index.ts'),
  import('../cli/server.ts'),
  import('../cli/for-agents.ts'),
  import('../drivers/index.ts'),
]);
await main(code, home, {
  adapters: (paths, log, env) => createTerminals({ socketPath: paths.cliSocket, log, env }),
  owner: LOCAL_OWNER,
  web: createWebDoors,
  admin: createAdminServer,
  agentCommands: createAgentCommands,
  driver: createDriver,
});

import { createTerminals, LOCAL_OWNER } from '../channels/terminal/index.ts';
import { createWebDoors } from '../channels/web-server/index.ts';
import { createAgentCommands } from '../cli/for-agents.ts';
import { createAdminServer } from '../cli/server.ts';
import { createDriver } from '../drivers/index.ts';
import type { ChannelAdapter } from './channels/adapter.ts';
import { main } from './main.ts';

/** The host with what an install of it is made of. `code` and `home`: as `main` has them; `more`: beside the terminal. */
export function start(code: string, home: string, more: readonly ChannelAdapter[] = []): Promise<void> {
  return main(code, home, {
    adapters: (paths, log, env) => [...createTerminals({ socketPath: paths.cliSocket, log, env }), ...more],
    owner: LOCAL_OWNER,
    web: createWebDoors,
    admin: createAdminServer,
    agentCommands: createAgentCommands,
    driver: createDriver,
  });
}

import type { WebDoors } from '../../src/channels/plugin.ts';
import { NanoError } from '../../src/errors.ts';
import type { Logger } from '../../src/log/index.ts';
import { webhookUrl } from './public-url.ts';
import type { LIMITS, Route, WebServer } from './server.ts';

/** One web server for all channels that want webhooks: loaded and opened with the first of them, closed with the last. */

export { webhookUrl } from './public-url.ts';

export interface WebDoorsParts {
  /** `WEBHOOK_HOST`, `WEBHOOK_PORT`, `PUBLIC_URL`. */
  env(): Readonly<Record<string, string | undefined>>;
  log: Logger;
  limits?: Partial<typeof LIMITS>;
}

const PORT = 3000;
const MAX_BODY_BYTES = 1024 * 1024;

export function createWebDoors({ env, log, limits = {} }: WebDoorsParts): WebDoors {
  const routes = new Map<string, Route>();
  let server: WebServer | undefined;
  let last: Promise<void> = Promise.resolve();

  async function open(): Promise<WebServer> {
    const { WEBHOOK_HOST: host = '127.0.0.1', WEBHOOK_PORT: given = String(PORT) } = env();
    const port = /^\d{1,5}$/.test(given) ? Number(given) : Number.NaN;
    if (!(port <= 65_535)) throw new NanoError('NC_CHANNEL', 'WEBHOOK_PORT in .env is not a port: 0 to 65535.');
    const { openWebServer } = await import('./server.ts');
    return openWebServer({ host, port, route: (instance) => routes.get(instance), limits, log });
  }

  /** Opens or closes it, as it is wanted by now. */
  async function settle(): Promise<void> {
    if (routes.size > 0) server ??= await open();
    else {
      await server?.close();
      server = undefined;
    }
  }

  function soon(): Promise<void> {
    const done = last.then(settle);
    last = done.catch(() => {});
    return done;
  }

  return {
    port: () => server?.port,
    url: (instance) => webhookUrl(env().PUBLIC_URL, instance),
    of: (instance) => ({
      async serve(handler, { maxBodyBytes = MAX_BODY_BYTES } = {}) {
        const route = { handler, maxBodyBytes };
        routes.set(instance, route);
        const leave = () => {
          if (routes.get(instance) === route) routes.delete(instance);
        };
        await soon().catch((error: unknown) => {
          leave();
          throw error;
        });
        return () => {
          leave();
          return soon();
        };
      },
      url: () => (env().PUBLIC_URL ? webhookUrl(env().PUBLIC_URL, instance) : undefined),
    }),
  };
}

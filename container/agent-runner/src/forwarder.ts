import { existsSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import type { Log } from './log.ts';
import { errorText } from './log.ts';

/**
 * Opens loopback in front of the proxy's Unix socket, since harnesses speak to proxies by TCP only. Without the socket
 * there is no network, which is a setting and not an error.
 */
export function startForwarder(socketPath: string, port: number, log: Log): void {
  if (!existsSync(socketPath)) return;
  const server = createServer({ allowHalfOpen: true }, (client) => {
    const upstream = connect({ path: socketPath, allowHalfOpen: true });
    join(client, upstream);
    join(upstream, client);
  });
  server.on('error', (error) => log('error', 'forwarder-failed', { error: errorText(error) }));
  server.listen(port, '127.0.0.1');
  server.unref();
}

function join(from: Socket, to: Socket): void {
  from.pipe(to);
  // One side's failure is the other's end; neither is news to the runner.
  from.on('error', () => to.destroy());
  from.on('close', () => to.destroySoon());
}

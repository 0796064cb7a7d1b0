import { existsSync, readFileSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import type { Log } from './log.ts';
import { errorText } from './log.ts';
import type { RunnerPaths } from './paths.ts';

/**
 * Opens loopback in front of the proxy's Unix socket, since harnesses speak to proxies by TCP only. Without the socket
 * there is no network, which is a setting and not an error.
 */
export function startForwarder(paths: RunnerPaths, log: Log): void {
  if (!existsSync(paths.proxySocket) && !existsSync(paths.relayToken)) return;
  const server = createServer({ allowHalfOpen: true }, (client) => {
    const upstream = callRelay(paths);
    join(client, upstream);
    join(upstream, client);
  });
  server.on('error', (error) => log('error', 'forwarder-failed', { error: errorText(error) }));
  server.listen(paths.proxyPort, '127.0.0.1');
  server.unref();
}

/** By TCP where there is a token. It is read each time: the next host has another. */
function callRelay({ proxySocket, relayToken, relay }: RunnerPaths): Socket {
  const token = readIfThere(relayToken);
  if (token === undefined) return connect({ path: proxySocket, allowHalfOpen: true });
  const upstream = connect({ ...relay, allowHalfOpen: true, noDelay: true });
  upstream.write(token);
  return upstream;
}

function readIfThere(file: string): Buffer | undefined {
  try {
    return readFileSync(file);
  } catch {
    return undefined; // a host that starts is about to write it
  }
}

function join(from: Socket, to: Socket): void {
  from.pipe(to);
  // One side's failure is the other's end; neither is news to the runner.
  from.on('error', () => to.destroy());
  from.on('close', () => to.destroySoon());
}

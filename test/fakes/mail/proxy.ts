import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

/** A line to a server on this machine that can break, or fall silent without a word. */

export interface Proxy extends AsyncDisposable {
  port: number;
  /** Connections that there are now. */
  count(): number;
  /** Ends them all at once; new ones go through. */
  drop(): void;
  /** Nothing goes through any more, in either direction, on those that there are; new ones are as they should be. */
  stall(): void;
}

export async function startProxy(to: number): Promise<Proxy> {
  const pairs = new Set<readonly [Socket, Socket]>();
  const server = createServer((near) => {
    const far = connect(to, '127.0.0.1');
    const pair = [near, far] as const;
    pairs.add(pair);
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      one.on('error', () => {});
      one.pipe(other);
      one.once('close', () => {
        other.destroy();
        pairs.delete(pair);
      });
    }
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('There is no port.');
  const drop = () => {
    for (const [near] of pairs) near.destroy();
  };
  return {
    port: address.port,
    count: () => pairs.size,
    drop,
    stall() {
      for (const [near, far] of pairs) {
        near.unpipe(far).pause();
        far.unpipe(near).pause();
      }
    },
    async [Symbol.asyncDispose]() {
      drop();
      server.close();
      await once(server, 'close');
    },
  };
}

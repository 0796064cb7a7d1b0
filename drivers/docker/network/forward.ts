/**
 * All that the bridge runs: TCP from the sandboxes' networks to one port of the host. Given to Node as a text, so that nothing is
 * mounted: it imports nothing of ours. Arguments: the host's name, its port, the port to listen on, and with what the addresses of
 * its own begin that may be called.
 */
import { connect, createServer, type Socket } from 'node:net';
import { networkInterfaces } from 'node:os';

const [host = '', port = '', listenOn = '', called = ''] = process.argv.slice(1);

/** Of one sandbox: what the host takes from one, so that none can keep the others out. */
const MAX_OPEN = 128;
const MAX_NEW_A_SECOND = 500;
const LOOK_MS = 5_000;

const open = new Map<string, number>();
let fresh = new Map<string, number>();
setInterval(() => {
  fresh = new Map();
}, 1_000).unref();

function enters(address: string): boolean {
  const made = (fresh.get(address) ?? 0) + 1;
  fresh.set(address, made);
  return made <= MAX_NEW_A_SECOND && (open.get(address) ?? 0) < MAX_OPEN;
}

function count(address: string, by: 1 | -1): void {
  const now = (open.get(address) ?? 0) + by;
  if (now > 0) open.set(address, now);
  else open.delete(address);
}

function join(from: Socket, to: Socket): void {
  from.pipe(to);
  from.on('error', () => to.destroy());
  from.on('close', () => to.destroySoon());
}

/** Else whoever listens at the host's port after it would be taken for it: with what an agent says, and its token. */
let hasHost = true;

const server = createServer({ allowHalfOpen: true, noDelay: true }, (inside) => {
  const address = inside.remoteAddress ?? '';
  inside.on('error', () => undefined);
  const isAsked = inside.localAddress?.startsWith(called) ?? false;
  if (!hasHost || !isAsked || !enters(address)) return void inside.destroy();
  count(address, 1);
  inside.once('close', () => count(address, -1));
  const outside = connect({ host, port: Number(port), allowHalfOpen: true, noDelay: true });
  join(inside, outside);
  join(outside, inside);
});
server.listen(Number(listenOn), '0.0.0.0', () => console.log('ready'));

// The host holds its input open. Without a host it stays for as long as there is a sandbox that another host may take over.
process.stdin.resume().on('close', () => {
  hasHost = false;
  const leaveIfAlone = () => {
    const networks = Object.keys(networkInterfaces()).filter((name) => name !== 'lo');
    if (networks.length <= 1) process.exit(0);
  };
  leaveIfAlone();
  setInterval(leaveIfAlone, LOOK_MS);
});

/** Whether the relay will be reached from inside: tried with a far end of the trial's own, by the way that sandboxes will use. */
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer, type ListenOptions, type Server, type Socket } from 'node:net';
import path from 'node:path';
import { INSIDE } from '../../../protocol/container-config.ts';
import type { Mount, Transport } from '../../../src/sandbox/driver.ts';
import { BLOCK } from './subnets.ts';

export interface Reach {
  /** For a plain sh; prints `reach:yes` or `reach:no`, and nothing in an image that has no program to try it with. */
  script: string;
  mounts: Mount[];
  close(): void;
}

const FOLDER = '/run/trial';
const ANSWER = 'HTTP/1.0 200 OK\r\n\r\nhere\n';
/** What a kernel takes for the path of a Unix socket. */
const MAX_PATH_BYTES = 100;

export async function openReach(way: Transport, stateDir: string): Promise<Reach> {
  return way === 'socket' ? bySocket(stateDir) : byNetwork(way);
}

async function bySocket(stateDir: string): Promise<Reach> {
  mkdirSync(stateDir, { recursive: true });
  const folder = mkdtempSync(path.join(path.resolve(stateDir), 'trial-'));
  chmodSync(folder, 0o755);
  const [whole, short] = [path.join(folder, 's'), path.relative(process.cwd(), path.join(folder, 's'))];
  const at = Buffer.byteLength(whole) <= MAX_PATH_BYTES ? whole : short;
  const remove = () => rmSync(folder, { recursive: true, force: true });
  if (Buffer.byteLength(at) > MAX_PATH_BYTES) {
    remove();
    return { script: '', mounts: [], close: () => undefined };
  }
  // For a moment, and it tells nothing: whoever may connect.
  const server = await listen({ path: at, readableAll: true, writableAll: true });
  return {
    script: tried('curl', `curl -s -m 5 --unix-socket ${FOLDER}/s http://relay/`),
    mounts: [{ source: folder, target: FOLDER, mode: 'ro' }],
    close() {
      server.close();
      remove();
    },
  };
}

async function byNetwork({ host, port }: { host: string; port: number }): Promise<Reach> {
  const server = await listen({ host, port });
  const { host: name, port: at } = INSIDE.relay;
  const call = `bash -c 'exec 3<>/dev/tcp/${name}/${at} && echo >&3 && timeout 5 cat <&3'`;
  return { script: tried('bash', call) + NEIGHBOURS, mounts: [], close: () => void server.close() };
}

const tried = (program: string, call: string): string =>
  `if command -v ${program} >/dev/null; then case $(${call} 2>/dev/null) in *here*) echo reach:yes ;; *) echo reach:no ;; esac; fi\n`;

/** Who answers in its network for an address that is neither its own nor the bridge's: the engine's machine. */
const NEIGHBOURS = `
while read -r address name; do case $address in ${BLOCK}*) case $name in ${INSIDE.relay.host}) relay=$address ;; *) own=$address ;; esac ;; esac; done </etc/hosts
for offset in -1 2 3 4; do
  [ -n "$relay" ] && bash -c "echo x >/dev/udp/\${relay%.*}.$((\${relay##*.} + offset))/9" 2>/dev/null
done
sleep 0.3
while read -r address kind flags rest; do
  case $address in "$relay"|"$own"|IP) ;; *) [ "$flags" = 0x2 ] && echo "neighbour:$address" ;; esac
done </proc/net/arp
`;

async function listen(where: ListenOptions): Promise<Server> {
  // Once it was asked: who is answered and left before that may take it for a broken connection.
  const answer = (socket: Socket) => socket.on('error', () => undefined).once('data', () => socket.end(ANSWER));
  const server = createServer(answer).listen(where);
  await once(server, 'listening');
  return server;
}

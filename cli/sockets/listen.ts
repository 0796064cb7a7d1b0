import { chmodSync, lstatSync, mkdirSync, unlinkSync } from 'node:fs';
import { createConnection, type Server, type Socket } from 'node:net';
import { dirname } from 'node:path';
import { NanoError } from '../../src/errors.ts';

/** What the kernel's `sun_path` holds besides its end. A longer path would be cut without a word. */
const MAX_PATH_BYTES = 107;

/**
 * Listens on a Unix socket that only this user may use. A socket that a dead process left behind is removed; one on
 * which somebody listens is NC_HOST_RUNNING. Throws NC_SOCKET_PATH for a path that can't hold a socket.
 */
export async function listenUnix(server: Server, path: string): Promise<void> {
  if (Buffer.byteLength(path) > MAX_PATH_BYTES) {
    throw new NanoError('NC_SOCKET_PATH', `${path} is longer than ${MAX_PATH_BYTES} bytes.`);
  }
  mkdirSync(dirname(path), { recursive: true, mode: 0o711 });
  const there = lstatSync(path, { throwIfNoEntry: false });
  if (there && !there.isSocket()) throw new NanoError('NC_SOCKET_PATH', `${path} exists and is not a socket.`);
  if (there) {
    const socket = await connectUnix(path);
    socket?.destroy();
    if (socket) throw new NanoError('NC_HOST_RUNNING');
    unlinkSync(path);
  }
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    // The socket is made inside listen(), in this tick: nobody else can reach it before it is private.
    const mask = process.umask(0o177);
    try {
      server.listen(path, () => {
        server.off('error', reject);
        resolve();
      });
    } finally {
      process.umask(mask);
    }
  });
  chmodSync(path, 0o600);
}

/** A connection, or undefined when nobody listens there. Other errors (no right to it) reject. */
export function connectUnix(path: string): Promise<Socket | undefined> {
  return new Promise((resolve, reject) => {
    const socket = createConnection(path);
    socket.once('connect', () => {
      socket.off('error', fail);
      resolve(socket);
    });
    socket.once('error', fail);
    function fail(error: NodeJS.ErrnoException): void {
      if (error.code === 'ECONNREFUSED' || error.code === 'ENOENT') resolve(undefined);
      else reject(error);
    }
  });
}

const CLOSE_MS = 500;

/** Ends every connection, after what was written to it, and the server itself; its socket file goes. */
export async function closeServer(server: Server, connections: Iterable<Socket>): Promise<void> {
  if (!server.listening) return;
  const open = [...connections];
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  for (const socket of open) socket.destroySoon();
  const timer = setTimeout(() => {
    for (const socket of open) socket.destroy();
  }, CLOSE_MS);
  await closed;
  clearTimeout(timer);
}

import { once } from 'node:events';
import { chmodSync, chownSync, lstatSync, mkdirSync, renameSync, rmdirSync, rmSync } from 'node:fs';
import type { Server } from 'node:http';
import { dirname, join } from 'node:path';
import { errorText, VaultError } from './error.ts';

/** What the kernels take for a Unix socket's path, without the closing zero: 107 on Linux, 103 on macOS. */
const MAX_PATH_BYTES = process.platform === 'linux' ? 107 : 103;

/**
 * Listens on a Unix socket that only `uid` may connect to. The socket is made in a private folder and moved to its place
 * once its owner and mode are right: nobody can connect before, and no umask of the process is touched.
 * Rejects with NC_SOCKET_PATH; then nothing is left.
 */
export async function listenPrivately(server: Server, path: string, uid: number | undefined): Promise<void> {
  const stage = join(dirname(path), '.new');
  const made = join(stage, 's');
  if (Math.max(Buffer.byteLength(path), Buffer.byteLength(made)) > MAX_PATH_BYTES) {
    throw new VaultError('NC_SOCKET_PATH', `Its path holds more than ${MAX_PATH_BYTES} bytes: ${path}`);
  }
  try {
    removeSocket(path);
    rmSync(stage, { recursive: true, force: true });
    mkdirSync(stage, { mode: 0o700 });
    server.listen(made);
    if (!server.listening) throw (await once(server, 'error'))[0];
    chmodSync(made, 0o600);
    if (uid !== undefined && process.getuid?.() === 0) chownSync(made, uid, uid);
    renameSync(made, path);
    rmdirSync(stage);
  } catch (error) {
    server.close();
    rmSync(stage, { recursive: true, force: true });
    throw new VaultError('NC_SOCKET_PATH', errorText(error), { cause: error });
  }
}

/** New connections a second. Each costs the host as much as the sandbox, which can make tens of thousands. */
export const MAX_NEW_A_SECOND = 500;

/**
 * Lets nobody connect for the rest of a second in which too many have. It is the kernel that refuses: accepting only to
 * close would cost as much. What is open goes on.
 */
export function limitChurn(server: Server, path: string): void {
  let count = 0;
  const endSecond = () => {
    if (server.listening && count >= MAX_NEW_A_SECOND) setMode(path, 0o600);
    count = 0;
  };
  const take = () => {
    count++;
    if (count === 1) setTimeout(endSecond, 1000).unref();
    if (count === MAX_NEW_A_SECOND) setMode(path, 0);
  };
  server.on('connection', take).on('drop', take);
}

function setMode(path: string, mode: number): void {
  try {
    chmodSync(path, mode);
  } catch {
    // The folder was removed under the host: nobody can connect there any more.
  }
}

/** Removes a socket's file, if there is one. Anything else in its place is not ours to remove. */
export function removeSocket(path: string): void {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) return;
  if (!found.isSocket()) throw new Error(`${path} is not a socket`);
  rmSync(path, { force: true });
}

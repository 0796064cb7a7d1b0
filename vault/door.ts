import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { once } from 'node:events';
import { chownSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { dirname, join } from 'node:path';
import { errorText, VaultError } from './error.ts';
import { MAX_CONNECTIONS, track } from './session.ts';
import { MAX_NEW_A_SECOND } from './session-socket.ts';

/** The way in by TCP, for sandboxes that a Unix socket doesn't reach. Whoever connects says a session's token first. */
export interface Door {
  /**
   * Lets in whoever says the token that is written into `file`, new with each call. Gives what ends that, and all that came
   * by it. Throws VaultError NC_SOCKET_PATH when the file can't be written.
   */
  admit(file: string, uid: number | undefined, take: (socket: Socket) => void): () => void;
  /** Nobody comes in any more. */
  close(): Promise<void>;
}

export interface DoorPlace {
  /** An address of this machine. */
  host: string;
  port: number;
}

const TOKEN_BYTES = 32;
const MAX_LINE_BYTES = 128;
/** How long, and how many, may stand at the door without having said a token. */
const PATIENCE_MS = 5_000;
const MAX_STRANGERS = 256;

interface Guest {
  digest: Buffer;
  sockets: Set<Socket>;
  isCrowded(): boolean;
  take(socket: Socket): void;
}

/** Rejects with NC_SOCKET_PATH when something else listens there. */
export async function openDoor({ host, port }: DoorPlace): Promise<Door> {
  const guests = new Set<Guest>();
  const strangers = new Set<Socket>();

  function greet(socket: Socket): void {
    socket.on('error', () => socket.destroy());
    // Who has a token says it at once. The one that has dawdled longest makes room, so that dawdlers keep nobody out.
    const [longest] = strangers.size < MAX_STRANGERS ? [] : strangers;
    longest?.destroy();
    track(strangers, socket);
    const deadline = setTimeout(() => socket.destroy(), PATIENCE_MS);
    socket.once('close', () => clearTimeout(deadline));
    let heard = Buffer.alloc(0);
    const hear = (chunk: Buffer) => {
      heard = Buffer.concat([heard, chunk]);
      const end = heard.indexOf('\n');
      if (end < 0 && heard.length < MAX_LINE_BYTES) return;
      clearTimeout(deadline);
      socket.off('data', hear).pause();
      strangers.delete(socket);
      const guest = end < 0 ? undefined : guestWith(heard.subarray(0, end));
      if (guest === undefined || guest.isCrowded()) return void socket.destroy();
      track(guest.sockets, socket);
      if (heard.length > end + 1) socket.unshift(heard.subarray(end + 1));
      guest.take(socket);
      process.nextTick(() => socket.resume());
    };
    socket.on('data', hear);
  }

  /** All are looked at, each in constant time: an answer's delay tells nothing of a token. */
  function guestWith(token: Buffer): Guest | undefined {
    const digest = digestOf(token);
    let found: Guest | undefined;
    for (const guest of guests) if (timingSafeEqual(guest.digest, digest)) found = guest;
    return found;
  }

  const server = createServer({ allowHalfOpen: true, noDelay: true }, greet);
  server.listen({ host, port });
  try {
    await once(server, 'listening');
  } catch (error) {
    throw new VaultError('NC_SOCKET_PATH', `${host}:${port}: ${errorText(error)}`, { cause: error });
  }

  return {
    admit(file, uid, take) {
      const token = randomBytes(TOKEN_BYTES).toString('base64url');
      const sockets = new Set<Socket>();
      const isBusy = createPace(MAX_NEW_A_SECOND);
      const isCrowded = () => isBusy() || sockets.size >= MAX_CONNECTIONS;
      const guest = { digest: digestOf(Buffer.from(token)), sockets, isCrowded, take };
      writePrivately(file, `${token}\n`, uid);
      guests.add(guest);
      return () => {
        guests.delete(guest);
        for (const socket of sockets) socket.destroy();
        rmSync(file, { force: true });
      };
    },
    async close() {
      const closed = once(server, 'close');
      server.close();
      for (const socket of [strangers, ...[...guests].map(({ sockets }) => sockets)].flatMap((all) => [...all])) {
        socket.destroy();
      }
      await closed;
    },
  };
}

function digestOf(token: Buffer): Buffer {
  return createHash('sha256').update(token).digest();
}

/** Whether there have been more calls than that in the running second. */
function createPace(most: number): () => boolean {
  let began = 0;
  let count = 0;
  return () => {
    const now = performance.now();
    if (now - began >= 1000) [began, count] = [now, 0];
    count++;
    return count > most;
  };
}

/** In one piece, and from its first moment for nobody but `uid`. */
function writePrivately(file: string, text: string, uid: number | undefined): void {
  const made = join(dirname(file), '.token');
  try {
    rmSync(made, { force: true });
    writeFileSync(made, text, { mode: 0o400, flag: 'wx' });
    if (uid !== undefined && process.getuid?.() === 0) chownSync(made, uid, uid);
    renameSync(made, file);
  } catch (error) {
    throw new VaultError('NC_SOCKET_PATH', errorText(error), { cause: error });
  }
}

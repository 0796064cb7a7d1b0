import type { Socket } from 'node:net';
import type { DialOptions } from './dial.ts';

/** How much one sandbox may hold open, so that it can't use up the host's descriptors. */
export const MAX_CONNECTIONS = 128;
export const MAX_OUTGOING = 64;
/** Longer than a model thinks and than a long poll waits. */
export const IDLE_MS = 10 * 60_000;

/** What both directions of the forward proxy share for one session. */
export interface ProxySession {
  dial: DialOptions;
  idleMs: number;
  /** Counts tunnels and forwarded requests. Undefined: as many as may be are open; else gives the place back. */
  enter(): (() => void) | undefined;
  /** Sockets that the HTTP server doesn't know, ended with the session. */
  sockets: Set<Socket>;
}

export const CROWDED = `This sandbox has ${MAX_OUTGOING} connections open already. Close some, then try again.\n`;

export function createPlaces(max: number): () => (() => void) | undefined {
  let taken = 0;
  return () => {
    if (taken >= max) return undefined;
    taken++;
    let left = false;
    return () => {
      if (!left) taken--;
      left = true;
    };
  };
}

export function track(sockets: Set<Socket>, socket: Socket): void {
  sockets.add(socket);
  socket.once('close', () => sockets.delete(socket));
}

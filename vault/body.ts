import type { ClientRequest, IncomingMessage } from 'node:http';
import type { Headers } from './headers.ts';

/**
 * Frames a request's body anew. Node writes the body of a GET bare when no header frames it, and the next server would
 * read it as a second request. False: there is no body to send.
 */
export function frameBody(incoming: IncomingMessage, headers: Headers): boolean {
  if (incoming.headers['transfer-encoding'] === undefined) return Number(incoming.headers['content-length'] ?? 0) > 0;
  delete headers['content-length'];
  headers['transfer-encoding'] = 'chunked';
  return true;
}

/** Why a request can't be passed on by any of the two proxies; undefined when it can. */
export function refuseFraming(incoming: IncomingMessage): string | undefined {
  const coding = incoming.headers['transfer-encoding'];
  if (coding !== undefined && coding.toLowerCase() !== 'chunked') return 'Only the transfer coding "chunked" is known.';
  if (incoming.headers.upgrade !== undefined) return 'An upgrade is not passed on; CONNECT opens a tunnel.';
  return undefined;
}

/** Streams the body up. What the far end takes no more of is dropped, or the sandbox's connection would stay stuck on it. */
export function sendBody(incoming: IncomingMessage, outgoing: ClientRequest, hasBody: boolean): void {
  if (!hasBody) return void outgoing.end();
  incoming.pipe(outgoing);
  outgoing.once('close', () => incoming.resume());
}

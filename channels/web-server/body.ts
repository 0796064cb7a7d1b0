import type { IncomingMessage } from 'node:http';

/** The whole body of a request, byte for byte, or the status that ends it. */

export type Body = { bytes: Buffer } | { status: 408 | 413 | 503 } | 'gone';

/** What all requests together hold in memory. */
export interface Budget {
  take(bytes: number): boolean;
  give(bytes: number): void;
}

export function createBudget(most: number): Budget {
  let taken = 0;
  return {
    take(bytes) {
      if (taken + bytes > most) return false;
      taken += bytes;
      return true;
    },
    give(bytes) {
      taken -= bytes;
    },
  };
}

/** Never rejects. What was taken of the budget is the caller's to give back: `bytes.length`. */
export function readBody(
  request: IncomingMessage,
  { maxBytes, withinMs, budget }: { maxBytes: number; withinMs: number; budget: Budget },
): Promise<Body> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const timer = setTimeout(() => end({ status: 408 }), withinMs);

    function end(body: Body): void {
      clearTimeout(timer);
      request.off('data', take).off('end', done).off('close', gone);
      if (body === 'gone' || 'status' in body) budget.give(size);
      resolve(body);
    }
    function take(chunk: Buffer): void {
      if (size + chunk.length > maxBytes) end({ status: 413 });
      else if (!budget.take(chunk.length)) end({ status: 503 });
      else {
        size += chunk.length;
        chunks.push(chunk);
      }
    }
    const done = () => end(request.complete ? { bytes: Buffer.concat(chunks, size) } : 'gone');
    const gone = () => end('gone');
    request.on('data', take).on('end', done).on('close', gone);
    // Stays, or an error that comes later would end the host.
    request.on('error', gone);
  });
}

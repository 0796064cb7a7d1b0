import { randomUUID } from 'node:crypto';
import { createWriteStream, mkdirSync, rmSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ReadableStream } from 'node:stream/web';
import { errorText } from '../../src/errors.ts';
import type { Logger } from '../../src/log/index.ts';

/** Files of messages, streamed into a private folder, from where the host takes them. */

export interface DownloadParts {
  folder: string;
  maxBytes: number;
  log: Logger;
}

/** Resolves with where it lies. Rejects with TooLarge, with what `open` throws, or when it is being stopped. */
export type Download = (open: (signal: AbortSignal) => Promise<Response>, signal: AbortSignal) => Promise<string>;

export class TooLarge extends Error {}

const TRIES = 2;
const FILE_MS = 120_000;

export function createDownload({ folder, maxBytes, log }: DownloadParts): Download {
  // What an earlier process fetched and never handed over.
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true, mode: 0o700 });

  async function once(open: Parameters<Download>[0], signal: AbortSignal): Promise<string> {
    const path = join(folder, randomUUID());
    const limited = AbortSignal.any([signal, AbortSignal.timeout(FILE_MS)]);
    try {
      const { body } = await open(limited);
      const from = body ? Readable.fromWeb(body as ReadableStream<Uint8Array>) : Readable.from([]);
      await pipeline(from, cap(maxBytes), createWriteStream(path, { flags: 'wx', mode: 0o600 }), { signal: limited });
      return path;
    } catch (error) {
      await rm(path, { force: true });
      throw error;
    }
  }

  return async (open, signal) => {
    for (let tries = 1; ; tries++) {
      try {
        return await once(open, signal);
      } catch (error) {
        signal.throwIfAborted();
        log.warn('a file was not fetched', { tries, error: errorText(error) });
        if (error instanceof TooLarge || tries === TRIES) throw error;
      }
    }
  };
}

/** What a size says is counted again. */
function cap(maxBytes: number): Transform {
  let seen = 0;
  return new Transform({
    transform(chunk: Buffer, _, done) {
      seen += chunk.length;
      if (seen > maxBytes) done(new TooLarge());
      else done(null, chunk);
    },
  });
}

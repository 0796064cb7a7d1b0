import { randomUUID } from 'node:crypto';
import { createWriteStream, mkdirSync, rmSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ReadableStream } from 'node:stream/web';
import { errorText } from '../../src/errors.ts';
import type { Logger } from '../../src/log/index.ts';
import { FileProblem } from '../chat-sdk/bridge.ts';
import { type Api, isSlacks, Refusal } from './api.ts';

/** Files of messages, streamed into a private folder, from where the host takes them. */

export interface DownloadParts {
  api: Api;
  apiUrl: string;
  folder: string;
  maxBytes: number;
  log: Logger;
  signal: AbortSignal;
}

const TRIES = 2;
const FILE_MS = 120_000;

export function createDownloads({ api, apiUrl, folder, maxBytes, log, signal }: DownloadParts) {
  // What an earlier process fetched and never handed over.
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const tooLarge = () => new FileProblem(`at most ${Math.round(maxBytes / 1024 / 1024)} MB are fetched`);

  async function stream(url: string): Promise<string> {
    const path = join(folder, randomUUID());
    const limited = AbortSignal.any([signal, AbortSignal.timeout(FILE_MS)]);
    try {
      const { body } = await api.fetchFile(url, limited);
      const from = body ? Readable.fromWeb(body as ReadableStream<Uint8Array>) : Readable.from([]);
      await pipeline(from, cap(maxBytes, tooLarge), createWriteStream(path, { flags: 'wx', mode: 0o600 }), {
        signal: limited,
      });
      return path;
    } catch (error) {
      await rm(path, { force: true });
      throw error;
    }
  }

  return async ({ url, size = 0 }: { url?: string; size?: number }): Promise<string> => {
    // A file of another workspace, or one that the plan hides, comes without an address.
    if (url === undefined || !URL.canParse(url)) throw new FileProblem('Slack does not hand it over');
    if (!isSlacks(new URL(url), apiUrl)) throw new FileProblem('it is kept somewhere else than at Slack');
    if (size > maxBytes) throw tooLarge();
    for (let tries = 1; ; tries++) {
      try {
        return await stream(url);
      } catch (error) {
        signal.throwIfAborted();
        log.warn('a file was not fetched', { tries, error: errorText(error) });
        if (error instanceof FileProblem) throw error;
        if (error instanceof Refusal || tries === TRIES) throw new FileProblem('Slack did not hand it over');
      }
    }
  };
}

/** What a size says is counted again. */
function cap(maxBytes: number, tooLarge: () => Error): Transform {
  let seen = 0;
  return new Transform({
    transform(chunk: Buffer, _, done) {
      seen += chunk.length;
      if (seen > maxBytes) done(tooLarge());
      else done(null, chunk);
    },
  });
}

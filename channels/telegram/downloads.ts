import { randomUUID } from 'node:crypto';
import { createWriteStream, mkdirSync, rmSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ReadableStream } from 'node:stream/web';
import { z } from 'zod';
import type { InboundAttachment } from '../../src/channels/adapter.ts';
import { errorText } from '../../src/errors.ts';
import type { Logger } from '../../src/log/index.ts';
import type { Api } from './api.ts';
import type { MediaPart } from './media.ts';

/** Files of messages, streamed into a private folder, from where the host takes them. */

export interface Downloads {
  /** `problems`: a line for each that isn't there, for whoever reads the message. Rejects only when stopped. */
  fetch(
    media: readonly MediaPart[],
    signal: AbortSignal,
  ): Promise<{ attachments: InboundAttachment[]; problems: string[] }>;
}

const TRIES = 2;
const FILE_MS = 120_000;
const File = z.object({ file_path: z.string() });

class TooLarge extends Error {}

export function createDownloads(api: Api, folder: string, maxBytes: number, log: Logger): Downloads {
  // What an earlier process fetched and never handed over.
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const most = `${Math.round(maxBytes / 1024 / 1024)} MB`;

  async function one(part: MediaPart, signal: AbortSignal): Promise<string> {
    if ((part.size ?? 0) > maxBytes) throw new TooLarge();
    const path = join(folder, randomUUID());
    try {
      const { file_path } = await api.call('getFile', { file_id: part.fileId }, File, { signal });
      const limited = AbortSignal.any([signal, AbortSignal.timeout(FILE_MS)]);
      const { body } = await api.fetchFile(file_path, limited);
      const from = body ? Readable.fromWeb(body as ReadableStream<Uint8Array>) : Readable.from([]);
      await pipeline(from, cap(maxBytes), createWriteStream(path, { flags: 'wx', mode: 0o600 }), { signal: limited });
      return path;
    } catch (error) {
      await rm(path, { force: true });
      throw /file is too big/i.test(errorText(error)) ? new TooLarge() : error;
    }
  }

  async function patiently(part: MediaPart, signal: AbortSignal): Promise<string> {
    for (let tries = 1; ; tries++) {
      try {
        return await one(part, signal);
      } catch (error) {
        signal.throwIfAborted();
        log.warn('a file was not fetched', { tries, error: errorText(error) });
        if (error instanceof TooLarge || tries === TRIES) throw error;
      }
    }
  }

  return {
    async fetch(media, signal) {
      const attachments: InboundAttachment[] = [];
      const problems: string[] = [];
      for (const part of media) {
        const { type, name, mimeType, seconds } = part;
        try {
          const localPath = await patiently(part, signal);
          const about = { ...(mimeType !== undefined && { mimeType }), ...(seconds !== undefined && { seconds }) };
          attachments.push({ type, name, localPath, ...about });
        } catch (error) {
          signal.throwIfAborted();
          const why = error instanceof TooLarge ? `a bot can fetch at most ${most}` : 'Telegram did not hand it over';
          problems.push(`[The file ${name.slice(0, 100)} is missing: ${why}.]`);
        }
      }
      return { attachments, problems };
    },
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

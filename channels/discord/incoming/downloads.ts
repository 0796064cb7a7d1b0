import { randomUUID } from 'node:crypto';
import { createWriteStream, mkdirSync, rmSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ReadableStream } from 'node:stream/web';
import { MAX_ATTACHMENT_BYTES } from '@nanoclaw/protocol';
import type { InboundAttachment } from '../../../src/channels/adapter.ts';
import { errorText } from '../../../src/errors.ts';
import type { Logger } from '../../../src/log/index.ts';
import type { Api } from '../rest/api.ts';
import type { Attachment } from './events.ts';

/** Files of messages, streamed into a private folder, from where the host takes them. */

export interface Downloads {
  /** `problems`: a line for each that isn't there, for whoever reads the message. Rejects only when stopped. */
  fetch(
    files: readonly Attachment[],
    signal: AbortSignal,
  ): Promise<{ attachments: InboundAttachment[]; problems: string[] }>;
}

const TRIES = 2;
const FILE_MS = 120_000;
const MOST = `${Math.round(MAX_ATTACHMENT_BYTES / 1024 / 1024)} MB`;

class TooLarge extends Error {}

export function createDownloads(api: Api, folder: string, log: Logger): Downloads {
  // What an earlier process fetched and never handed over.
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true, mode: 0o700 });

  async function one({ url, size }: Attachment, signal: AbortSignal): Promise<string> {
    if ((size ?? 0) > MAX_ATTACHMENT_BYTES) throw new TooLarge();
    const path = join(folder, randomUUID());
    try {
      const limited = AbortSignal.any([signal, AbortSignal.timeout(FILE_MS)]);
      const { body } = await api.download(url, limited);
      const from = body ? Readable.fromWeb(body as ReadableStream<Uint8Array>) : Readable.from([]);
      await pipeline(from, cap(), createWriteStream(path, { flags: 'wx', mode: 0o600 }), { signal: limited });
      return path;
    } catch (error) {
      await rm(path, { force: true });
      throw error;
    }
  }

  async function patiently(file: Attachment, signal: AbortSignal): Promise<string> {
    for (let tries = 1; ; tries++) {
      try {
        return await one(file, signal);
      } catch (error) {
        signal.throwIfAborted();
        log.warn('a file was not fetched', { tries, error: errorText(error) });
        if (error instanceof TooLarge || tries === TRIES) throw error;
      }
    }
  }

  return {
    async fetch(files, signal) {
      const attachments: InboundAttachment[] = [];
      const problems: string[] = [];
      for (const file of files) {
        const { filename: name, duration_secs: seconds } = file;
        const mimeType = file.content_type?.split(';')[0];
        const more = { ...(mimeType && { mimeType }), ...(seconds !== undefined && { seconds }) };
        try {
          const localPath = await patiently(file, signal);
          attachments.push({ type: typeOf(mimeType), name, localPath, ...more });
        } catch (error) {
          signal.throwIfAborted();
          const why = error instanceof TooLarge ? `it is larger than ${MOST}` : 'Discord did not hand it over';
          problems.push(`[The file ${name.slice(0, 100)} is missing: ${why}.]`);
        }
      }
      return { attachments, problems };
    },
  };
}

function typeOf(mimeType: string | undefined): string {
  const [kind = ''] = (mimeType ?? '').split('/');
  return ['image', 'video', 'audio'].includes(kind) ? kind : 'file';
}

/** What a size says is counted again. */
function cap(): Transform {
  let seen = 0;
  return new Transform({
    transform(chunk: Buffer, _, done) {
      seen += chunk.length;
      if (seen > MAX_ATTACHMENT_BYTES) done(new TooLarge());
      else done(null, chunk);
    },
  });
}

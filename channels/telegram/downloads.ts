import { z } from 'zod';
import type { InboundAttachment } from '../../src/channels/adapter.ts';
import { errorText } from '../../src/errors.ts';
import type { Logger } from '../../src/log/index.ts';
import { createDownload, TooLarge } from '../http/downloads.ts';
import type { Api } from './api.ts';
import type { MediaPart } from './media.ts';

/** Files of messages, by their numbers at Telegram. */

export interface Downloads {
  /** `problems`: a line for each that isn't there, for whoever reads the message. Rejects only when stopped. */
  fetch(
    media: readonly MediaPart[],
    signal: AbortSignal,
  ): Promise<{ attachments: InboundAttachment[]; problems: string[] }>;
}

const File = z.object({ file_path: z.string() });

export function createDownloads(api: Api, folder: string, maxBytes: number, log: Logger): Downloads {
  const download = createDownload({ folder, maxBytes, log });
  const most = `${Math.round(maxBytes / 1024 / 1024)} MB`;

  async function open({ fileId }: MediaPart, signal: AbortSignal): Promise<Response> {
    try {
      const { file_path } = await api.call('getFile', { file_id: fileId }, File, { signal });
      return await api.fetchFile(file_path, signal);
    } catch (error) {
      throw /file is too big/i.test(errorText(error)) ? new TooLarge() : error;
    }
  }

  async function one(part: MediaPart, signal: AbortSignal): Promise<string> {
    if ((part.size ?? 0) > maxBytes) throw new TooLarge();
    return download((limited) => open(part, limited), signal);
  }

  return {
    async fetch(media, signal) {
      const attachments: InboundAttachment[] = [];
      const problems: string[] = [];
      for (const part of media) {
        const { type, name, mimeType, seconds } = part;
        try {
          const localPath = await one(part, signal);
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

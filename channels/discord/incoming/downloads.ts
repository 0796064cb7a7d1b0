import { MAX_ATTACHMENT_BYTES } from '@nanoclaw/protocol';
import type { InboundAttachment } from '../../../src/channels/adapter.ts';
import type { Logger } from '../../../src/log/index.ts';
import { createDownload, TooLarge } from '../../http/downloads.ts';
import type { Api } from '../rest/api.ts';
import type { Attachment } from './events.ts';

/** Files of messages, from Discord's own servers alone. */

export interface Downloads {
  /** `problems`: a line for each that isn't there, for whoever reads the message. Rejects only when stopped. */
  fetch(
    files: readonly Attachment[],
    signal: AbortSignal,
  ): Promise<{ attachments: InboundAttachment[]; problems: string[] }>;
}

const MOST = `${Math.round(MAX_ATTACHMENT_BYTES / 1024 / 1024)} MB`;

export function createDownloads(api: Api, folder: string, log: Logger): Downloads {
  const download = createDownload({ folder, maxBytes: MAX_ATTACHMENT_BYTES, log });

  async function one({ url, size }: Attachment, signal: AbortSignal): Promise<string> {
    if ((size ?? 0) > MAX_ATTACHMENT_BYTES) throw new TooLarge();
    return download((limited) => api.download(url, limited), signal);
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
          const localPath = await one(file, signal);
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

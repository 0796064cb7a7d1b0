import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { copyFile, mkdir, rm, stat } from 'node:fs/promises';
import { basename, extname, isAbsolute, join } from 'node:path';
import { MAX_ATTACHMENT_BYTES } from '@nanoclaw/protocol';
import type { InboundAttachment } from '../../src/channels/adapter.ts';
import { errorText } from '../../src/errors.ts';

/** Files of this machine that somebody at the terminal sends along: whoever may open the socket may read them as well. */

const TYPES: Readonly<Record<string, readonly [type: string, mimeType: string]>> = {
  '.gif': ['image', 'image/gif'],
  '.jpeg': ['image', 'image/jpeg'],
  '.jpg': ['image', 'image/jpeg'],
  '.m4a': ['audio', 'audio/mp4'],
  '.mp3': ['audio', 'audio/mpeg'],
  '.mp4': ['video', 'video/mp4'],
  '.ogg': ['voice', 'audio/ogg'],
  '.pdf': ['file', 'application/pdf'],
  '.png': ['image', 'image/png'],
  '.txt': ['file', 'text/plain'],
  '.webp': ['image', 'image/webp'],
};

/** Copies, since the host moves what it is given; or what is wrong, in a sentence. Never rejects. */
export async function attachedFrom(
  paths: readonly string[],
  folder: string,
): Promise<readonly InboundAttachment[] | string> {
  const attachments: InboundAttachment[] = [];
  for (const path of paths) {
    const taken = await copied(path, folder);
    if (typeof taken === 'string') {
      await discard(attachments);
      return taken;
    }
    attachments.push(taken);
  }
  return attachments;
}

/** What the host has left of them. */
export async function discard(attachments: readonly InboundAttachment[]): Promise<void> {
  for (const { localPath } of attachments) await rm(localPath, { force: true }).catch(() => undefined);
}

async function copied(path: string, folder: string): Promise<InboundAttachment | string> {
  if (!isAbsolute(path)) return `${path} is not the whole path of a file.`;
  const localPath = join(folder, `sent-${randomUUID()}`);
  const [type, mimeType] = TYPES[extname(path).toLowerCase()] ?? ['file'];
  try {
    const found = await stat(path);
    if (!found.isFile()) return `${path} is not a file.`;
    if (found.size > MAX_ATTACHMENT_BYTES)
      return `${path} has ${found.size} bytes; ${MAX_ATTACHMENT_BYTES} are the most.`;
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await copyFile(path, localPath, constants.COPYFILE_FICLONE);
    return { type, name: basename(path), ...(mimeType && { mimeType }), localPath };
  } catch (error) {
    await rm(localPath, { force: true }).catch(() => undefined);
    return `${path} can't be sent: ${errorText(error)}`;
  }
}

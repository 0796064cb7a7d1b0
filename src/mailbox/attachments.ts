import { constants, type Stats } from 'node:fs';
import { chmod, copyFile, link, lstat, mkdir, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type Attachment, cleanText, MAX_ATTACHMENT_BYTES, truncateBytes } from '@nanoclaw/protocol';
import type { InboundAttachment } from '../channels/adapter.ts';
import { errorText, NanoError } from '../errors.ts';
import { ensureFolder } from '../own.ts';
import { openFileBeneath } from './beneath.ts';

export { dropOutbox } from './drop-outbox.ts';

const MAX_NAME_BYTES = 180;
const MAX_EXTENSION_BYTES = 20;
const CHUNK_BYTES = 1024 * 1024;

/**
 * One safe path component from anything: the last part of a path, without what a shell, a terminal or another system
 * could take for something else, neither hidden nor like an option, short enough, with its extension.
 */
export function safeName(name: string, fallback: string): string {
  const last = cleanText(name).normalize('NFC').split(/[/\\]/).at(-1) ?? '';
  const plain = last
    // Controls, invisible marks and those that turn the reading direction ("cod.exe" shown as "exe.doc").
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '')
    .replace(/[<>:"|?*`$;&']/g, '_')
    .replace(/^[.\s~-]+|[.\s]+$/g, '')
    // Devices to Windows, with any extension.
    .replace(/^(?=(con|prn|aux|nul|com\d|lpt\d)\s*(\.|$))/i, '_');
  const dot = plain.lastIndexOf('.');
  const extension = dot > 0 ? truncateBytes(plain.slice(dot), MAX_EXTENSION_BYTES) : '';
  const stem = truncateBytes(dot > 0 ? plain.slice(0, dot) : plain, MAX_NAME_BYTES);
  return stem === '' ? fallback : `${stem}${extension}`;
}

/**
 * Puts a file that an adapter made into `inbox/<message id>/`, where the agent may read it, without copying it where that can
 * be had. The adapter's own name for it stays: several agents may be meant. Rejects with a NanoError when it is too large, and
 * with the file system's error when it is gone.
 */
export async function takeIn(
  inboundFolder: string,
  messageId: string,
  index: number,
  attachment: InboundAttachment,
): Promise<Attachment> {
  const found = await lstat(attachment.localPath);
  if (!found.isFile()) throw new NanoError('NC_INTERNAL', 'An attachment is not a regular file.');
  if (found.size > MAX_ATTACHMENT_BYTES) {
    throw new NanoError('NC_MESSAGE_TOO_LARGE', `An attachment has ${found.size} bytes.`);
  }
  const name = safeName(attachment.name, 'file');
  // Numbered, since two attachments of a message may have one name.
  const path = join('inbox', messageId, `${index + 1}-${name}`);
  const target = join(inboundFolder, path);
  for (const parts of [['inbox'], ['inbox', messageId]]) ensureFolder(join(inboundFolder, ...parts), undefined, 0o755);
  await place(attachment.localPath, target);
  await chmod(target, 0o644);
  return {
    type: /^[a-z][a-z0-9-]{0,31}$/.test(attachment.type) ? attachment.type : 'file',
    name,
    path,
    size: found.size,
    ...mimeTypeOf(attachment),
    ...secondsOf(attachment),
  };
}

function secondsOf({ seconds = -1 }: InboundAttachment): { seconds?: number } {
  return seconds >= 0 && Number.isFinite(seconds) ? { seconds: Math.round(seconds) } : {};
}

/** What its sender says it is, without parameters; nothing when that is no type. It is a hint: nothing is run or shown by it. */
function mimeTypeOf({ mimeType }: InboundAttachment): { mimeType?: string } {
  const plain = mimeType?.split(';')[0]?.trim().toLowerCase() ?? '';
  return /^[a-z]{1,32}\/[a-z0-9][a-z0-9.+-]{0,126}$/.test(plain) ? { mimeType: plain } : {};
}

/** Another file system, or one without hard links. */
const NO_LINK = new Set(['EXDEV', 'EPERM', 'ENOTSUP', 'ENOSYS', 'EMLINK']);

async function place(from: string, to: string): Promise<void> {
  try {
    await link(from, to);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && NO_LINK.has(String(error.code)))) throw error;
    await copyFile(from, to);
  }
}

export type TakenOut = { name: string; path: string; size: number } | { error: string };

/**
 * Copies a file that an agent put into `outbox/<message id>/` to a folder of the host. The agent may change everything
 * in the meantime: each part of the path is opened without following links, and what is copied is counted. The error
 * is a sentence that the agent may read. Never rejects.
 */
export async function takeOut(
  boxFolder: string,
  messageId: string,
  name: string,
  toFolder: string,
  maxBytes: number,
): Promise<TakenOut> {
  try {
    const source = await openFileBeneath(boxFolder, ['outbox', messageId, name]);
    if ('error' in source) return source;
    await using file = source.file;
    const found = await file.stat();
    const refusal = refuse(found, maxBytes);
    if (refusal) return { error: refusal };
    return await copyOut(file, safeName(name, 'file'), toFolder, maxBytes);
  } catch (error) {
    return { error: `The file can not be read: ${errorText(error)}` };
  }
}

function refuse(found: Stats, maxBytes: number): string | null {
  if (!found.isFile()) return 'It is not a regular file.';
  if (found.nlink > 1) return 'The file has a second name (a hard link); send a copy of it.';
  if (found.size > maxBytes) return `The file has ${found.size} bytes; at most ${maxBytes} can be sent.`;
  return null;
}

type FileHandle = Awaited<ReturnType<typeof open>>;

async function copyOut(source: FileHandle, name: string, toFolder: string, maxBytes: number): Promise<TakenOut> {
  await mkdir(toFolder, { recursive: true, mode: 0o700 });
  const { target, path } = await createUnused(toFolder, name);
  let size = 0;
  try {
    const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
    for (;;) {
      const { bytesRead } = await source.read(chunk, 0, CHUNK_BYTES, size);
      if (bytesRead === 0) return { name, path, size };
      size += bytesRead;
      // It may have grown since it was looked at.
      if (size > maxBytes) break;
      await target.writeFile(chunk.subarray(0, bytesRead));
    }
  } finally {
    await target.close();
  }
  await rm(path);
  return { error: `The file has more than ${maxBytes} bytes.` };
}

/** Two names of an agent can be the same safe name. */
async function createUnused(folder: string, name: string): Promise<{ target: FileHandle; path: string }> {
  for (let count = 1; ; count++) {
    const path = join(folder, count === 1 ? name : `${count}-${name}`);
    try {
      return { target: await open(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600), path };
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
    }
  }
}

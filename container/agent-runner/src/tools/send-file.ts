import { constants } from 'node:fs';
import { mkdir, open, rm } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { byteLength, cleanText, faultPoint, MAX_ATTACHMENT_BYTES } from '@nanoclaw/protocol';
import { z } from 'zod';
import { errorText } from '../log.ts';
import { newMessageId } from '../mailbox/outbound.ts';
import { chatContent } from '../output/chat-content.ts';
import { stripInternal } from '../output/internal.ts';
import { failure, type Kit, resolveAddress, send } from './send.ts';
import type { Tool } from './tool.ts';

const input = {
  to: z.string().optional().describe('Name of a destination. Absent: the chat that you are answering.'),
  path: z.string().describe('The file: relative to your folder, or absolute. At most 100 MB.'),
  text: z.string().optional().describe('What to say with it.'),
  filename: z.string().optional().describe('The name that the receiver sees. Absent: the file’s own.'),
};

export function sendFileTool(kit: Kit): Tool<typeof input> {
  const { cwd, outbox, look } = kit;
  return {
    name: 'send_file',
    description: 'Sends a file now.',
    input,
    async run({ to, path, text = '', filename }, signal) {
      const id = newMessageId();
      const folder = join(outbox, id);
      try {
        const address = resolveAddress(to, look());
        if ('text' in address) return address;
        const name = safeName(filename ?? path);
        if (name === null) return failure('The file name is not usable: give another with `filename`.');
        await mkdir(folder, { recursive: true });
        await copyRegularFile(resolve(cwd, path), join(folder, name), signal);
        faultPoint('runner.file');
        // Asked again: the copy may have taken long enough for the turn, or this call, to be ended.
        signal?.throwIfAborted();
        const situation = look();
        if (situation.stopped) throw new Error('the user has stopped this turn');
        const body = chatContent(outbox, id, stripInternal(cleanText(text)).trim(), { files: [name] });
        const result = await send(kit, situation, address, body, id);
        if (result.isError) await rm(folder, { recursive: true, force: true });
        return result;
      } catch (error) {
        await rm(folder, { recursive: true, force: true });
        return failure(`The file was not sent: ${errorText(error)}`);
      }
    },
  };
}

/** A single path segment that every file system takes, or null. */
function safeName(wanted: string): string | null {
  const name = basename(cleanText(wanted)).replaceAll(/\p{Cc}/gu, '_');
  return name === '' || name === '.' || name === '..' || byteLength(name) > 200 ? null : name;
}

/** Looks at the file that it has open, so that what is checked is what is copied. */
async function copyRegularFile(from: string, to: string, signal: AbortSignal | undefined): Promise<void> {
  // Non-blocking: a pipe that nobody writes to must not hold the call.
  const source = await open(from, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const stat = await source.stat();
    if (!stat.isFile()) throw new Error('it is not a regular file');
    if (stat.size > MAX_ATTACHMENT_BYTES)
      throw new Error(`it has ${stat.size} bytes, and at most ${MAX_ATTACHMENT_BYTES} can be sent`);
    const target = await open(to, 'wx');
    // `end` is inclusive, so an empty file has no range to read.
    if (stat.size === 0) await target.close();
    else
      await pipeline(
        source.createReadStream({ start: 0, end: stat.size - 1, autoClose: false }),
        target.createWriteStream(),
        { signal },
      );
  } finally {
    await source.close();
  }
}

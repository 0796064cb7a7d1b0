import { mkdirSync } from 'node:fs';
import { MAX_ATTACHMENT_BYTES } from '@nanoclaw/protocol';
import type { OutboundFile } from '../channels/adapter.ts';
import { takeOut } from '../mailbox/attachments.ts';

/** What a message takes along, out of the agent's reach; a problem is a sentence for the chat. */
export async function collectFiles(
  box: string | undefined,
  agentsMessage: string,
  names: readonly string[],
  folder: string,
  maxFileBytes = 0,
): Promise<{ files: OutboundFile[]; problems: string[] }> {
  const files: OutboundFile[] = [];
  const problems: string[] = [];
  // Of all files of a message together: a sparse file costs its maker nothing.
  let left = MAX_ATTACHMENT_BYTES;
  if (names.length > 0) mkdirSync(folder, { recursive: true, mode: 0o700 });
  for (const name of new Set(names)) {
    const result = box ? await takeOut(box, agentsMessage, name, folder, left) : { error: 'its session is gone' };
    if ('error' in result) problems.push(`The file ${name} could not be sent: ${result.error}`);
    else if (result.size > maxFileBytes)
      problems.push(`The file ${name} could not be sent: ${tooLarge(maxFileBytes)}.`);
    else {
      files.push(result);
      left -= result.size;
    }
  }
  return { files, problems };
}

function tooLarge(maxBytes: number): string {
  return maxBytes === 0 ? 'no files can be sent here' : `here it may have ${Math.floor(maxBytes / 1e6)} MB at most`;
}

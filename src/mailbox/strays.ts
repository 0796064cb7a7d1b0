import { opendir } from 'node:fs/promises';
import { inFolder, openFolderBeneath } from './beneath.ts';
import { dropTree } from './drop-outbox.ts';

/** An agent can make as many as it likes: the rest waits for the next start. */
const MOST = 100;

/**
 * Removes what a crash has left between a file and the row that tells of it: outboxes that nothing waits to be sent from, and
 * inboxes of messages that were never stored and aren't being taken at this moment. The session's sandbox must not run, and its
 * outbound.db must be taken over.
 */
export async function dropStrays(
  { box, inbound }: { box: string; inbound: string },
  isNeeded: { outbox(id: string): boolean; inbox(id: string): boolean },
): Promise<void> {
  for (const name of await namesIn(box, 'outbox')) {
    if (!isNeeded.outbox(name)) await dropTree(box, ['outbox'], name);
  }
  for (const name of await namesIn(inbound, 'inbox')) {
    if (!isNeeded.inbox(name)) await dropTree(inbound, ['inbox'], name);
  }
}

async function namesIn(root: string, part: string): Promise<string[]> {
  const names: string[] = [];
  try {
    await using folder = await openFolderBeneath(root, [part]);
    for await (const { name } of await opendir(inFolder(folder, '.').toString())) {
      names.push(name);
      if (names.length === MOST) break;
    }
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
  }
  return names;
}

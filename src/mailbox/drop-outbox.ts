import { randomUUID } from 'node:crypto';
import { constants, type Dir } from 'node:fs';
import { chmod, type FileHandle, open, opendir, rename, rmdir, unlink } from 'node:fs/promises';
import { faultPoint } from '@nanoclaw/protocol';
import { checked, inFolder, openFolder, openFolderBeneath } from './beneath.ts';

/** From `fcntl.h`; Node does not name it. Gets at a folder without any right to read it. */
const O_PATH = 0o10000000;
/** An agent that keeps making files while they are removed must not keep the host at it. */
const MAX_STEPS = 500_000;
/** As many as Node has threads for it: one removal is mostly a wait, and more than that would be a wait for others. */
const AT_ONCE = 4;

/**
 * Removes `outbox/<message id>/` with all that an agent has put there: any depth, any names, links (never followed),
 * folders without rights. Rejects when there are more than half a million entries, or the agent makes new ones all the
 * time; the rest goes with the session's folder.
 *
 * Folders found in the folder are emptied one level at a time: the folders in them are renamed to the top first, so
 * that no path and no recursion grows with what the agent has built.
 */
export function dropOutbox(boxFolder: string, messageId: string): Promise<void> {
  return dropTree(boxFolder, ['outbox'], messageId);
}

/** The same for whatever is called `entry` in a folder below one that the host trusts. */
export async function dropTree(root: string, parts: readonly string[], entry: string): Promise<void> {
  try {
    await using outbox = await openFolderBeneath(root, parts);
    const name = Buffer.from(checked(entry));
    if (await isRemoved(outbox, name)) return;
    const steps = { left: MAX_STEPS };
    await using top = await openAnyway(outbox, name);
    while (await clear(top, top, steps));
    faultPoint('outbox.dropping');
    await removeFolder(outbox, name);
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
  }
}

/** Empties `folder` of all but folders, which end up in `top`, and there are emptied in turn. True: look again. */
async function clear(folder: FileHandle, top: FileHandle, steps: { left: number }): Promise<boolean> {
  let found = false;
  for await (const names of batches(await opendir(inFolder(folder, '.'), { encoding: 'latin1' }))) {
    steps.left -= names.length;
    if (steps.left < 0) throw new Error('the outbox has too many entries');
    for (const name of await removeFiles(folder, names)) {
      found = true;
      if (folder !== top) {
        await rename(inFolder(folder, name), inFolder(top, randomUUID()));
        continue;
      }
      {
        await using inner = await openAnyway(top, name);
        await clear(inner, top, steps);
      }
      await removeFolder(top, name);
    }
  }
  return found;
}

async function* batches(entries: Dir): AsyncGenerator<Buffer[], void> {
  let names: Buffer[] = [];
  for await (const { name } of entries) {
    // Latin-1 keeps every byte of a name that is no UTF-8.
    if (names.push(Buffer.from(name, 'latin1')) < AT_ONCE) continue;
    yield names;
    names = [];
  }
  yield names;
}

/** Returns which of them are folders. All are awaited, also when one fails: none may be under way when `folder` is closed. */
async function removeFiles(folder: FileHandle, names: readonly Buffer[]): Promise<Buffer[]> {
  const removals = await Promise.allSettled(names.map((name) => isRemoved(folder, name)));
  const failed = removals.find((removal) => removal.status === 'rejected');
  if (failed) throw failed.reason;
  return names.filter((_, at) => removals[at]?.status === 'fulfilled' && !removals[at].value);
}

/** False for a folder. */
async function isRemoved(folder: FileHandle, name: Buffer): Promise<boolean> {
  try {
    await unlink(inFolder(folder, name));
    return true;
  } catch (error) {
    const code = codeOf(error);
    if (code === 'ENOENT') return true;
    if (code === 'EISDIR' || code === 'EPERM') return false;
    throw error;
  }
}

async function removeFolder(parent: FileHandle, name: Buffer): Promise<void> {
  try {
    await rmdir(inFolder(parent, name));
  } catch (error) {
    // The agent was faster; whatever looks next sees it again.
    if (codeOf(error) !== 'ENOTEMPTY' && codeOf(error) !== 'ENOENT') throw error;
  }
}

/** Opens a folder after taking back the rights that its owner may have taken from it. */
async function openAnyway(parent: FileHandle, name: Buffer): Promise<FileHandle> {
  const path = inFolder(parent, name);
  await using handle = await open(path, O_PATH | constants.O_NOFOLLOW | constants.O_DIRECTORY);
  // Through the open folder, since chmod by name would follow a link.
  await chmod(`/proc/self/fd/${handle.fd}`, 0o700);
  // Awaited here: while the handle closes, a rejection would have nobody to hear it.
  return await openFolder(path);
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}

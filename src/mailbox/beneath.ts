import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';

const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK, O_DIRECTORY } = constants;

/** A path below an open folder: `/proc/self/fd` is the `openat` that Node lacks (Linux only). */
export function inFolder(folder: FileHandle, name: string | Buffer): string | Buffer {
  const start = `/proc/self/fd/${folder.fd}/`;
  return typeof name === 'string' ? start + name : Buffer.concat([Buffer.from(start), name]);
}

export async function openFolder(path: string | Buffer): Promise<FileHandle> {
  return open(path, O_RDONLY | O_NOFOLLOW | O_DIRECTORY);
}

/**
 * Opens a folder below one that the host trusts, part by part: a link anywhere is refused, and a part that is swapped
 * afterwards changes nothing.
 */
export async function openFolderBeneath(root: string, parts: readonly string[]): Promise<FileHandle> {
  let folder = await openFolder(root);
  for (const part of parts) {
    await using parent = folder;
    folder = await openFolder(inFolder(parent, checked(part)));
  }
  return folder;
}

/** The same for a file; it may be of any kind, and a FIFO does not block. The error is for the agent to read. */
export async function openFileBeneath(
  root: string,
  parts: readonly string[],
): Promise<{ file: FileHandle } | { error: string }> {
  const name = parts.at(-1);
  if (name === undefined || !parts.every(isComponent)) return { error: 'That is not the name of a file.' };
  try {
    await using folder = await openFolderBeneath(root, parts.slice(0, -1));
    return { file: await open(inFolder(folder, name), O_RDONLY | O_NOFOLLOW | O_NONBLOCK) };
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'ENOENT') return { error: 'There is no such file.' };
    if (code === 'ELOOP' || code === 'ENOTDIR') return { error: 'There is a link where a file or folder should be.' };
    throw error;
  }
}

/** For a name that becomes part of a path; throws when it would be more than that. */
export function checked(part: string): string {
  if (!isComponent(part)) throw new Error('not one component of a path');
  return part;
}

function isComponent(part: string): boolean {
  return part !== '' && part !== '.' && part !== '..' && part.length <= 255 && !/[/\0]/.test(part);
}

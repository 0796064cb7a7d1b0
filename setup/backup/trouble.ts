import { asDatabaseError } from '../../src/db/connection.ts';
import { isNoRoom, NanoError } from '../../src/errors.ts';
import { asNanoError } from '../../src/system-error.ts';

/** What a system's program says when a disk, or this user's part of it, is full. */
const NO_ROOM = /No space left on device|quota exceeded/i;

const SCRATCH = /\/\.(making|restoring)-|\.part$/;

/**
 * Whatever stopped a backup or a restore, in the words of its person: they know `folder`, and nothing of the scratch that
 * was made in it.
 */
export function asTrouble(thrown: unknown, folder: string): NanoError {
  const known = asDatabaseError(thrown);
  const isFull = known instanceof NanoError && known.code === 'NC_DISK_FULL' && known !== thrown;
  if (isNoRoom(thrown) || isFull || (thrown instanceof NanoError && NO_ROOM.test(thrown.message))) {
    return new NanoError('NC_DISK_FULL', `It is the one of ${folder}.`, { cause: thrown });
  }
  if (thrown instanceof Error && 'path' in thrown && SCRATCH.test(String(thrown.path))) {
    return asNanoError(Object.assign(new Error(thrown.message, { cause: thrown }), { ...thrown, path: folder }));
  }
  return asNanoError(known);
}

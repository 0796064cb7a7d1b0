import { stat, statfs } from 'node:fs/promises';
import { diskState } from '../../admin/housekeeping/disk.ts';
import { NanoError } from '../../src/errors.ts';

/** Throws NC_DISK_FULL when so much more in these folders would leave a disk full. */
export async function checkRoom(needs: readonly { folder: string; bytes: number }[]): Promise<void> {
  for (const { folder } of needs) {
    const { dev } = await stat(folder);
    const onIt = await Promise.all(needs.map(async (need) => ((await stat(need.folder)).dev === dev ? need.bytes : 0)));
    const bytes = onIt.reduce((sum, one) => sum + one, 0);
    const stats = await statfs(folder);
    const blocks = Math.ceil(bytes / stats.bsize);
    if (diskState({ ...stats, bfree: stats.bfree - blocks, bavail: stats.bavail - blocks }) !== 'full') continue;
    const mb = (size: number) => `${Math.ceil(size / 1024 ** 2)} MB`;
    const free = mb(stats.bavail * stats.bsize);
    throw new NanoError('NC_DISK_FULL', `${mb(bytes)} and a reserve are needed in ${folder}; ${free} are free.`);
  }
}

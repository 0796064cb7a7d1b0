import { createHash } from 'node:crypto';
import { realpathSync } from 'node:fs';

/** Tells this checkout's processes, cgroups and images from another's: 8 hex digits of its real path. */
export function installSlug(root: string): string {
  return createHash('sha1').update(realpathSync(root)).digest('hex').slice(0, 8);
}

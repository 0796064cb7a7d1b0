import { mkdirSync, readdirSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { INSIDE } from '@nanoclaw/protocol';
import type { Mount } from '../driver.ts';
import type { SharedFolders } from './index.ts';

/**
 * The folders' mount points lie in a folder of the host's, so that inside there are these and no others: not one that the
 * agent has made, nor one that it had before.
 */
export function mountShared(places: string, shared: SharedFolders['shared']): Mount[] {
  const names = new Set(shared.map(({ name }) => name));
  for (const name of readdirSync(places)) if (!names.has(name)) rmdirSync(join(places, name));
  for (const name of names) mkdirSync(join(places, name), { recursive: true, mode: 0o755 });
  if (names.size === 0) return [];
  return [{ source: places, target: INSIDE.extra, mode: 'ro' }, ...shared.map(({ mount }) => mount)];
}

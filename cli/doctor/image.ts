import { join } from 'node:path';
import type { Check } from '../../admin/view.ts';
import { describeImage, readImageStatus } from '../../drivers/image/status.ts';
import { pathsFor } from '../../src/paths.ts';

/** What became of the image, where an engine starts sandboxes; whether one starts is a check of its own. */
export function imageChecks(home: string, driver: string): Check[] {
  if (driver === 'bubblewrap') return [];
  const status = readImageStatus(join(pathsFor(home).data, 'sandbox'));
  return status ? [{ name: 'image', blocking: false, ...describeImage(status) }] : [];
}

import { createHash } from 'node:crypto';

/** A line in each file that is installed outside of the checkout: whose it is, and whether a person has changed it since. */

const MARKER = /nanoclaw-service owner=([0-9a-f]{16}) checksum=([0-9a-f]{64})/;

/** `mine`: as it was made. `edited`: made for this install, and changed. `foreign`: of another, or not ours at all. */
export type Whose = 'absent' | 'mine' | 'edited' | 'foreign';

/** Tells installs apart also where eight digits of a slug are the same. `home` is a real path. */
export function ownerOf(home: string): string {
  return sha256(home).slice(0, 16);
}

/** `text` holds `placeholder` once, in a comment, where the marker goes. */
export function seal(text: string, owner: string): string {
  const marker = `nanoclaw-service owner=${owner} checksum=`;
  return text.replace(PLACEHOLDER, () => marker + sha256(text));
}

export const PLACEHOLDER = 'nanoclaw-service';

export function inspect(text: string | undefined, owner: string): Whose {
  if (text === undefined) return 'absent';
  const [marker, foundOwner, checksum] = MARKER.exec(text) ?? [];
  if (marker === undefined || foundOwner !== owner) return 'foreign';
  return sha256(text.replace(marker, () => PLACEHOLDER)) === checksum ? 'mine' : 'edited';
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** Which host uid an agent group's sandboxes run as. Every group has its own, so that DAC, keyrings and process limits part them. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { NanoError } from '../errors.ts';

/** A line of `/proc/<pid>/uid_map`: `count` ids from `inside` on exist in this user namespace. */
export interface IdRange {
  inside: number;
  count: number;
}

interface Zone {
  first: number;
  blocks: number;
  blockSize: number;
}

// High: above what containers and nspawn take (0x6fffffff), below systemd's foreign range (0x7ffe0000) and the sign bit.
// Low: for the short map of an LXC guest; above ordinary users, below systemd's dynamic users (61184).
const ZONES: readonly Zone[] = [
  { first: 0x7000_0000, blocks: 16_000, blockSize: 16_384 },
  { first: 20_000, blocks: 40, blockSize: 1_000 },
];

export function parseUidMap(text: string): IdRange[] {
  return text
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number))
    .filter((fields) => fields.length === 3 && fields.every(Number.isSafeInteger))
    .map(([inside, , count]) => ({ inside: inside ?? 0, count: count ?? 0 }));
}

export function readUidMap(path = '/proc/self/uid_map'): IdRange[] {
  return parseUidMap(readFileSync(path, 'utf8'));
}

/**
 * The host uid (and gid) of the agent group with this ordinal, the same on every call. Two installs on one machine get
 * blocks of their own by slug, as far as a hash can part them.
 * Throws NC_SANDBOX_UNUSABLE when this machine's map has no room, or the ordinal is beyond the block.
 */
export function sandboxUid(slug: string, ordinal: number, uidMap: readonly IdRange[]): number {
  const hash = createHash('sha256').update(slug).digest().readUInt32BE(0);
  for (const zone of ZONES) {
    const uid = zone.first + (hash % zone.blocks) * zone.blockSize + ordinal;
    const mapped = uidMap.some((range) => uid >= range.inside && uid < range.inside + range.count);
    if (ordinal >= 0 && ordinal < zone.blockSize && mapped) return uid;
  }
  throw new NanoError('NC_SANDBOX_UNUSABLE', `This machine's uid map has no free user id for agent group ${ordinal}.`);
}

/** Whether an agent group may have it, of this install or another. */
export function isSandboxUid(uid: number): boolean {
  return ZONES.some(({ first, blocks, blockSize }) => uid >= first && uid < first + blocks * blockSize);
}

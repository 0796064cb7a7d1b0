import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type DiskState, diskState } from './disk.ts';

const MB = 1024 ** 2;

/** A disk of so many MB, of which so many are free. */
function disk(totalMb: number, freeMb: number, more: { files?: number; ffree?: number; reservedMb?: number } = {}) {
  const { files = 0, ffree = 0, reservedMb = 0 } = more;
  return { blocks: totalMb, bfree: freeMb + reservedMb, bavail: freeMb, bsize: MB, frsize: MB, files, ffree };
}

const cases: [what: string, stats: ReturnType<typeof disk>, before: DiskState, state: DiskState][] = [
  ['half of it is free', disk(100_000, 50_000), 'enough', 'enough'],
  ['89 % are used', disk(100_000, 11_000), 'enough', 'enough'],
  ['90 % are used', disk(100_000, 10_000), 'enough', 'scarce'],
  ['88 % are used, after it was scarce', disk(100_000, 12_000), 'scarce', 'scarce'],
  ['87 % are used, after it was scarce', disk(100_000, 13_000), 'scarce', 'enough'],
  ['a large disk has 300 MB left', disk(100_000, 300), 'scarce', 'scarce'],
  ['a large disk has 255 MB left', disk(100_000, 255), 'scarce', 'full'],
  ['a large disk has 300 MB left, after it was full', disk(100_000, 300), 'full', 'full'],
  ['a large disk has 330 MB left, after it was full', disk(100_000, 330), 'full', 'scarce'],
  ['a small disk has 6 % left', disk(1000, 60), 'scarce', 'scarce'],
  ['a small disk has 4 % left', disk(1000, 40), 'scarce', 'full'],
  ['all room comes back', disk(100_000, 90_000), 'full', 'enough'],
  ['only root has room', disk(100_000, 0, { reservedMb: 5000 }), 'enough', 'full'],
  ['the files run out', disk(100_000, 50_000, { files: 1_000_000, ffree: 900 }), 'enough', 'full'],
  ['there are enough files', disk(100_000, 50_000, { files: 1_000_000, ffree: 2000 }), 'enough', 'enough'],
  ['a disk for few files', disk(100, 50, { files: 2000, ffree: 150 }), 'enough', 'enough'],
];
for (const [what, stats, before, state] of cases) {
  test(`${what}: ${state}`, () => assert.equal(diskState(stats, before), state));
}

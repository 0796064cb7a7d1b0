/** A thousand starts with each driver, and nothing left of them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DRIVERS } from './drivers.ts';
import { MiB, makePlace } from './host.ts';
import { descriptors, heldMemory, nothingIsLeft, startMany } from './leaks.ts';

for (const under of DRIVERS) {
  test(`${under.name}: a thousand starts`, { skip: under.skip, timeout: 1_800_000 }, async (t) => {
    const place = makePlace();
    const driver = under.make(place);
    await startMany(driver, place, 50);
    const before = { descriptors: descriptors(), memory: heldMemory() };
    await startMany(driver, place, 950);
    await nothingIsLeft(under, place, before.descriptors);
    const grown = heldMemory() - before.memory;
    t.diagnostic(`heap grown by ${(grown / MiB).toFixed(1)} MiB`);
    assert.ok(grown < 8 * MiB, `${grown} bytes more are held`);
    place.remove();
  });
}

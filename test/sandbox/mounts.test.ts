import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, renameSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { Mount, SandboxDriver } from '../../src/sandbox/driver.ts';
import { DRIVERS, type DriverUnderTest, needsRoot } from './drivers.ts';
import { makePlace, type Place, run } from './host.ts';

/** Folders of the owner's, as a driver mounts them: what was decided, or nothing. */

for (const under of DRIVERS)
  describe(`mounts: ${under.name}`, { timeout: 60_000, skip: under.skip }, () => suite(under));

function identified(source: string): Mount {
  const { dev, ino } = statSync(source, { bigint: true });
  return { source, target: '/workspace/extra/docs', mode: 'ro', identity: `${dev}:${ino}` };
}

function specOf(place: Place, id: string, docs: Mount) {
  const places = place.readable('places');
  mkdirSync(path.join(places, 'docs'), { recursive: true });
  const mounts: Mount[] = [
    { source: place.writable(`box-${id}`), target: '/workspace', mode: 'rw' },
    { source: places, target: '/workspace/extra', mode: 'ro' },
    docs,
  ];
  const script = `cat /workspace/extra/docs/file; ls /workspace/extra
    touch /workspace/extra/docs/x /workspace/extra/x 2>/dev/null && echo wrote
    mv /workspace/extra /workspace/away 2>/dev/null && echo moved; echo ran > /workspace/ran; true`;
  return place.spec(id, script, { mounts });
}

function suite(under: DriverUnderTest): void {
  let place: Place;
  let driver: SandboxDriver;
  before(() => {
    place = makePlace();
    driver = under.make(place);
    for (const [name, text] of [
      ['wanted', 'as wanted'],
      ['secret', 'not meant'],
    ] as const)
      writeFileSync(path.join(place.readable(name), 'file'), text);
  });
  after(() => place.remove());

  test('what was decided is there, and can be neither written nor moved away', async () => {
    const { output } = await run(driver, specOf(place, 'same', identified(path.join(place.root, 'wanted'))));
    assert.equal(output.trim(), 'as wanteddocs');
    assert.ok(existsSync(path.join(place.root, 'box-same/ran')));
  });

  test('a link that was put there after the decision is not followed: nothing of the agent runs', async () => {
    const source = path.join(place.root, 'wanted');
    const docs = identified(source);
    renameSync(source, `${source}.away`);
    symlinkSync(path.join(place.root, 'secret'), source);
    const spec = specOf(place, 'swapped', docs);
    await assert.rejects(driver.start(spec), {
      code: 'NC_SANDBOX_START',
      message: /wanted was replaced while it was being mounted/,
    });
    const { output } = await run(driver, place.spec('after', 'echo fine'));
    assert.equal(output.trim(), 'fine', 'the driver goes on');
    assert.ok(!existsSync(path.join(place.root, 'box-swapped/ran')));
  });

  test('what is gone by then does not start either', async () => {
    const docs = identified(place.readable('gone'));
    renameSync(docs.source, `${docs.source}.away`);
    await assert.rejects(driver.start(specOf(place, 'gone', docs)), { code: 'NC_SANDBOX_START' });
  });

  test('what is mounted below a folder that is only to be read can not be written either', {
    skip: needsRoot,
  }, async () => {
    const disk = path.join(place.readable('disks'), 'usb');
    mkdirSync(disk);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'mode=0777', 'tmpfs', disk]);
    try {
      const docs = identified(path.dirname(disk));
      const script = 'echo x > /workspace/extra/docs/usb/written; echo ran';
      const { output } = await run(driver, place.spec('below', script, { mounts: [docs] }));
      assert.match(output, /ran/);
      assert.ok(!existsSync(path.join(disk, 'written')));
    } finally {
      execFileSync('umount', [disk]);
    }
  });
}

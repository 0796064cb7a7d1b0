import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, chownSync, copyFileSync, cpSync, linkSync, mkdirSync, realpathSync } from 'node:fs';
import path from 'node:path';
import { after, test } from 'node:test';
import { bun, isRoot, makePlace } from './host.ts';

const place = makePlace();
after(() => place.remove());

/** Big files by a hard link where the file system allows it. */
function provide(source: string, target: string): void {
  mkdirSync(path.dirname(target), { recursive: true });
  try {
    linkSync(source, target);
  } catch {
    copyFileSync(source, target);
  }
}

test('the same suites hold for a host that is not root', {
  skip: !isRoot && 'this host is not root itself',
  timeout: 180_000,
}, () => {
  const from = path.join(import.meta.dirname, '../..');
  const copy = place.readable('copy');
  chmodSync(place.root, 0o755);
  for (const part of ['src', 'admin', 'assistant', 'protocol', 'drivers', 'test/sandbox', 'package.json']) {
    cpSync(path.join(from, part), path.join(copy, part), { recursive: true });
  }
  cpSync(realpathSync(path.join(from, 'node_modules/zod')), path.join(copy, 'node_modules/zod'), { recursive: true });
  provide(process.execPath, path.join(copy, 'node'));
  provide(bun, path.join(copy, '.runtime/bin/bun'));
  const home = place.readable('home');
  chownSync(home, place.uid, place.uid);
  const suites = ['escape', 'lifecycle', 'mounts'].map((name) => path.join(copy, `test/sandbox/${name}.test.ts`));
  const ran = spawnSync(path.join(copy, 'node'), ['--test', '--test-timeout=100000', ...suites], {
    uid: place.uid,
    gid: place.uid,
    cwd: copy,
    encoding: 'utf8',
    env: { PATH: '/usr/bin:/bin', TMPDIR: home, HOME: home },
    timeout: 170_000,
  });
  assert.equal(ran.status, 0, ran.stdout + ran.stderr);
  const passed = Number(/pass (\d+)/.exec(ran.stdout)?.[1] ?? 0);
  assert.ok(passed > 70, `only ${passed} ran: ${ran.stdout}`);
});

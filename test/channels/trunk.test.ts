import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { hostPackages, packagesOf } from '../../bench/packages.ts';
import { listAvailable } from '../../cli/channels/packages.ts';
import { CODE, startHost } from '../support/host-process.ts';
import { runNcl } from '../support/ncl.ts';

/** With all channels in the checkout and none added, the host is what it was without them. */

const MOST_PACKAGES = 25;

const installed = existsSync(join(CODE, '.runtime/bin/pnpm'));

test("the host's packages are its own: none of them comes by a channel", { skip: !installed }, async () => {
  const host = hostPackages();
  assert.ok(host.size > 0 && host.size <= MOST_PACKAGES, `${host.size} packages`);
  const available = await listAvailable(CODE);
  assert.ok(available.length >= 4);
  for (const { folder, manifest } of available) {
    const own = [...packagesOf(folder).keys()].filter((one) => !host.has(one));
    // What `manifest.ts` says of the download is what makes the difference.
    if (manifest.downloadMb === 0) assert.deepEqual(own, [], `${manifest.name} downloads something`);
    else assert.ok(own.length > 0, `${manifest.name} downloads nothing`);
  }
});

test('a host without accounts loads no channel but the terminal, and answers', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'nanoclaw-imports-'));
  const list = join(folder, 'imports');
  const loaded = () =>
    readFileSync(list, 'utf8')
      .split('\n')
      .flatMap((url) => new URL(url || 'file:///').pathname.split(`${CODE}/`)[1] ?? []);
  await using host = await startHost({
    node: ['--import', join(CODE, 'test/support/note-imports.mjs')],
    // File by file: what the bundle holds of channels is apart from the host, and isn't named.
    environment: { NANOCLAW_TEST_IMPORTS: list, NANOCLAW_FROM_SOURCE: '1' },
  });
  const terminal = await host.terminal();
  assert.ok((await terminal.ask('ping')).length > 0);
  assert.equal((await runNcl(host.home, ['channels', 'available'])).status, 0);
  assert.equal((await runNcl(host.home, ['channels', 'list'])).status, 0);
  const files = loaded();
  assert.ok(files.includes('channels/terminal/index.ts'), 'the list is of this host');
  // The door for webhooks is there, and closed: its server is loaded by the first who wants it.
  const others = files.filter((file) => /^channels\/(?!terminal\/|text\/|web-server\/(?!server))/.test(file));
  assert.deepEqual(others, []);
  const packages = files.filter((file) => file.includes('node_modules/')).map(packageOf);
  const known = new Set([...hostPackages().keys()].map((one) => one.replace(/@[^@]+$/, '')));
  assert.deepEqual(
    [...new Set(packages)].filter((one) => !known.has(one)),
    [],
  );
  rmSync(folder, { recursive: true, force: true });
});

/** Of a file in the store: what stands behind the last `node_modules/`. */
function packageOf(file: string): string {
  const rest = file.slice(file.lastIndexOf('node_modules/') + 'node_modules/'.length);
  return rest
    .split('/')
    .slice(0, rest.startsWith('@') ? 2 : 1)
    .join('/');
}

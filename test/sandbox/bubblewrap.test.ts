/** What is bubblewrap's alone; what every driver holds is in the suites. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { test } from 'node:test';
import { createBubblewrapDriver } from '../../drivers/bubblewrap/index.ts';
import { NanoError } from '../../src/errors.ts';
import { isRoot, makePlace, until } from './host.ts';

test('a missing bwrap is said, with the command that installs it', async () => {
  const place = makePlace();
  const without = createBubblewrapDriver({
    slug: 'none',
    stateDir: path.join(place.root, 'none'),
    bwrapPath: path.join(place.root, 'no-bwrap'),
    log: () => undefined,
  });
  const { usable, reason, remedy } = await without.declare();
  assert.equal(usable, false);
  assert.match(reason ?? '', /bubblewrap is not installed/);
  assert.match(remedy ?? '', /apt-get install -y bubblewrap/);
  await assert.rejects(
    without.start(place.spec('none', 'true')),
    (error) => error instanceof NanoError && error.code === 'NC_SANDBOX_UNUSABLE',
  );
  place.remove();
});

test('a host in a process namespace with few processes, as in a container, starts sandboxes, too', {
  skip: !isRoot && 'only root may make such a namespace',
  timeout: 60_000,
}, async () => {
  const few = makePlace();
  // The low numbers are used up: what looks itself up in another namespace's /proc finds nobody.
  const script = 'for i in $(seq 40); do /bin/true; done; "$@"';
  const program = path.join(import.meta.dirname, 'host-process.ts');
  const namespace = ['--pid', '--fork', '--kill-child', '--mount-proc', 'sh', '-c', script, 'sh'];
  const child = spawn('unshare', [...namespace, process.execPath, program, few.root, '4917', few.slug]);
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (said += chunk.toString()));
  const closed = once(child, 'close');
  await Promise.race([until('the host says ready', () => said.includes('ready')), closed]);
  child.kill('SIGKILL');
  await closed;
  few.remove();
  assert.match(said, /ready/);
});

/** A host of its own for tests that kill it: starts one sandbox in the given folder, says "ready" and waits. */
import path from 'node:path';
import { readUidMap, sandboxUid } from '../../src/sandbox/uid.ts';
import { driverNamed } from './drivers.ts';
import { LIMITS, placeAt } from './host.ts';

const [root = '', mark = '', slug = 'killed', name = 'bubblewrap', session = 'victim', script] = process.argv.slice(2);
const waits = `setsid sleep ${mark} & trap 'echo last; exit 4' TERM; sleep ${mark} & echo first; wait`;
const driver = driverNamed(name).make(placeAt(root, slug));
await driver.start({
  sessionId: session,
  uid: sandboxUid(slug, 1, readUidMap()),
  command: ['/bin/sh', '-c', script ?? waits],
  env: { PATH: '/usr/bin:/bin' },
  mounts: [],
  limits: LIMITS,
  logFile: path.join(root, `${session}.log`),
});
console.log('ready');
setInterval(() => undefined, 60_000);

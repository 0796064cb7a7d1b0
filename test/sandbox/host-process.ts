/** A host of its own for tests that kill it: starts one sandbox in the given folder, says "ready" and waits. */
import path from 'node:path';
import { createBubblewrapDriver } from '../../drivers/bubblewrap/index.ts';
import { readUidMap, sandboxUid } from '../../src/sandbox/uid.ts';
import { LIMITS } from './host.ts';

const [root = '', mark = '', slug = 'killed'] = process.argv.slice(2);
const driver = createBubblewrapDriver({ slug, stateDir: path.join(root, 'state'), log: console.error });
await driver.start({
  sessionId: 'victim',
  uid: sandboxUid(slug, 1, readUidMap()),
  command: ['/bin/sh', '-c', `setsid sleep ${mark} & exec sleep ${mark}`],
  env: { PATH: '/usr/bin:/bin' },
  mounts: [],
  limits: LIMITS,
  logFile: path.join(root, 'victim.log'),
});
console.log('ready');
setInterval(() => undefined, 60_000);

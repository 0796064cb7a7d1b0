import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, chownSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

/**
 * On a host that is not root, an agent's folders belong to the host's own user, and rights that the agent takes away are
 * taken from the host, too. In a process that drops root once its programs are loaded.
 */

const UID = 54_321;
const isRoot = process.getuid?.() === 0;
const skip = !isRoot && 'this host is not root itself';

const source = (path: string) => JSON.stringify(join(import.meta.dirname, '../../src', path));
const PROGRAM = `
const { createMailboxWatch } = await import(${source('mailbox/watch.ts')});
const { heartbeatTime } = await import(${source('mailbox/heartbeat.ts')});
const { createMailboxPull } = await import(${source('mailbox-pull.ts')});
const { chmodSync, writeFileSync } = await import('node:fs');
const [session, box] = process.argv.slice(1);
process.setgroups([]); process.setgid(${UID}); process.setuid(${UID});
chmodSync(box, 0);
const watch = createMailboxWatch();
watch.add('s', box, () => {}, () => {});
// The same timer goes on to tell of another, also by its second look, which no notification brings.
const told = { times: 0 };
await new Promise((resolve) => {
  watch.add('other', session, () => (told.times += 1) === 2 && resolve());
  writeFileSync(session + '/outbound.db', 'x');
});
if (heartbeatTime(box) !== null) throw new Error('a heartbeat');
watch.stop();
const mailbox = createMailboxPull({ folders: () => ({ session, box }) });
mailbox.putAside({ id: 's' }, 1);
console.log('fine');
`;

function trial(plant: (file: string) => void): { said: string; session: string } {
  const session = mkdtempSync(join(tmpdir(), 'nanoclaw-unprivileged-'));
  const box = join(session, 'box');
  mkdirSync(box);
  const file = join(box, 'outbound.db');
  plant(file);
  for (const path of [session, box, file]) chownSync(path, UID, UID);
  const ran = spawnSync(process.execPath, ['--input-type=module', '-e', PROGRAM, session, box], { encoding: 'utf8' });
  return { said: ran.stdout + ran.stderr, session };
}

test('a box without any rights stops no timer, and its file can be put aside', { skip }, () => {
  const { said, session } = trial((file) => writeFileSync(file, 'x', { mode: 0 }));
  assert.equal(said, 'fine\n');
  assert.deepEqual(readdirSync(join(session, 'quarantine/1')), ['outbound.db']);
  rmSync(session, { recursive: true });
});

test('a folder without rights in the place of the file can be put aside', { skip }, () => {
  const { said, session } = trial((file) => {
    mkdirSync(join(file, 'inner'), { recursive: true });
    chmodSync(file, 0);
  });
  assert.equal(said, 'fine\n');
  assert.equal(existsSync(join(session, 'box/outbound.db')), false);
  rmSync(session, { recursive: true });
});

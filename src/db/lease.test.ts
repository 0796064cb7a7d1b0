import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { createInstall } from '../../test/support/central.ts';
import { NanoError } from '../errors.ts';
import { takeLease } from './lease.ts';

const source = (root: string) => `
import { openCentral } from '${new URL('./connection.ts', import.meta.url).href}';
import { takeLease } from '${new URL('./lease.ts', import.meta.url).href}';
const db = openCentral({ file: '${root}/data/v2.db', backups: '${root}/data/backups', now: Date.now() });
try { takeLease(db, Date.now()); console.log('held'); setInterval(() => {}, 1000); } catch (e) { console.log(e.code); db.close(); }
`;

test('a host that lives keeps the install; after kill -9 the next one takes it at once and knows of the crash', async () => {
  using install = createInstall();
  const child = spawn(process.execPath, ['--input-type=module', '-e', source(install.root)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  assert.equal(line.toString().trim(), 'held');
  assert.throws(
    () => takeLease(install.db, Date.now()),
    (error) =>
      error instanceof NanoError && error.code === 'NC_HOST_RUNNING' && error.message.includes(String(child.pid)),
  );
  child.kill('SIGKILL');
  await once(child, 'exit');
  const lease = takeLease(install.db, Date.now());
  assert.equal(lease.afterCrash, true);
  lease.release();
  assert.equal(takeLease(install.db, Date.now()).afterCrash, false);
});

test('of four hosts started at once one runs', async () => {
  using install = createInstall();
  const children = Array.from({ length: 4 }, () =>
    spawn(process.execPath, ['--input-type=module', '-e', source(install.root)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    }),
  );
  const lines = await Promise.all(children.map(async (child) => String((await once(child.stdout, 'data'))[0]).trim()));
  for (const child of children) child.kill('SIGKILL');
  assert.deepEqual(lines.toSorted(), ['NC_HOST_RUNNING', 'NC_HOST_RUNNING', 'NC_HOST_RUNNING', 'held']);
});

test('whoever lost the lease is told at the next renewal', () => {
  using install = createInstall();
  const lease = takeLease(install.db, Date.now());
  assert.equal(lease.renew(Date.now()), true);
  install.db.prepare("UPDATE hosts SET token = 'another'").run();
  assert.equal(lease.renew(Date.now()), false);
});

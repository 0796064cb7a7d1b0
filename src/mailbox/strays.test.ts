import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { dropStrays } from './strays.ts';

function makeSession(t: { after(work: () => void): void }) {
  const root = mkdtempSync(join(tmpdir(), 'nanoclaw-strays-'));
  t.after(() => rmSync(root, { recursive: true, force: true }));
  const folders = { box: join(root, 'box'), inbound: join(root, 'inbound') };
  const put = (path: string) => {
    mkdirSync(join(root, path), { recursive: true });
    writeFileSync(join(root, path, 'file'), 'x');
  };
  return { root, folders, put };
}

test('an outbox that nothing is sent from goes, one that is waited for stays', async (t) => {
  const { folders, put } = makeSession(t);
  put('box/outbox/wanted');
  put('box/outbox/stray/deep');
  await dropStrays(folders, { outbox: (id) => id === 'wanted', inbox: () => true });
  assert.deepEqual(readdirSync(join(folders.box, 'outbox')), ['wanted']);
});

test('an inbox of no message goes, however new the clock makes it', async (t) => {
  const { folders, put } = makeSession(t);
  for (const name of ['known', 'stray']) put(`inbound/inbox/${name}`);
  await dropStrays(folders, { outbox: () => true, inbox: (id) => id === 'known' });
  assert.deepEqual(readdirSync(join(folders.inbound, 'inbox')), ['known']);
});

test('a link in the place of the outbox is not followed, and a session without any is fine', async (t) => {
  const { root, folders, put } = makeSession(t);
  put('elsewhere/stray');
  mkdirSync(folders.box);
  await dropStrays({ box: folders.box, inbound: root }, { outbox: () => false, inbox: () => false });
  symlinkSync(join(root, 'elsewhere'), join(folders.box, 'outbox'));
  await assert.rejects(dropStrays(folders, { outbox: () => false, inbox: () => false }));
  assert.deepEqual(readdirSync(join(root, 'elsewhere')), ['stray']);
});

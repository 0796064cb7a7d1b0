import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { MAX_ATTACHMENT_BYTES } from '@nanoclaw/protocol';
import { attachedFrom, discard } from './attached.ts';

/** Files of this machine that go with a message from the terminal. */

const folder = mkdtempSync(join(tmpdir(), 'nanoclaw-attached-'));
after(() => rmSync(folder, { recursive: true }));
const sent = join(folder, 'sent');
const file = (name: string, text = name) => {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
};

test('each is copied, under its name and as what it is; the original stays', async () => {
  const paths = [file('a.PNG'), file('note.ogg'), file('plan')];
  const attachments = await attachedFrom(paths, sent);
  assert.ok(typeof attachments !== 'string');
  assert.deepEqual(
    attachments.map(({ type, name, mimeType }) => [type, name, mimeType]),
    [
      ['image', 'a.PNG', 'image/png'],
      ['voice', 'note.ogg', 'audio/ogg'],
      ['file', 'plan', undefined],
    ],
  );
  assert.deepEqual(
    attachments.map(({ localPath }) => readFileSync(localPath, 'utf8')),
    ['a.PNG', 'note.ogg', 'plan'],
  );
  await discard(attachments);
  assert.deepEqual(readdirSync(sent), []);
  assert.equal(readFileSync(join(folder, 'plan'), 'utf8'), 'plan');
});

test('what is no file that can be sent is refused with its name, and nothing of the others is left', async () => {
  const large = file('large.bin');
  truncateSync(large, MAX_ATTACHMENT_BYTES + 1);
  const pipe = join(folder, 'pipe');
  spawnSync('mkfifo', [pipe]);
  const wrong: readonly (readonly [path: string, why: RegExp])[] = [
    ['plan.txt', /^plan\.txt is not the whole path of a file\.$/],
    [join(folder, 'gone'), /gone can't be sent: /],
    [folder, /is not a file\.$/],
    [pipe, /pipe is not a file\.$/],
    [large, /large\.bin has \d+ bytes; \d+ are the most\.$/],
  ];
  for (const [path, why] of wrong) {
    const refused = await attachedFrom([file('first.txt'), path], sent);
    assert.match(String(refused), why);
    assert.deepEqual(readdirSync(sent), []);
  }
});

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { say } from '../../../test/fakes/messages-api/index.ts';
import { readImages } from './images.ts';
import { Rig, scenario } from './test-rig.ts';

let rig: Rig;
let folder: string;
beforeEach(async () => {
  rig = await Rig.start();
  folder = mkdtempSync(join(tmpdir(), 'images-'));
});
afterEach(async () => {
  rmSync(folder, { recursive: true, force: true });
  await rig.close();
});

const PNG = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
);
const GIF = Buffer.from('R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7', 'base64');
const WEBP = Buffer.from('UklGRhoAAABXRUJQVlA4TA0AAAAvAAAAEAcQERGIiP4HAA==', 'base64');

/** A JPEG's frame: after one segment that says its length, with its end. */
function jpeg(width: number, height: number): Buffer {
  const frame = Buffer.from([0xff, 0xc0, 0, 17, 8, 0, 0, 0, 0, 3, 1, 0x11, 0, 2, 0x11, 1, 3, 0x11, 1]);
  frame.writeUInt16BE(height, 5);
  frame.writeUInt16BE(width, 7);
  return Buffer.concat([
    Buffer.from([0xff, 0xd8, 0xff, 0xe0, 0, 8, 0, 0, 0, 0, 0, 0]),
    frame,
    Buffer.from([0xff, 0xd9]),
  ]);
}

function png(width: number, height: number): Buffer {
  const made = Buffer.from(PNG);
  made.writeUInt32BE(width, 16);
  made.writeUInt32BE(height, 20);
  return made;
}

function kinds(files: Readonly<Record<string, Buffer>>): (string | undefined)[] {
  return Object.entries(files).map(([name, bytes]) => {
    const path = join(folder, name);
    writeFileSync(path, bytes);
    return readImages([path])[0]?.source.media_type;
  });
}

test('a picture is known by what it is, not by its name', () => {
  assert.deepEqual(kinds({ 'a.txt': PNG, 'b.png': GIF, c: WEBP, 'd.gif': jpeg(2000, 10) }), [
    'image/png',
    'image/gif',
    'image/webp',
    'image/jpeg',
  ]);
});

test('what is none, broken off, too large in any way or no file is left to its path', () => {
  const files = {
    'text.png': Buffer.from('this is not a picture at all, only words'),
    'empty.png': Buffer.alloc(0),
    'cut.png': PNG.subarray(0, -8),
    'cut.jpg': jpeg(10, 10).subarray(0, -2),
    'wide.png': png(2001, 1),
    'flat.png': png(0, 10),
    'huge.jpg': jpeg(60_000, 60_000),
    'heavy.png': Buffer.concat([PNG.subarray(0, 30), Buffer.alloc(3_750_000), PNG.subarray(30)]),
    'loop.jpg': Buffer.concat([Buffer.from([0xff, 0xd8]), Buffer.alloc(100, 0xff), Buffer.from([0xff, 0xd9])]),
  };
  assert.deepEqual(
    kinds(files),
    Object.keys(files).map(() => undefined),
  );
  execFileSync('mkfifo', [join(folder, 'pipe')]);
  assert.deepEqual(readImages([join(folder, 'pipe'), join(folder, 'missing'), folder, '/dev/zero']), []);
});

scenario('the model is shown the pictures of a message beside its text', async () => {
  const path = join(folder, 'photo.jpg');
  writeFileSync(path, PNG);
  const talk = await rig.converse();
  rig.api.script(say('a dot'), say('yes'));
  talk.query.push('a', 'what is this?', [path, join(folder, 'missing.png')]);
  await talk.outcome(1);
  talk.query.push('b', 'sure?');
  await talk.outcome(2);
  assert.deepEqual(
    talk.outcomes.map(({ text }) => text),
    ['a dot', 'yes'],
  );
  const sent = JSON.stringify(rig.api.messages[0]?.messages);
  assert.match(sent, /what is this\?/);
  assert.ok(sent.includes(PNG.toString('base64')), sent.slice(0, 1_000));
});

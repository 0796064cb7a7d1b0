import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Frame, readFrames } from './frames.ts';

function framed(stream: 'out' | 'err', bytes: Uint8Array): Buffer {
  const header = Buffer.alloc(8);
  header[0] = stream === 'out' ? 1 : 2;
  header.writeUInt32BE(bytes.length, 4);
  return Buffer.concat([header, bytes]);
}

async function all(frames: AsyncIterable<Frame>): Promise<Frame[]> {
  const read: Frame[] = [];
  for await (const frame of frames) read.push(frame);
  return read;
}

test('what was sent is what is read, however it is cut on the way', async () => {
  const frame = fc.record({
    stream: fc.constantFrom('out' as const, 'err' as const),
    bytes: fc.uint8Array({ maxLength: 40 }),
  });
  await fc.assert(
    fc.asyncProperty(
      fc.array(frame, { maxLength: 8 }),
      fc.array(fc.integer({ min: 1, max: 30 })),
      async (sent, cuts) => {
        const wire = Buffer.concat(sent.map(({ stream, bytes }) => framed(stream, bytes)));
        const chunks: Buffer[] = [];
        for (let at = 0, index = 0; at < wire.length; index++) {
          const end = at + (cuts[index] ?? wire.length);
          chunks.push(wire.subarray(at, end));
          at = end;
        }
        const read = await all(readFrames(Readable.from(chunks)));
        assert.deepEqual(
          read.map(({ stream, bytes }) => [stream, bytes.toString('hex')]),
          sent.map(({ stream, bytes }) => [stream, Buffer.from(bytes).toString('hex')]),
        );
      },
    ),
  );
});

test('a frame that the end cut off is left out', async () => {
  const wire = Buffer.concat([framed('out', Buffer.from('whole')), framed('out', Buffer.from('cut')).subarray(0, 9)]);
  const read = await all(readFrames(Readable.from([wire])));
  assert.deepEqual(
    read.map(({ bytes }) => bytes.toString()),
    ['whole'],
  );
});

/** Output as the engine sends it: frames of eight bytes of header (the stream, the length) and that much of it. */
import type { Readable } from 'node:stream';

export interface Frame {
  stream: 'out' | 'err';
  bytes: Buffer;
}

const HEADER = 8;

/** Ends with the source. A frame that was cut off by its end is left out. */
export async function* readFrames(source: Readable): AsyncGenerator<Frame, void> {
  let rest = Buffer.alloc(0);
  for await (const chunk of source) {
    rest = Buffer.concat([rest, Buffer.from(chunk)]);
    while (rest.length >= HEADER) {
      const end = HEADER + rest.readUInt32BE(4);
      if (rest.length < end) break;
      yield { stream: rest[0] === 2 ? 'err' : 'out', bytes: rest.subarray(HEADER, end) };
      rest = rest.subarray(end);
    }
  }
}

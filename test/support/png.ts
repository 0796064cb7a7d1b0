/** Reads what a browser writes as PNG: 8 bits a channel, RGB or RGBA, not interlaced. Throws on anything else. */
import { inflateSync } from 'node:zlib';

const SIGNATURE = '89504e470d0a1a0a';

export interface Png {
  width: number;
  height: number;
  pixel(x: number, y: number): [red: number, green: number, blue: number];
}

export function readPng(bytes: Buffer): Png {
  if (bytes.subarray(0, 8).toString('hex') !== SIGNATURE) throw new Error('no PNG');
  const data: Buffer[] = [];
  let header: Buffer = Buffer.alloc(0);
  for (let at = 8; at < bytes.length; ) {
    const length = bytes.readUInt32BE(at);
    const type = bytes.toString('latin1', at + 4, at + 8);
    const content = bytes.subarray(at + 8, at + 8 + length);
    if (type === 'IHDR') header = content;
    if (type === 'IDAT') data.push(content);
    at += length + 12;
  }
  const [width, height] = [header.readUInt32BE(0), header.readUInt32BE(4)];
  const size = { 2: 3, 6: 4 }[header.readUInt8(9)];
  if (header.readUInt8(8) !== 8 || size === undefined || header.readUInt8(12) !== 0)
    throw new Error('another kind of PNG');
  const rows = unfilter(inflateSync(Buffer.concat(data)), width * size, height, size);
  return {
    width,
    height,
    pixel(x, y) {
      const row = rows[y] ?? Buffer.alloc(0);
      return [row.readUInt8(x * size), row.readUInt8(x * size + 1), row.readUInt8(x * size + 2)];
    },
  };
}

/** Each line is written as the difference to its neighbours, in one of five ways. */
function unfilter(raw: Buffer, stride: number, height: number, size: number): Buffer[] {
  const rows: Buffer[] = [];
  let above = Buffer.alloc(stride);
  for (let y = 0; y < height; y += 1) {
    const start = y * (stride + 1);
    const kind = raw.readUInt8(start);
    const row = Buffer.from(raw.subarray(start + 1, start + 1 + stride));
    for (let x = 0; x < stride; x += 1) {
      const left = row[x - size] ?? 0;
      const up = above[x] ?? 0;
      const corner = x < size ? 0 : (above[x - size] ?? 0);
      const guess = [0, left, up, (left + up) >> 1, paeth(left, up, corner)][kind] ?? 0;
      row[x] = ((row[x] ?? 0) + guess) & 0xff;
    }
    rows.push(row);
    above = row;
  }
  return rows;
}

function paeth(left: number, up: number, corner: number): number {
  const [toLeft, toUp, toCorner] = [Math.abs(up - corner), Math.abs(left - corner), Math.abs(left + up - 2 * corner)];
  if (toLeft <= toUp && toLeft <= toCorner) return left;
  return toUp <= toCorner ? up : corner;
}

import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';

/** Pictures that a model can be shown as such: what the API takes for certain. Of the others the prompt names the file. */

/** Five megabytes as base64. */
const MAX_BYTES = 3_750_000;
/** In a conversation with many pictures the API takes none that is larger. */
const MAX_SIDE = 2_000;
const MAX_IMAGES = 10;

export interface ImageBlock {
  type: 'image';
  source: { type: 'base64'; media_type: Kind; data: string };
}

type Kind = 'image/png' | 'image/jpeg' | 'image/gif' | 'image/webp';

export function readImages(paths: readonly string[]): ImageBlock[] {
  return paths.flatMap((path) => readImage(path) ?? []).slice(0, MAX_IMAGES);
}

function readImage(path: string): ImageBlock | undefined {
  const bytes = readRegular(path);
  const found = bytes && sizeOf(bytes);
  if (!bytes || !found || Math.max(found.width, found.height) > MAX_SIDE || Math.min(found.width, found.height) < 1) {
    return undefined;
  }
  return { type: 'image', source: { type: 'base64', media_type: found.kind, data: bytes.toString('base64') } };
}

function readRegular(path: string): Buffer | undefined {
  try {
    const file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const stat = fstatSync(file);
      return stat.isFile() && stat.size <= MAX_BYTES ? readFileSync(file) : undefined;
    } finally {
      closeSync(file);
    }
  } catch {
    // The prompt names it; whoever reads it there is told what is wrong.
    return undefined;
  }
}

interface Size {
  kind: Kind;
  width: number;
  height: number;
}

/** By what the file is, whatever it is called. One that ends too early would be refused, and the conversation with it. */
function sizeOf(bytes: Buffer): Size | undefined {
  const ascii = (from: number, to: number) => bytes.toString('latin1', from, to);
  if (bytes.length < 32) return undefined;
  if (ascii(0, 8) === '\x89PNG\r\n\x1a\n' && ascii(12, 16) === 'IHDR' && bytes.includes('IEND', bytes.length - 12)) {
    return { kind: 'image/png', width: bytes.readUInt32BE(16), height: bytes.readUInt32BE(20) };
  }
  if (/^GIF8[79]a$/.test(ascii(0, 6)) && bytes.at(-1) === 0x3b) {
    return { kind: 'image/gif', width: bytes.readUInt16LE(6), height: bytes.readUInt16LE(8) };
  }
  if (ascii(0, 4) === 'RIFF' && ascii(8, 12) === 'WEBP' && bytes.readUInt32LE(4) + 8 <= bytes.length) {
    const size = webpSize(bytes, ascii(12, 16));
    return size && { kind: 'image/webp', ...size };
  }
  if (bytes.readUInt16BE(0) === 0xffd8 && bytes.lastIndexOf(Buffer.of(0xff, 0xd9)) > 0) {
    const size = jpegSize(bytes);
    return size && { kind: 'image/jpeg', ...size };
  }
  return undefined;
}

function webpSize(bytes: Buffer, chunk: string): Pick<Size, 'width' | 'height'> | undefined {
  if (chunk === 'VP8X') return { width: bytes.readUIntLE(24, 3) + 1, height: bytes.readUIntLE(27, 3) + 1 };
  if (chunk === 'VP8 ') return { width: bytes.readUInt16LE(26) & 0x3fff, height: bytes.readUInt16LE(28) & 0x3fff };
  if (chunk !== 'VP8L') return undefined;
  const bits = bytes.readUInt32LE(21);
  return { width: (bits & 0x3fff) + 1, height: ((bits >>> 14) & 0x3fff) + 1 };
}

/** From the first frame header; what comes before are segments that say their length. */
function jpegSize(bytes: Buffer): Pick<Size, 'width' | 'height'> | undefined {
  for (let at = 2; at + 9 < bytes.length && bytes[at] === 0xff; ) {
    const marker = bytes[at + 1] ?? 0;
    const isFrame = marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);
    if (isFrame) return { height: bytes.readUInt16BE(at + 5), width: bytes.readUInt16BE(at + 7) };
    at += marker === 0xff ? 1 : 2 + bytes.readUInt16BE(at + 2);
  }
  return undefined;
}

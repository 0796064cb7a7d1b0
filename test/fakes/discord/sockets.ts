import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';

/** As much of a WebSocket server as a gateway needs: texts, pings, and closing with a code. */
export interface Socket {
  send(text: string): void;
  close(code: number, reason?: string): void;
  /** Without a word, as a cable that is pulled. */
  break(): void;
  onText(text: string): void;
  /** The code that the client gave; undefined when the line broke. */
  onClose(code: number | undefined): void;
}

const MAGIC = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
const [TEXT, CLOSE, PING, PONG] = [1, 8, 9, 10];

export function openSocket(request: IncomingMessage, stream: Duplex): Socket {
  const key = createHash('sha1').update(`${request.headers['sec-websocket-key']}${MAGIC}`).digest('base64');
  stream.write(
    `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${key}\r\n\r\n`,
  );
  let rest = Buffer.alloc(0);
  let code: number | undefined;
  let isOver = false;

  function write(op: number, payload: Buffer): void {
    if (!stream.writable) return;
    const length = payload.length;
    const head =
      length < 126 ? Buffer.from([0x80 | op, length]) : Buffer.from([0x80 | op, 127, 0, 0, 0, 0, 0, 0, 0, 0]);
    if (length >= 126) head.writeBigUInt64BE(BigInt(length), 2);
    stream.write(Buffer.concat([head, payload]));
  }

  function take(op: number, payload: Buffer): void {
    if (op === TEXT) socket.onText(payload.toString());
    else if (op === PING) write(PONG, payload);
    else if (op === CLOSE) {
      code = payload.length >= 2 ? payload.readUInt16BE(0) : 1005;
      write(CLOSE, payload);
      stream.end();
    }
  }

  stream.on('data', (chunk: Buffer) => {
    rest = Buffer.concat([rest, chunk]);
    for (let frame = readFrame(rest); frame; frame = readFrame(rest)) {
      rest = rest.subarray(frame.end);
      take(frame.op, frame.payload);
    }
  });
  stream.on('error', () => {});
  stream.on('close', () => {
    if (!isOver) socket.onClose(code);
    isOver = true;
  });

  const socket: Socket = {
    send: (text) => write(TEXT, Buffer.from(text)),
    close(why, reason = '') {
      const head = Buffer.alloc(2);
      head.writeUInt16BE(why);
      write(CLOSE, Buffer.concat([head, Buffer.from(reason)]));
      stream.end();
    },
    break: () => stream.destroy(),
    onText() {},
    onClose() {},
  };
  return socket;
}

/** Of a client, so always masked. */
function readFrame(from: Buffer): { op: number; payload: Buffer; end: number } | undefined {
  if (from.length < 2) return undefined;
  const short = (from[1] ?? 0) & 0x7f;
  const wide = short === 126 ? 2 : short === 127 ? 8 : 0;
  if (from.length < 2 + wide + 4) return undefined;
  const length = wide === 2 ? from.readUInt16BE(2) : wide === 8 ? Number(from.readBigUInt64BE(2)) : short;
  const start = 2 + wide + 4;
  if (from.length < start + length) return undefined;
  const mask = from.subarray(start - 4, start);
  const payload = Buffer.from(from.subarray(start, start + length));
  for (const [index, byte] of payload.entries()) payload[index] = byte ^ (mask[index % 4] ?? 0);
  return { op: (from[0] ?? 0) & 0x0f, payload, end: start + length };
}

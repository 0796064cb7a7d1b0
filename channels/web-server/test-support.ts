import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { createLogger, type Logger } from '../../src/log/index.ts';
import { scratchFolder } from '../../test/support/scratch.ts';

/** Requests written byte by byte, for tests: no client that would put anything right. */

export interface Raw {
  /** Everything that came back, until the other side closed or `isEnough` said so. */
  text: string;
  statuses: number[];
  /** Sent by the server, before or after an answer. */
  isReset: boolean;
}

const ANSWER = /HTTP\/1\.[01] (\d{3})/g;

export async function raw(
  port: number,
  parts: readonly (string | Buffer)[],
  { answers = 1, withinMs = 15_000 }: { answers?: number; withinMs?: number } = {},
): Promise<Raw> {
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  let text = '';
  let isReset = false;
  const statuses = () => [...text.matchAll(ANSWER)].map(([, status]) => Number(status)).filter((one) => one !== 100);
  const ended = new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, withinMs);
    socket.setEncoding('latin1');
    socket.on('data', (chunk: string) => {
      text += chunk;
      // With its body, since that comes in one piece.
      if (statuses().length >= answers && text.includes('\r\n\r\n')) resolve();
    });
    socket.on('error', () => {
      isReset = true;
    });
    socket.on('close', () => {
      clearTimeout(timer);
      resolve();
    });
  });
  for (const part of parts) {
    if (socket.destroyed || !socket.writable) break;
    if (!socket.write(part)) await Promise.race([once(socket, 'drain'), once(socket, 'close')]).catch(() => {});
  }
  await ended;
  socket.destroy();
  return { text, statuses: statuses(), isReset };
}

export function requestText(
  path: string,
  {
    method = 'POST',
    headers = {},
    body = '',
  }: { method?: string; headers?: Record<string, string>; body?: string } = {},
): string {
  const all = { host: 'localhost', 'content-length': String(Buffer.byteLength(body)), ...headers };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  return `${method} ${path} HTTP/1.1\r\n${lines.join('')}\r\n${body}`;
}

export function testLog(): Logger & { text(): string } {
  const folder = scratchFolder('nanoclaw-web-');
  const log = createLogger({ folder, secrets: () => [] });
  return {
    ...log,
    text() {
      log.close();
      return readFileSync(join(folder, 'nanoclaw.log'), 'utf8');
    },
  };
}

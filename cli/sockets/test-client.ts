import { once } from 'node:events';
import type { Socket } from 'node:net';
import { parseLine, readLines, sendLine } from './lines.ts';
import { connectUnix } from './listen.ts';

/** A client for tests: sends lines, waits for the next line that fits. */
export interface TestClient {
  socket: Socket;
  send(value: unknown): Promise<boolean>;
  /** The next line for which `fits` holds; those before it are kept for later calls. Rejects after 10 s. */
  next(fits: (frame: Record<string, unknown>) => boolean): Promise<Record<string, unknown>>;
  closed: Promise<unknown>;
}

export async function openTestClient(path: string): Promise<TestClient> {
  const socket = await connectUnix(path);
  if (!socket) throw new Error(`nobody listens on ${path}`);
  const frames: Record<string, unknown>[] = [];
  const waiting = new Set<() => void>();
  readLines(socket, 64 * 1024 * 1024, {
    line(text) {
      frames.push({ ...Object(parseLine(text)) });
      for (const look of [...waiting]) look();
    },
    overflow: () => socket.destroy(),
  });
  return {
    socket,
    closed: once(socket, 'close'),
    send: (value) => sendLine(socket, value),
    next(fits) {
      return new Promise((resolve, reject) => {
        const timer = setTimeout(() => {
          waiting.delete(look);
          reject(new Error(`no such line within 10 s; there are ${JSON.stringify(frames).slice(0, 2000)}`));
        }, 10_000);
        function look(): void {
          const index = frames.findIndex(fits);
          const [frame] = index < 0 ? [] : frames.splice(index, 1);
          if (!frame) return;
          clearTimeout(timer);
          waiting.delete(look);
          resolve(frame);
        }
        waiting.add(look);
        look();
      });
    },
  };
}

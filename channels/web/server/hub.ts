import type { ServerResponse } from 'node:http';

/** The pages that are open now: what is said goes to all of them that belong to its user. */

export interface Frame {
  event: string;
  /** A revision: after a break the page asks for what came after the last one it saw. */
  id?: number;
  data: unknown;
}

export interface Hub {
  /** False: this user has too many open. */
  add(response: ServerResponse, user: string, login: string): boolean;
  tell(user: string, frame: Frame): void;
  /** Ends the streams of that login, or of all logins of the user. */
  end(user: string, login?: string): void;
  close(): void;
}

const MAX_STREAMS = 20;
const BEAT_MS = 15_000;
/** A page that reads nothing must not fill the host's memory; it connects again, and gets what it missed. */
const MAX_WAITING_BYTES = 4 * 1024 * 1024;

export function createHub(): Hub {
  const streams = new Map<ServerResponse, { user: string; login: string }>();
  const beat = setInterval(() => {
    for (const response of streams.keys()) write(response, { event: 'beat', data: null });
  }, BEAT_MS);
  beat.unref();

  function write(response: ServerResponse, frame: Frame): void {
    response.write(toText(frame));
    if (response.writableLength > MAX_WAITING_BYTES) response.destroy();
  }

  return {
    add(response, user, login) {
      if ([...streams.values()].filter((one) => one.user === user).length >= MAX_STREAMS) return false;
      response.writeHead(200, { 'Content-Type': 'text/event-stream; charset=utf-8', 'X-Accel-Buffering': 'no' });
      response.write('retry: 1000\n\n');
      streams.set(response, { user, login });
      response.on('close', () => streams.delete(response));
      response.on('error', () => streams.delete(response));
      return true;
    },
    tell(user, frame) {
      for (const [response, one] of streams) if (one.user === user) write(response, frame);
    },
    end(user, login) {
      for (const [response, one] of streams) {
        if (one.user === user && (login === undefined || one.login === login)) response.end();
      }
    },
    close() {
      clearInterval(beat);
      for (const response of streams.keys()) response.destroy();
    },
  };
}

/** JSON has no line ends of its own. */
export function toText({ event, id, data }: Frame): string {
  return `${id === undefined ? '' : `id: ${id}\n`}event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
}

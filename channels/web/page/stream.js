/** @import { Connection } from './types.d.ts' */

/**
 * What the server says by itself. The browser connects again when a connection ends, and says what it saw last; one that
 * has fallen silent is replaced here.
 */

const EVENTS = ['message', 'chat', 'progress', 'typing', 'now', 'reset'];
const SILENT_MS = 40_000;
const LONGEST_WAIT_MS = 30_000;

/**
 * @param {number} since
 * @param {{ tell(event: string, data: any): void, connection(state: Connection): void, refused(): void }} listener
 */
export function openStream(since, listener) {
  let seen = since;
  let waitMs = 1_000;
  /** @type {EventSource | undefined} */
  let source;
  /** @type {number | undefined} */
  let silent;
  /** @type {number | undefined} */
  let again;
  let ended = false;

  function open() {
    source?.close();
    clearTimeout(again);
    if (ended) return;
    listener.connection(navigator.onLine ? 'connecting' : 'offline');
    const opened = new EventSource(`/api/stream?since=${seen}`);
    source = opened;
    hear();
    opened.addEventListener('open', () => {
      waitMs = 1_000;
      hear();
      listener.connection('connected');
    });
    opened.addEventListener('error', () => {
      if (source !== opened) return;
      listener.connection(navigator.onLine ? 'connecting' : 'offline');
      listener.refused();
      // The browser itself gives up when the answer is no stream.
      opened.close();
      again = setTimeout(open, waitMs);
      waitMs = Math.min(waitMs * 2, LONGEST_WAIT_MS);
    });
    opened.addEventListener('beat', hear);
    for (const event of EVENTS) {
      opened.addEventListener(event, (message) => {
        hear();
        if (message.lastEventId !== '') seen = Math.max(seen, Number(message.lastEventId));
        listener.tell(event, JSON.parse(message.data));
      });
    }
  }

  function hear() {
    clearTimeout(silent);
    silent = setTimeout(open, SILENT_MS);
  }

  const online = () => open();
  const offline = () => listener.connection('offline');
  addEventListener('online', online);
  addEventListener('offline', offline);
  open();
  return {
    /** The page has everything up to there. @param {number} rev */
    saw(rev) {
      seen = rev;
    },
    end() {
      ended = true;
      source?.close();
      clearTimeout(silent);
      clearTimeout(again);
      removeEventListener('online', online);
      removeEventListener('offline', offline);
    },
  };
}

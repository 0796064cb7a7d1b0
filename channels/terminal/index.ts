import { createServer, type Socket } from 'node:net';
import { dirname, join } from 'node:path';
import { readLines } from '../../cli/sockets/lines.ts';
import { closeServer, listenUnix } from '../../cli/sockets/listen.ts';
import type { ChannelAdapter } from '../../src/channels/adapter.ts';
import { errorText } from '../../src/errors.ts';
import type { Logger } from '../../src/log/index.ts';
import { createTerminal, type TerminalInstance } from './adapter.ts';
import { TERMINAL_CHANNEL } from './address.ts';
import { createClients } from './clients.ts';
import { createReceiver, refusal } from './receive.ts';

export { LOCAL_OWNER } from './address.ts';
export { ClientFrame, ServerFrame } from './frames.ts';

export interface TerminalOptions {
  socketPath: string;
  log: Logger;
  /** Where files are kept; `received` beside the socket by default. */
  receivedFolder?: string;
  /** `NANOCLAW_TERMINALS`: how many instances there are. */
  env?: Readonly<Record<string, string | undefined>>;
}

const MAX_LINE_BYTES = 1024 * 1024;
const MAX_INSTANCES = 9;
/** Whoever has asked for no chat by then, and said nothing, waits for what is said to the owner. */
const SILENT_MS = 200;

/** Chats over a Unix socket that only this user may open. The first instance is the owner's own terminal. */
export function createTerminals(options: TerminalOptions): [ChannelAdapter, ...ChannelAdapter[]] {
  const { socketPath, log, receivedFolder = join(dirname(socketPath), 'received'), env = {} } = options;
  const clients = createClients(log);
  const server = createServer(connect);
  let opened: Promise<void> | undefined;
  let closed: Promise<void> | undefined;
  const socket = {
    open: () => (opened ??= listenUnix(server, socketPath)),
    close: () => (closed ??= end()),
  };
  const make = (instance: TerminalInstance) => createTerminal(instance, clients, receivedFolder, socket);
  const first = make({ channel: TERMINAL_CHANNEL, threads: true });
  const more = moreInstances(env).map(make);
  const receiver = createReceiver(
    new Map([first, ...more].map((one) => [one.channelType, one])),
    clients,
    join(receivedFolder, 'sent'),
  );

  function connect(socket: Socket): void {
    const client = clients.add(socket);
    const silent = setTimeout(() => receiver.watchOwn(client), SILENT_MS);
    socket.on('close', () => {
      clearTimeout(silent);
      clients.remove(client);
    });
    socket.on('error', (error) => log.debug('terminal client failed', { error: errorText(error) }));
    readLines(socket, MAX_LINE_BYTES, {
      line: (text) => void receiver.take(client, text),
      overflow: () => void clients.send(client, refusal(null, 'NC_MESSAGE_TOO_LARGE')),
    });
  }

  async function end(): Promise<void> {
    for (const client of clients.all) void clients.send(client, { type: 'ended' });
    await closeServer(
      server,
      [...clients.all].map((client) => client.socket),
    );
  }

  return [first, ...more];
}

/** `terminal-2` and so on, without threads except where `NANOCLAW_TERMINAL_THREADS` names them: two kinds of platform. */
function moreInstances(env: Readonly<Record<string, string | undefined>>): TerminalInstance[] {
  const count = Math.min(Math.trunc(Number(env.NANOCLAW_TERMINALS ?? 1)) || 1, MAX_INSTANCES);
  const threaded = (env.NANOCLAW_TERMINAL_THREADS ?? '').split(',').map((name) => name.trim());
  return Array.from({ length: Math.max(0, count - 1) }, (_, index) => {
    const channel = `${TERMINAL_CHANNEL}-${index + 2}`;
    return { channel, threads: threaded.includes(channel) };
  });
}

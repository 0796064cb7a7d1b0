import { createServer, type Socket } from 'node:net';
import type { HostView } from '../admin/view.ts';
import { asDatabaseError } from '../src/db/connection.ts';
import { ERRORS, type ErrorCode, errorText, NanoError } from '../src/errors.ts';
import type { Logger } from '../src/log/index.ts';
import { MAX_REQUEST_BYTES, Request, type Response } from './frames.ts';
import { parseLine, readLines, sendLine } from './sockets/lines.ts';
import { closeServer, listenUnix } from './sockets/listen.ts';

const WARM_UP_MS = 1_000;

export interface AdminServer {
  /** Throws NC_HOST_RUNNING when another host answers there, NC_SOCKET_PATH. */
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** Answers `ncl`. Whoever may open the socket (0600) is the owner of this install. */
export function createAdminServer(options: { socketPath: string; handlers: HostView; log: Logger }): AdminServer {
  const { socketPath, handlers, log } = options;
  const connections = new Set<Socket>();
  let warmUp: NodeJS.Timeout | undefined;
  const server = createServer((socket) => {
    connections.add(socket);
    socket.on('close', () => connections.delete(socket));
    socket.on('error', (error) => log.debug('ncl went away', { error: errorText(error) }));
    readLines(socket, MAX_REQUEST_BYTES, {
      line: (text) => void respond(socket, text),
      overflow: () => void sendLine(socket, failure('', 'NC_USAGE', 'The request is too long.')),
    });
  });

  async function respond(socket: Socket, line: string): Promise<void> {
    const request = Request.safeParse(parseLine(line));
    await sendLine(socket, request.success ? await answer(request.data) : failure('', 'NC_USAGE'));
  }

  async function answer({ id, command: name, args, look }: Request): Promise<Response> {
    try {
      const { dispatch } = await import('./dispatch.ts');
      const width = look?.width ?? Number.POSITIVE_INFINITY;
      const result = await dispatch(handlers, { kind: 'owner' }, name, args, look && { ...look, width });
      return result.ok ? { id, ok: true, ...result.data } : failure(id, result.code, result.detail);
    } catch (thrown) {
      const error = asDatabaseError(thrown);
      if (error instanceof NanoError) return failure(id, error.code, error.detail);
      log.error('an ncl command failed', { command: name, error });
      return failure(id, 'NC_INTERNAL', errorText(error));
    }
  }

  return {
    async start() {
      await listenUnix(server, socketPath);
      // They are many, and no chat needs them. Soon all the same: a checkout that is updated later isn't mixed into this host.
      warmUp = setTimeout(() => {
        Promise.all([import('./dispatch.ts'), import('./commands/index.ts')]).catch((error: unknown) =>
          log.error('the ncl commands did not load', { error }),
        );
      }, WARM_UP_MS);
    },
    stop() {
      clearTimeout(warmUp);
      return closeServer(server, connections);
    },
  };
}

function failure(id: string, code: ErrorCode, detail?: string): Response {
  const { sentence } = ERRORS[code];
  return { id, ok: false, error: { code, message: detail ? `${sentence} ${detail}` : sentence } };
}

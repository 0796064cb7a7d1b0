import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { dirname, join } from 'node:path';
import { refuseFraming } from './body.ts';
import { DIAL_TIMEOUT_MS } from './dial.ts';
import type { Door } from './door.ts';
import { errorText, VaultError } from './error.ts';
import { forward } from './forward.ts';
import { createServer } from './http.ts';
import { type Credential, createModelApi } from './model-api.ts';
import { replyApiError, replyText } from './replies.ts';
import { type Resolve, resolveName } from './resolver.ts';
import { createPlaces, IDLE_MS, MAX_CONNECTIONS, MAX_OUTGOING, type ProxySession, track } from './session.ts';
import { limitChurn, listenPrivately, removeSocket } from './session-socket.ts';
import { parseRule, type Rule } from './target.ts';
import { openTunnel } from './tunnel.ts';

export { describeKind, judgeAddress } from './address.ts';
export { type Door, type DoorPlace, openDoor } from './door.ts';
export { VaultError } from './error.ts';
export type { Credential } from './model-api.ts';
export { parseRule } from './target.ts';

export interface RelaySession {
  sessionId: string;
  agentGroupId: string;
  /** In a folder of its own that the host owns. May be relative to the working folder; at most 107 bytes. */
  socketPath: string;
  /** Who may connect, when the host runs as root. */
  uid?: number;
  /** Instead of the socket, which nobody inside may use then. Its token is written beside it, into `token`, for the uid alone. */
  door?: Door;
  egress: 'public' | 'none';
  /** Rules of the owner, `host:port`, `host:*` or `host`: what may be reached though it isn't public. */
  allow: readonly string[];
}

/** A decision about one way out. Refused model requests are among them, successful ones are not. */
export interface EgressRecord {
  agentGroupId: string;
  sessionId: string;
  host: string;
  port: number;
  allowed: boolean;
  reason?: string;
}

/** The credential went to a model's API. */
export interface CredentialUse {
  agentGroupId: string;
  host: string;
}

/** The only way out of a sandbox: a Unix socket that adds the key to model requests and forwards to the public network. */
export interface Relay {
  /** Opens a session's socket; one that is open is closed first. Rejects with NC_SOCKET_PATH. */
  open(session: RelaySession): Promise<void>;
  /** Cuts what is under way and removes the socket. Idempotent. */
  close(sessionId: string): Promise<void>;
  /** Whether the model API gives any answer within 5 s. Never rejects, uses no credential. */
  probe(): Promise<{ ok: true } | { ok: false; sentence: string }>;
  /** Closes all sessions and every connection. */
  stop(): Promise<void>;
}

export interface RelayOptions {
  /** The model API; a path in it is kept. */
  upstream: URL;
  /** Asked for at each request. */
  credential: () => Credential | undefined;
  onEgress(record: EgressRecord): void;
  /** At each request that gets the credential. */
  onCredential?(use: CredentialUse): void;
  log(level: 'debug' | 'info' | 'warn' | 'error', message: string, fields: Readonly<Record<string, unknown>>): void;
  /** How names become addresses. */
  resolve?: Resolve;
  /** Where HTTPS_PROXY and its kin are read from, for the model API. */
  env?: NodeJS.ProcessEnv;
  /** Milliseconds. */
  timeouts?: { dial?: number; idle?: number; probe?: number };
}

interface OpenSession {
  server: Server;
  socketPath: string;
  sockets: Set<Socket>;
  /** Ends its way in by the door. */
  leave?: () => void;
}

/** Throws NC_ENV_INVALID for an upstream that isn't a plain http or https address. */
export function createRelay(options: RelayOptions): Relay {
  const { upstream, timeouts = {} } = options;
  if (!/^https?:$/.test(upstream.protocol) || upstream.username !== '' || upstream.search !== '') {
    throw new VaultError('NC_ENV_INVALID', 'ANTHROPIC_BASE_URL is an http or https address with no user and no query.');
  }
  const api = createModelApi({
    upstream,
    credential: options.credential,
    env: options.env ?? process.env,
    dialTimeoutMs: timeouts.dial ?? DIAL_TIMEOUT_MS,
    idleMs: timeouts.idle ?? IDLE_MS,
    failed: (reason) => options.log('warn', 'the model API failed', { host: upstream.host, reason }),
  });
  const sessions = new Map<string, OpenSession>();

  function proxyFor(session: RelaySession, sockets: Set<Socket>): ProxySession {
    const policy = { egress: session.egress, rules: rulesOf(session) };
    return {
      sockets,
      idleMs: timeouts.idle ?? IDLE_MS,
      enter: createPlaces(MAX_OUTGOING),
      dial: {
        policy,
        resolve: options.resolve ?? resolveName,
        timeoutMs: timeouts.dial ?? DIAL_TIMEOUT_MS,
        decided: ({ host, port }, reason) => record(session, host, port, reason),
        opened: (socket) => track(sockets, socket),
      },
    };
  }

  function rulesOf({ sessionId, allow }: RelaySession): Rule[] {
    return allow.flatMap((text) => {
      const rule = parseRule(text);
      if (rule === undefined)
        options.log('warn', 'an egress rule is neither host nor host:port and counts for nothing', {
          sessionId,
          rule: text,
        });
      return rule ?? [];
    });
  }

  function record(
    { agentGroupId, sessionId }: RelaySession,
    host: string,
    port: number,
    reason: string | undefined,
  ): void {
    options.onEgress({
      agentGroupId,
      sessionId,
      host,
      port,
      allowed: reason === undefined,
      ...(reason !== undefined && { reason }),
    });
  }

  function serve(session: RelaySession, proxy: ProxySession): Server {
    const busy = new WeakSet<Socket>();
    const server = createServer({
      maxHeaderSize: 65_536,
      headersTimeout: 30_000,
      requestTimeout: 30 * 60_000,
      keepAliveTimeout: IDLE_MS,
    });
    server.maxConnections = MAX_CONNECTIONS;
    server.on('request', (incoming, reply) => {
      // One request at a time on a connection: each may open one of the host's, and none may do so unseen.
      if (busy.has(incoming.socket)) return void incoming.socket.destroy();
      busy.add(incoming.socket);
      reply.once('close', () => busy.delete(incoming.socket));
      answer(session, proxy, incoming, reply).catch((error: unknown) => {
        options.log('error', 'a request from a sandbox broke the relay', {
          sessionId: session.sessionId,
          error: errorText(error),
        });
        reply.destroy();
      });
    });
    server.on('connect', (incoming, _socket, head) => {
      if (busy.has(incoming.socket)) return void incoming.socket.destroy();
      openTunnel(proxy, incoming.url ?? '', incoming.socket, head).catch((error: unknown) => {
        options.log('error', 'a tunnel from a sandbox broke the relay', {
          sessionId: session.sessionId,
          error: errorText(error),
        });
        incoming.socket.destroy();
      });
    });
    return server;
  }

  async function answer(session: RelaySession, proxy: ProxySession, incoming: IncomingMessage, reply: ServerResponse) {
    const { method = '', url = '' } = incoming;
    const complaint = refuseFraming(incoming);
    if (complaint !== undefined) return replyText(reply, 501, `${complaint}\n`);
    if (!url.startsWith('/')) return forward(proxy, incoming, reply);
    if (api.isAllowed(method, url)) {
      const { agentGroupId } = session;
      const used = () => options.onCredential?.({ agentGroupId, host: upstream.hostname });
      return api.handle(incoming, reply, used);
    }
    const path = url.split('?')[0] ?? '';
    record(
      session,
      upstream.hostname,
      Number(upstream.port || (upstream.protocol === 'https:' ? 443 : 80)),
      'a path of the model API that no agent needs',
    );
    replyApiError(
      reply,
      403,
      'permission_error',
      `The host of this sandbox passes on messages and the list of models, not ${method} ${path.slice(0, 200)}.`,
    );
  }

  async function close(sessionId: string): Promise<void> {
    const open = sessions.get(sessionId);
    if (open === undefined) return;
    sessions.delete(sessionId);
    open.leave?.();
    const closed = new Promise((done) => open.server.close(done));
    open.server.closeAllConnections();
    for (const socket of open.sockets) socket.destroy();
    removeSocket(open.socketPath);
    await closed;
  }

  return {
    async open(session) {
      const { sessionId, socketPath, uid, door } = session;
      while (sessions.has(sessionId)) await close(sessionId);
      const sockets = new Set<Socket>();
      const server = serve(session, proxyFor(session, sockets));
      const open: OpenSession = { server, socketPath, sockets };
      sessions.set(sessionId, open);
      try {
        const token = join(dirname(socketPath), 'token');
        if (door) open.leave = door.admit(token, uid, (socket) => server.emit('connection', socket));
        await listenPrivately(server, socketPath, door ? undefined : uid);
        limitChurn(server, socketPath);
      } catch (error) {
        open.leave?.();
        sessions.delete(sessionId);
        throw error;
      }
    },
    close,
    probe: () => api.probe(timeouts.probe ?? 5_000),
    async stop() {
      await Promise.all([...sessions.keys()].map(close));
      api.stop();
    },
  };
}

import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Fields, methodsOf, Refused } from './methods.ts';
import { socketsOn } from './sockets.ts';
import { APP_TOKEN, BOT, BOT_TOKEN, createState, SIGNING_SECRET, type SlackMessage, TEAM } from './state.ts';

/** A Slack played by the test: the Web API, uploads, files, and socket mode. */

export type ServerFault =
  | { kind: 'refuse'; error: string; needed?: string }
  | { kind: 'rate-limit'; seconds: number }
  | { kind: 'status'; status: number }
  /** Done, and the connection ends without an answer. */
  | { kind: 'taken' }
  | { kind: 'garbage' };

export type SlackServer = Awaited<ReturnType<typeof startSlackServer>>;

export async function startSlackServer() {
  const state = createState();
  const calls: { method: string; fields: Fields }[] = [];
  const faults: { method: RegExp; fault: ServerFault }[] = [];
  const contents = new Map<string, Buffer>();
  const tokens = { bot: BOT_TOKEN, app: APP_TOKEN };
  let port = 0;
  const root = () => `http://127.0.0.1:${port}`;
  const methods = methodsOf(state, root);

  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => reply(response, { ok: false, error: String(error) }, 500));
  });
  const sockets = socketsOn(server);
  await listen();

  async function listen(): Promise<void> {
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    port = (server.address() as AddressInfo).port;
  }

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await readBody(request);
    const [, area = '', name = ''] = (request.url ?? '').split('/');
    if (area === 'upload') return upload(name, body, response);
    if (area === 'files') return download(name, request, response);
    const fields: Fields = Object.fromEntries(new URLSearchParams(String(body)));
    calls.push({ method: name, fields });
    const at = faults.findIndex(({ method }) => method.test(name));
    const fault = at === -1 ? undefined : faults.splice(at, 1)[0]?.fault;
    if (fault?.kind === 'rate-limit') {
      response.setHeader('retry-after', String(fault.seconds));
      return reply(response, { ok: false, error: 'ratelimited' }, 429);
    }
    if (fault?.kind === 'status') return void response.writeHead(fault.status).end('<html>upstream</html>');
    if (fault?.kind === 'garbage') return void response.end('<html>the gateway is well</html>');
    if (fault?.kind === 'refuse') return reply(response, { ok: false, error: fault.error, needed: fault.needed });
    const result = carryOut(name, fields, request.headers.authorization);
    if (fault?.kind === 'taken') return void request.socket.destroy();
    reply(response, result);
  }

  function carryOut(name: string, fields: Fields, authorization: string | undefined): object {
    const token = fields.token ?? /^Bearer (.+)$/.exec(authorization ?? '')?.[1];
    if (token === undefined) return { ok: false, error: 'not_authed' };
    const isApp = name === 'apps.connections.open';
    if (token !== (isApp ? tokens.app : tokens.bot)) return { ok: false, error: 'invalid_auth' };
    if (isApp) return { ok: true, url: `ws://127.0.0.1:${port}/link/?ticket=${sockets.ticket()}` };
    const method = methods[name];
    if (!method) return { ok: false, error: 'unknown_method' };
    try {
      return { ok: true, ...method(fields) };
    } catch (error) {
      if (error instanceof Refused) return { ok: false, error: error.message };
      throw error;
    }
  }

  function upload(id: string, body: Buffer, response: ServerResponse): void {
    const file = state.uploads.get(id);
    if (!file || body.length !== file.size) return void response.writeHead(400).end('wrong size');
    file.content = body;
    response.end('OK - 0');
  }

  function download(id: string, request: IncomingMessage, response: ServerResponse): void {
    const content = contents.get(id);
    if (request.headers.authorization !== `Bearer ${tokens.bot}`) {
      return void response.setHeader('content-type', 'text/html').end('<html>Sign in</html>');
    }
    if (!content) return void response.writeHead(404).end();
    response.setHeader('content-disposition', 'attachment').end(content);
  }

  function event(fields: object, more: object = {}): object {
    const ts = state.nextTs();
    return {
      ...{ token: 'verification', team_id: TEAM.id, api_app_id: 'A111', type: 'event_callback' },
      ...{ event_id: `Ev${ts.replace('.', '')}`, event_time: Math.floor(Number(ts)) },
      authorizations: [{ team_id: TEAM.id, user_id: BOT.id, is_bot: true }],
      event: { event_ts: ts, ...fields },
      ...more,
    };
  }

  return {
    state,
    calls,
    faults,
    tokens,
    sockets,
    event,
    get url() {
      return `${root()}/api`;
    },
    get settings(): Record<string, string> {
      return { BOT_TOKEN, APP_TOKEN, API_URL: `${root()}/api` };
    },
    get webhookSettings(): Record<string, string> {
      return { BOT_TOKEN, APP_TOKEN: SIGNING_SECRET, API_URL: `${root()}/api` };
    },
    /** Kept in the history; returns the event of it, not sent yet. */
    said(message: Omit<SlackMessage, 'ts'> & { ts?: string }, type = 'message'): object {
      const whole = { ts: state.nextTs(), ...message };
      state.messages.push(whole);
      const parent = state.messages.find((one) => one.channel === whole.channel && one.ts === whole.thread_ts);
      if (parent && parent !== whole) parent.latest_reply = whole.ts;
      return event({ type, ...whole, channel_type: whole.channel.startsWith('D') ? 'im' : 'channel', team: TEAM.id });
    },
    file(content: Buffer, name: string) {
      const id = `FIN${contents.size + 1}`;
      contents.set(id, content);
      return { id, name, size: content.length, mimetype: 'text/plain', url_private: `${root()}/files/${id}` };
    },
    async away(is: boolean): Promise<void> {
      if (!is) return listen();
      sockets.drop();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
    async close(): Promise<void> {
      sockets.close();
      server.closeAllConnections();
      if (server.listening) await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks);
}

function reply(response: ServerResponse, answer: object, status = 200): void {
  response.writeHead(status, { 'content-type': 'application/json; charset=utf-8' }).end(JSON.stringify(answer));
}

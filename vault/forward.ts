import type { IncomingMessage, ServerResponse } from 'node:http';
import { pipeline } from 'node:stream';
import { frameBody, sendBody } from './body.ts';
import { dial } from './dial.ts';
import { describeFailure, timeoutError } from './failure.ts';
import { endToEnd } from './headers.ts';
import { httpRequest } from './http.ts';
import { replyText } from './replies.ts';
import { CROWDED, type ProxySession } from './session.ts';
import { parseProxyUrl, showTarget } from './target.ts';

const OURS = new Set(['host']);

/** Absolute form (`GET http://host/…`): one request on a connection of its own, to an address that was judged. */
export async function forward(session: ProxySession, incoming: IncomingMessage, reply: ServerResponse): Promise<void> {
  const asked = parseProxyUrl(incoming.url ?? '');
  if (asked === undefined) {
    return replyText(
      reply,
      400,
      'The proxy takes http://host[:port]/… with no user in it; for https it takes CONNECT.\n',
    );
  }
  const leave = session.enter();
  if (leave === undefined) return replyText(reply, 503, CROWDED);
  reply.once('close', leave);

  const dialled = await dial(asked.target, session.dial);
  if (!dialled.ok) return replyText(reply, dialled.status, dialled.text);
  const socket = dialled.socket;
  socket.on('error', () => socket.destroy());
  if (reply.destroyed) return void socket.destroy();
  reply.once('close', () => socket.destroy());

  const headers = { ...endToEnd(incoming, OURS), host: asked.hostHeader };
  const hasBody = frameBody(incoming, headers);
  const outgoing = httpRequest({
    method: incoming.method,
    path: asked.path,
    headers,
    setHost: false,
    createConnection: () => socket,
    maxHeaderSize: 65_536,
  });
  const fail = (error: unknown) => {
    replyText(reply, 502, `${showTarget(asked.target)} did not answer: ${describeFailure(error)}.\n`);
  };
  outgoing.setTimeout(session.idleMs, () => outgoing.destroy(timeoutError('answering')));
  outgoing.on('error', fail);
  outgoing.on('close', () => fail(undefined));
  outgoing.on('response', (answer) => {
    reply.writeHead(answer.statusCode ?? 502, endToEnd(answer, new Set()));
    reply.flushHeaders();
    pipeline(answer, reply, () => socket.destroy());
  });
  sendBody(incoming, outgoing, hasBody);
}

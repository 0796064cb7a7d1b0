import type { Socket } from 'node:net';
import { dial } from './dial.ts';
import { STATUS_CODES } from './http.ts';
import { CROWDED, type ProxySession, track } from './session.ts';
import { parseAuthority } from './target.ts';

/** CONNECT: bytes in both directions, each of which may end on its own, until both have or nothing moves for long. */
export async function openTunnel(session: ProxySession, asked: string, client: Socket, head: Buffer): Promise<void> {
  track(session.sockets, client);
  client.setTimeout(0);
  client.on('error', () => client.destroy());
  const target = parseAuthority(asked);
  if (target === undefined) return refuse(client, 400, 'CONNECT asks for host:port, with a host that can exist.\n');
  const leave = session.enter();
  if (leave === undefined) return refuse(client, 503, CROWDED);
  client.once('close', leave);

  const dialled = await dial(target, session.dial);
  if (!dialled.ok) return refuse(client, dialled.status, dialled.text);
  const remote = dialled.socket;
  remote.on('error', () => remote.destroy());
  if (client.destroyed) return void remote.destroy();
  remote.once('close', () => client.destroySoon());
  client.once('close', () => remote.destroy());
  // Every byte passes here, in whichever direction it goes.
  client.setTimeout(session.idleMs, () => client.destroy());

  client.write('HTTP/1.1 200 Connection established\r\n\r\n');
  if (head.length > 0) remote.write(head);
  client.pipe(remote);
  remote.pipe(client);
}

function refuse(client: Socket, status: number, text: string): void {
  client.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nContent-Type: text/plain; charset=utf-8\r\n` +
      `Content-Length: ${Buffer.byteLength(text)}\r\nConnection: close\r\n\r\n${text}`,
  );
  // The client may never end its own half; what it still sends is read and dropped, so that the answer is not cut.
  client.resume();
  client.setTimeout(5_000, () => client.destroy());
}

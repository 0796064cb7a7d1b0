import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { Agent, createServer, type IncomingMessage, type RequestOptions, request } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createRelay } from './index.ts';

/**
 * What the relay adds: `node vault/relay.bench.ts`. Client, relay and far end are a process each, as they are in use.
 * The figures in docs/relay.md come from it.
 */

const REQUESTS = 4_000;
const BULK_BYTES = 512 * 1024 * 1024;
const REPLY = JSON.stringify({ type: 'message', content: [{ type: 'text', text: 'x'.repeat(500) }] });

async function farEnd(): Promise<void> {
  const block = Buffer.alloc(256 * 1024, 'x');
  const server = createServer((incoming, reply) => {
    incoming.resume().once('end', () => {
      if (!incoming.url?.includes('bulk')) return void reply.end(REPLY);
      let sent = 0;
      const more = () => {
        while (sent < BULK_BYTES) {
          sent += block.length;
          if (!reply.write(block)) return void reply.once('drain', more);
        }
        reply.end();
      };
      more();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  process.send?.((server.address() as AddressInfo).port);
}

async function relay(port: string, socketPath: string): Promise<void> {
  const opened = createRelay({
    upstream: new URL(`http://127.0.0.1:${port}`),
    credential: () => ({ kind: 'api-key', secret: 'sk-ant-a-key-of-the-usual-length-0123456789-0123456789' }),
    onEgress: () => {},
    log: () => {},
  });
  await opened.open({ sessionId: 's', agentGroupId: 'g', socketPath, egress: 'public', allow: [`127.0.0.1:${port}`] });
  process.send?.('open');
}

async function ask(options: RequestOptions): Promise<number> {
  const outgoing = request({ method: 'POST', ...options });
  outgoing.end('{"model":"x","messages":[]}');
  const [answer] = (await once(outgoing, 'response')) as [IncomingMessage];
  let bytes = 0;
  answer.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
  });
  await once(answer, 'end');
  return bytes;
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

function percentile(values: readonly number[], share: number): string {
  const sorted = values.toSorted((a, b) => a - b);
  return (sorted[Math.floor(sorted.length * share)] ?? 0).toFixed(3);
}

async function tunnelTo(socketPath: string, port: number) {
  const socket = connect(socketPath);
  socket.write(`CONNECT 127.0.0.1:${port} HTTP/1.1\r\nHost: x\r\n\r\n`);
  await once(socket, 'data');
  return socket;
}

async function main(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'relay-bench-'));
  const socketPath = join(folder, 'r.sock');
  const children: ChildProcess[] = [];
  const start = async (...args: string[]): Promise<unknown> => {
    const child = fork(import.meta.filename, args);
    children.push(child);
    return (await once(child, 'message'))[0];
  };
  try {
    const port = Number(await start('far-end'));
    await start('relay', String(port), socketPath);
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const ways = {
      direct: { host: '127.0.0.1', port, path: '/v1/messages', agent },
      relay: { socketPath, path: '/v1/messages', agent: new Agent({ keepAlive: true, maxSockets: 1 }) },
    };
    const times: Record<keyof typeof ways, number[]> = { direct: [], relay: [] };
    for (let i = 0; i < REQUESTS; i++) {
      for (const way of ['direct', 'relay'] as const) {
        const ms = await timed(() => ask(ways[way]));
        if (i >= REQUESTS / 4) times[way].push(ms);
      }
    }
    for (const way of ['direct', 'relay'] as const) {
      console.log(
        `small request, ${way}: p50 ${percentile(times[way], 0.5)} ms, p95 ${percentile(times[way], 0.95)} ms`,
      );
    }
    const added = Number(percentile(times.relay, 0.5)) - Number(percentile(times.direct, 0.5));
    console.log(`added by the relay: p50 ${added.toFixed(3)} ms`);

    const opening: number[] = [];
    for (let i = 0; i < 300; i++) opening.push(await timed(async () => (await tunnelTo(socketPath, port)).destroy()));
    console.log(`opening a tunnel: p50 ${percentile(opening, 0.5)} ms, p95 ${percentile(opening, 0.95)} ms`);

    const socket = await tunnelTo(socketPath, port);
    const path = '/v1/messages?bulk';
    const bulk = {
      direct: { host: '127.0.0.1', port, path, agent: false },
      'through the model API': { socketPath, path, agent: false },
      'through a tunnel': { path, createConnection: () => socket },
    } as const;
    for (const [way, options] of Object.entries(bulk)) {
      const ms = await timed(() => ask(options));
      console.log(`${BULK_BYTES / 1024 / 1024} MB ${way}: ${(BULK_BYTES / 1024 / 1024 / (ms / 1000)).toFixed(0)} MB/s`);
    }
    agent.destroy();
    ways.relay.agent.destroy();
  } finally {
    for (const child of children) child.kill();
    rmSync(folder, { recursive: true, force: true });
  }
}

const [role, port = '', socketPath = ''] = process.argv.slice(2);
process.once('disconnect', () => process.exit());
if (role === 'far-end') await farEnd();
else if (role === 'relay') await relay(port, socketPath);
else await main();

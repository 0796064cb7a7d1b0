import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import http from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { TestContext } from 'node:test';
import type { Engine } from '../engine.ts';
import { createHttp } from '../http.ts';

/** A rootful Docker that may set every limit, and that nobody listens for. */
export const DOCKER: Engine = {
  http: createHttp('/nowhere.sock'),
  prefix: '/v1.41',
  name: 'Docker',
  version: '20.10',
  rootless: false,
  remapsUsers: false,
  selinux: false,
  machine: 'x64',
  sameKernel: true,
  limits: { memory: true, swap: true, cpu: true, pids: true },
  countsInside: false,
  cgroups: 'cgroup v2',
  runtimes: ['runc'],
  defaultRuntime: 'runc',
};

/** An engine for what a real one can't be brought to do. */
export interface PlayedEngine {
  /** For files of the test; gone with it. */
  folder: string;
  socket: string;
  /** As if it had been found there. */
  engine: Engine;
}

/** At a socket of its own, until the test has ended. */
export async function playEngine(t: TestContext, answer: http.RequestListener): Promise<PlayedEngine> {
  const folder = mkdtempSync(path.join(tmpdir(), 'nanoclaw-engine-'));
  const socket = path.join(folder, 'engine.sock');
  const server = http.createServer(answer).listen(socket);
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
    rmSync(folder, { recursive: true });
  });
  return { folder, socket, engine: { ...DOCKER, http: createHttp(socket) } };
}

export function reply(response: http.ServerResponse, status: number, body?: unknown): void {
  response.writeHead(status, { 'Content-Type': 'application/json' });
  response.end(body === undefined ? '' : JSON.stringify(body));
}

/** Which driver the hosts of these tests use: bubblewrap, or the engine that `NANOCLAW_TEST_RUNTIME` names. */
import http from 'node:http';
import { json } from 'node:stream/consumers';
import { z } from 'zod';
import { DRIVER_NAMES, type DriverName } from '../../drivers/names.ts';
import { installSlug } from '../../src/install-slug.ts';

const { NANOCLAW_TEST_RUNTIME, NANOCLAW_TEST_DOCKER, NANOCLAW_TEST_PODMAN, NANOCLAW_TEST_IMAGE, NANOCLAW_TEST_FULL } =
  process.env;

export const TEST_IMAGE = NANOCLAW_TEST_IMAGE ?? 'nanoclaw-agent-v2-test:latest';

/** The engine's socket; undefined where none is named. */
export function engineSocket(name: DriverName): string | undefined {
  return name === 'docker' ? NANOCLAW_TEST_DOCKER : name === 'podman' ? NANOCLAW_TEST_PODMAN : undefined;
}

/** Why what is the same for both is not tried on this one: with Podman, `npm run test:full` does. */
export function skipOn(name: 'docker' | 'podman'): string | false {
  if (engineSocket(name) === undefined) return `NANOCLAW_TEST_${name.toUpperCase()} names no socket of an engine`;
  return name === 'podman' && NANOCLAW_TEST_FULL === undefined && 'on Podman with NANOCLAW_TEST_FULL=1';
}

export const testRuntime: DriverName = z.enum(DRIVER_NAMES).default('bubblewrap').parse(NANOCLAW_TEST_RUNTIME);

/** What a host has to find in its environment to use that driver. */
export function runtimeEnvironment(name: DriverName = testRuntime): Record<string, string> {
  if (name === 'bubblewrap') return {};
  const socket = engineSocket(name);
  if (socket === undefined) throw new Error(`NANOCLAW_TEST_${name.toUpperCase()} is to name the engine's socket.`);
  const variable = name === 'docker' ? 'DOCKER_HOST' : 'CONTAINER_HOST';
  return { NANOCLAW_RUNTIME: name, NANOCLAW_IMAGE: TEST_IMAGE, [variable]: `unix://${socket}` };
}

const containerList = z.array(z.object({ Id: z.string(), Labels: z.record(z.string(), z.string()) }));

/** An engine's containers outlive a host that was killed: what is left of an install that nobody starts again. */
export async function removeContainers(home: string, name: DriverName = testRuntime): Promise<void> {
  const socketPath = engineSocket(name);
  if (socketPath === undefined) return;
  for (const { Id } of await containersOf(home, name)) {
    await ask(socketPath, 'DELETE', `/v1.41/containers/${Id}?force=1&v=1`);
  }
}

/** With their labels. */
export async function containersOf(home: string, name: DriverName = testRuntime) {
  const socketPath = engineSocket(name);
  if (socketPath === undefined) return [];
  const label = `org.nanoclaw.install=${installSlug(home)}`;
  const filters = encodeURIComponent(JSON.stringify({ label: [label] }));
  const reply = await ask(socketPath, 'GET', `/v1.41/containers/json?all=1&filters=${filters}`);
  return containerList.parse(await json(reply));
}

async function ask(socketPath: string, method: string, path: string): Promise<http.IncomingMessage> {
  const { promise, resolve, reject } = Promise.withResolvers<http.IncomingMessage>();
  http.request({ socketPath, method, path }, resolve).on('error', reject).end();
  const reply = await promise;
  if (method === 'DELETE') reply.resume();
  return reply;
}

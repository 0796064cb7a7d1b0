/** The drivers that the suites are run for, and what the suites have to know of each beyond the contract. */
import { existsSync, readdirSync } from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { json } from 'node:stream/consumers';
import { z } from 'zod';
import { createBubblewrapDriver } from '../../drivers/bubblewrap/index.ts';
import { createDockerDriver } from '../../drivers/docker/index.ts';
import type { SandboxDriver } from '../../src/sandbox/driver.ts';
import { isRoot, type Place } from './host.ts';

export interface DriverUnderTest {
  name: string;
  /** Of its engine; null: it has none. */
  socket: string | null;
  /** Why it can't be tried here. */
  skip: string | false;
  make(place: Place): SandboxDriver;
  /** What there is of this place's sandboxes beside their processes: names that begin with a session's id. */
  traces(place: Place): Promise<string[]>;
  /** With the host they end; else the next one adopts or sweeps them. */
  diesWithHost: boolean;
  /** Probes that succeed in it, and why that is meant. */
  allows?: Readonly<Record<string, string>>;
}

const bubblewrap: DriverUnderTest = {
  name: 'bubblewrap',
  socket: null,
  skip: false,
  make: (place) =>
    createBubblewrapDriver({ slug: place.slug, stateDir: path.join(place.root, 'state'), log: () => undefined }),
  async traces(place) {
    return ['memory', 'pids', 'cpu', 'unified', '.']
      .map((controller) => `/sys/fs/cgroup/${controller}/nanoclaw-${place.slug}`)
      .filter((folder) => existsSync(folder))
      .flatMap((folder) => readdirSync(folder, { withFileTypes: true }))
      .filter((entry) => entry.isDirectory())
      .map((entry) => entry.name);
  },
  diesWithHost: true,
};

export const TEST_IMAGE = process.env.NANOCLAW_TEST_IMAGE ?? 'nanoclaw-agent-v2-test:latest';
const labelledList = z.array(z.object({ Labels: z.record(z.string(), z.string()) }));

/** `variable` holds the path of its socket; its image is made by `container/build.sh --tag nanoclaw-agent-v2-test:latest`. */
function engine(name: string, variable: string, relay?: 'network'): DriverUnderTest {
  const socket = process.env[variable];
  return {
    name,
    socket: socket ?? '',
    skip: socket === undefined && `${variable} names no socket of an engine`,
    make: (place) =>
      createDockerDriver({
        slug: place.slug,
        stateDir: path.join(place.root, 'state'),
        log: () => undefined,
        socket,
        image: TEST_IMAGE,
        env: { ...process.env, NANOCLAW_RELAY: relay },
      }),
    async traces(place) {
      const found = await Promise.all(
        ['containers/json?all=1&', 'networks?'].map((kind) => labelled(socket ?? '', kind, place)),
      );
      // The bridge of all of them is no one's.
      return found.flat().flatMap(({ Labels }) => Labels['org.nanoclaw.session'] ?? []);
    },
    diesWithHost: false,
  };
}

async function labelled(socketPath: string, kind: string, { slug }: Place) {
  const filters = encodeURIComponent(JSON.stringify({ label: [`org.nanoclaw.install=${slug}`] }));
  const { promise, resolve, reject } = Promise.withResolvers<http.IncomingMessage>();
  http.get({ socketPath, path: `/v1.41/${kind}filters=${filters}` }, resolve).on('error', reject);
  return labelledList.parse(await json(await promise));
}

export const DRIVERS: readonly DriverUnderTest[] = [
  bubblewrap,
  engine('docker', 'NANOCLAW_TEST_DOCKER'),
  engine('podman', 'NANOCLAW_TEST_PODMAN'),
];

/** As on Docker Desktop, where a Unix socket doesn't cross. Its engine needs its default bridge. */
export const dockerNetwork: DriverUnderTest = {
  ...engine('docker-network', 'NANOCLAW_TEST_DOCKER', 'network'),
  allows: { 'another interface': 'its own network, in which there is nobody but the bridge' },
};

export function driverNamed(name: string): DriverUnderTest {
  const found = [...DRIVERS, dockerNetwork].find((driver) => driver.name === name);
  if (!found) throw new Error(`no driver named ${name}`);
  return found;
}

/** Whether this host may give processes another uid. */
export const needsRoot = !isRoot && 'only a root host has uids to give';

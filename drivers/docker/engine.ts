/** Which engine answers, what it is, and what it can hold a container to. */
import os from 'node:os';
import { z } from 'zod';
import type { Machine } from '../syscalls.ts';
import { createHttp, type Http } from './http.ts';
import { compareVersions, EngineTrouble, messageOf, NEWEST_API, noSubordinateIds, refuseVersion } from './symptoms.ts';

export interface Engine {
  http: Http;
  /** In front of every path. */
  prefix: string;
  name: 'Docker' | 'Podman';
  version: string;
  rootless: boolean;
  /** Ids inside are others outside, for every container. */
  remapsUsers: boolean;
  selinux: boolean;
  machine: Machine | null;
  /** Its kernel is this machine's: a folder has the same device and inode on both sides. */
  sameKernel: boolean;
  limits: { memory: boolean; swap: boolean; cpu: boolean; pids: boolean };
  /** Each container has a user namespace of its own, in which the kernel counts processes: a limit where no group has one. */
  countsInside: boolean;
  cgroups: string;
  runtimes: readonly string[];
  /** Docker's by its name, Podman's by its path. */
  defaultRuntime: string;
}

const versionReply = z.object({
  ApiVersion: z.string(),
  Version: z.string(),
  Arch: z.string(),
  KernelVersion: z.string().default(''),
  Components: z.array(z.object({ Name: z.string() })).nullish(),
});

const infoReply = z.object({
  SecurityOptions: z.array(z.string()).nullish(),
  MemoryLimit: z.boolean().default(false),
  SwapLimit: z.boolean().default(false),
  CpuCfsQuota: z.boolean().default(false),
  PidsLimit: z.boolean().default(false),
  CgroupVersion: z.string().default('1'),
  Runtimes: z.record(z.string(), z.unknown()).nullish(),
  DefaultRuntime: z.string().default(''),
});

/** What Podman doesn't say where Docker says it. */
const podmanReply = z.object({
  host: z.object({
    security: z.object({ rootless: z.boolean(), selinuxEnabled: z.boolean().default(false) }),
    cgroupControllers: z.array(z.string()).nullish(),
    idMappings: z.object({ uidmap: z.array(z.object({ size: z.number() })).nullish() }).nullish(),
  }),
});

const ANSWER_TIMEOUT_MS = 10_000;

/** The first of them that answers. Rejects with what the first one said that is there at all, else with the first. */
export async function findEngine(sockets: readonly string[]): Promise<Engine> {
  let first: unknown;
  let there: unknown;
  for (const socket of sockets) {
    try {
      return await connect(socket);
    } catch (error) {
      first ??= error;
      const cause = error instanceof EngineTrouble ? error.cause : undefined;
      if (!(cause instanceof Error && 'code' in cause && cause.code === 'ENOENT')) there ??= error;
    }
  }
  throw there ?? first;
}

/** Rejects with NC_SANDBOX_ENGINE when nobody answers, NC_SANDBOX_UNUSABLE when it is too old. */
export async function connect(socket: string): Promise<Engine> {
  const http = createHttp(socket);
  const version = read(http, versionReply, await http.call('GET', '/version', { timeoutMs: ANSWER_TIMEOUT_MS }));
  const refused = refuseVersion(version.ApiVersion);
  if (refused) throw new EngineTrouble(refused);
  const api = compareVersions(version.ApiVersion, NEWEST_API) < 0 ? version.ApiVersion : NEWEST_API;
  const prefix = `/v${api}`;
  const info = read(http, infoReply, await http.call('GET', `${prefix}/info`, { timeoutMs: ANSWER_TIMEOUT_MS }));
  const options = (info.SecurityOptions ?? []).join(' ');
  const isPodman = version.Components?.some(({ Name }) => Name.startsWith('Podman')) ?? false;
  const own = isPodman
    ? read(http, podmanReply, await http.call('GET', '/v4.0.0/libpod/info', { timeoutMs: ANSWER_TIMEOUT_MS })).host
    : null;
  const rootless = own?.security.rootless ?? /name=rootless/.test(options);
  if (rootless && own) refuseLoneUser(own.idMappings?.uidmap ?? []);
  // A rootless Podman says that it may set all of them, and fails to.
  const may = (controller: string): boolean => !(own && rootless) || (own.cgroupControllers ?? []).includes(controller);
  return {
    http,
    prefix,
    name: isPodman ? 'Podman' : 'Docker',
    version: version.Version,
    rootless,
    remapsUsers: /name=userns/.test(options),
    selinux: own?.security.selinuxEnabled ?? /name=selinux/.test(options),
    machine: machineOf(version.Arch),
    sameKernel: process.platform === 'linux' && version.KernelVersion === os.release(),
    limits: {
      memory: info.MemoryLimit && may('memory'),
      swap: info.SwapLimit && may('memory'),
      cpu: info.CpuCfsQuota && may('cpu'),
      pids: info.PidsLimit && may('pids'),
    },
    countsInside: isPodman && rootless && !(info.PidsLimit && may('pids')) && isSince(version.KernelVersion, '5.14'),
    cgroups: `cgroup v${info.CgroupVersion}`,
    runtimes: Object.keys(info.Runtimes ?? {}),
    defaultRuntime: info.DefaultRuntime,
  };
}

function read<T>(http: Http, schema: z.ZodType<T>, reply: { status: number; body: unknown }): T {
  const parsed = schema.safeParse(reply.body);
  if (reply.status === 200 && parsed.success) return parsed.data;
  throw new EngineTrouble({
    code: 'NC_SANDBOX_ENGINE',
    reason: `What answers at ${http.socket} is no container engine: ${messageOf(reply).slice(0, 200)}`,
    remedy: "Set DOCKER_HOST (for Podman CONTAINER_HOST) to unix:// and the path of the engine's socket.",
  });
}

const isSince = (kernel: string, first: string): boolean => compareVersions(kernel, first) >= 0;

/** With its user's own id alone no image can be unpacked. */
function refuseLoneUser(map: readonly { size: number }[]): void {
  const ids = map.reduce((sum, { size }) => sum + size, 0);
  if (ids === 1) throw new EngineTrouble(noSubordinateIds('its map has one id'));
}

function machineOf(arch: string): Machine | null {
  if (arch === 'amd64' || arch === 'x86_64') return 'x64';
  return arch === 'arm64' || arch === 'aarch64' ? 'arm64' : null;
}

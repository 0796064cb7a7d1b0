/** From a spec to what the engine is asked to create. Pure: what is said here can be tested as data. */

import { INSIDE } from '../../protocol/container-config.ts';
import type { SandboxSpec } from '../../src/sandbox/driver.ts';
import type { HardLimits } from '../hard-limits.ts';
import type { MountStep } from '../mounts.ts';
import { LOG_LIMITS } from '../output-log.ts';
import { OPEN_FILES, tmpfsSizes } from '../spec.ts';
import type { Engine } from './engine.ts';
import { below, gateCommand } from './gate.ts';
import type { Network } from './network/index.ts';

export type ContainerBody = ReturnType<typeof containerBody>;

export const LABEL = {
  install: 'org.nanoclaw.install',
  session: 'org.nanoclaw.session',
  /** Which host process has made it. */
  host: 'org.nanoclaw.host',
  log: 'org.nanoclaw.log',
} as const;

export interface BodyParts {
  image: string;
  user: ContainerUser;
  labels: Readonly<Record<string, string>>;
  steps: readonly MountStep[];
  /** Our own files for /etc. */
  generated: readonly { source: string; target: string }[];
  /** As `seccomp=` wants it: the profile for Docker, its path for Podman. */
  seccomp: string | null;
  runtime: string | undefined;
  /** Left out: none but loopback. */
  network?: Network | undefined;
  /** Of this machine; null when the engine's is another. */
  hard: HardLimits | null;
}

export interface ContainerUser {
  uid: number;
  gid: number;
  /** Empty: the engine's own way. */
  namespace: '' | 'host' | 'keep-id';
}

/**
 * Nobody inside is a root of the host: a rootless engine's own user is 0 in there, and outside the one who runs the host.
 * `asked` is the uid of the spec, which an unprivileged host can't give files to.
 */
export function userFor(
  engine: Pick<Engine, 'name' | 'rootless' | 'remapsUsers'>,
  asked: number,
  host: { uid: number; gid: number },
): ContainerUser {
  if (engine.rootless && engine.name === 'Docker') return { uid: 0, gid: 0, namespace: '' };
  if (engine.rootless) return { ...host, namespace: 'keep-id' };
  const namespace = engine.remapsUsers ? 'host' : '';
  return host.uid === 0 ? { uid: asked, gid: asked, namespace } : { ...host, namespace };
}

/** What says more about the machine than an agent needs. */
const MASKED = [
  ...[
    'acpi',
    'asound',
    'cmdline',
    'config.gz',
    'interrupts',
    'iomem',
    'ioports',
    'kallsyms',
    'kcore',
    'key-users',
    'keys',
  ],
  ...['kmsg', 'kpagecount', 'kpageflags', 'latency_stats', 'modules', 'sched_debug', 'scsi', 'slabinfo', 'timer_list'],
  ...['timer_stats', 'vmallocinfo'],
].map((name) => `/proc/${name}`);
const READ_ONLY = ['/dev', ...['bus', 'fs', 'irq', 'sys', 'sysrq-trigger'].map((name) => `/proc/${name}`)];

/** Nobody outside; but harnesses refuse to work as root unless they are told that this is a sandbox. */
const MAPPED_ROOT = { IS_SANDBOX: '1' };

/** Of every container of ours. */
export const PIPED = {
  AttachStdin: true,
  AttachStdout: true,
  AttachStderr: true,
  OpenStdin: true,
  // What runs inside hears by it that the host is gone.
  StdinOnce: true,
  Tty: false,
  Healthcheck: { Test: ['NONE'] },
};

export const CONFINED = {
  ReadonlyRootfs: true,
  Privileged: false,
  CapDrop: ['ALL'],
  IpcMode: 'private',
  CgroupnsMode: 'private',
};

export function securityOptions(seccomp: string | null, selinux: boolean): string[] {
  return [
    // In Podman's API this one has no value.
    'no-new-privileges',
    ...(seccomp === null ? [] : [`seccomp=${seccomp}`]),
    // Its label would have to be put on every folder of the owner's.
    ...(selinux ? ['label=disable'] : []),
  ];
}

export function containerBody(spec: SandboxSpec, engine: Engine, parts: BodyParts) {
  const { limits } = spec;
  const { uid, gid, namespace } = parts.user;
  const podman = engine.name === 'Podman';
  const sizes = tmpfsSizes(limits.memoryBytes);
  const targets = parts.steps.map(({ target }) => target);
  // Without `exec` an engine mounts them so that nothing in them can be run.
  const tmpfs = (size: number): string => `rw,nosuid,nodev,exec,size=${size},mode=1777`;
  const masked = [...MASKED, '/sys'];
  const env = { ...spec.env, ...(uid === 0 ? MAPPED_ROOT : {}) };
  return {
    Image: parts.image,
    User: `${uid}:${gid}`,
    Hostname: 'sandbox',
    WorkingDir: '/',
    Env: Object.entries(env).map(([name, value]) => `${name}=${value}`),
    Entrypoint: ['/usr/bin/tini', '--'],
    Cmd: gateCommand(spec.command, targets, env, limits.fileSizeBytes, engine.countsInside ? limits.pids : null),
    ...PIPED,
    NetworkDisabled: parts.network === undefined,
    Labels: parts.labels,
    HostConfig: {
      NetworkMode: parts.network?.name ?? 'none',
      ...(parts.network ? inNetwork(parts.network) : {}),
      ...CONFINED,
      SecurityOpt: [...securityOptions(parts.seccomp, engine.selinux), ...(podman ? [`mask=${masked.join(':')}`] : [])],
      ...(podman ? {} : { MaskedPaths: masked, ReadonlyPaths: READ_ONLY }),
      UsernsMode: namespace,
      ...(engine.limits.memory ? { Memory: limits.memoryBytes } : {}),
      ...(engine.limits.memory && engine.limits.swap ? { MemorySwap: limits.memoryBytes } : {}),
      ...(engine.limits.cpu ? { NanoCpus: Math.round(limits.cpus * 1e9) } : {}),
      ...(engine.limits.pids ? { PidsLimit: limits.pids } : {}),
      Ulimits: ulimits(limits.fileSizeBytes, parts.hard, podman),
      ShmSize: sizes.shm,
      Tmpfs: {
        '/tmp': tmpfs(sizes.tmp),
        ...(targets.includes('/home/node') ? {} : { '/home/node': tmpfs(sizes.home) }),
        // Over a read-only root Podman puts some that may grow as they like.
        ...(podman ? { '/run': 'rw,nosuid,nodev,noexec,size=65536,mode=0755', '/var/tmp': tmpfs(sizes.shm) } : {}),
      },
      // Never as Binds: a source that is missing would be made, as root's.
      Mounts: [
        ...parts.generated.map(({ source, target }) => bind(source, target, 'ro')),
        ...parts.steps.map(({ source, below: part, target, mode }) => bind(below(source, part), target, mode)),
      ],
      LogConfig: {
        Type: 'json-file',
        Config: { 'max-size': `${LOG_LIMITS.fileBytes / 1024 / 1024}m`, ...(podman ? {} : { 'max-file': '1' }) },
      },
      RestartPolicy: { Name: 'no' },
      ...(parts.runtime === undefined ? {} : { Runtime: parts.runtime }),
    },
    ...(parts.network ? { NetworkingConfig: { EndpointsConfig: endpoint(parts.network) } } : {}),
  };
}

/** The engine's own name server would ask others, out of a network that lets nothing out. Here it finds nobody to ask. */
const inNetwork = ({ subnet }: Network) => ({
  ExtraHosts: [`${INSIDE.relay.host}:${subnet.bridge}`],
  Dns: ['127.0.0.1'],
  DnsSearch: ['.'],
});

const endpoint = ({ name, subnet }: Network) => ({ [name]: { IPAMConfig: { IPv4Address: subnet.sandbox } } });

const PODMAN_PROCESSES = 16_384;

function ulimits(fileSize: number, hard: HardLimits | null, podman: boolean) {
  const limit = (Name: string, wanted: number, most: number | undefined) => {
    const value = Math.min(wanted, most ?? wanted);
    return { Name, Soft: value, Hard: value };
  };
  return [
    limit('core', 0, undefined),
    limit('fsize', fileSize, hard?.fileSize),
    limit('nofile', OPEN_FILES, hard?.openFiles),
    // Podman's own is above what a host without CAP_SYS_RESOURCE may set. It counts a uid's everywhere, so it is no limit of ours.
    ...(podman ? [limit('nproc', PODMAN_PROCESSES, hard?.processes)] : []),
  ];
}

function bind(source: string, target: string, mode: 'ro' | 'rw') {
  return {
    Type: 'bind',
    Source: source,
    Target: target,
    ReadOnly: mode === 'ro',
    // Another file system that lies below would come along, and of that an engine before Docker 25 leaves it writable.
    BindOptions: { Propagation: 'rprivate', NonRecursive: mode === 'ro' },
  };
}

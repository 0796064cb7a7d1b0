/** What a trial from inside and the engine say, against what is promised. Pure. */
import type { DriverDeclaration, Guarantee } from '../../src/sandbox/driver.ts';
import { LOG_LIMITS } from '../output-log.ts';
import { TRIAL_LIMITS } from '../trial.ts';
import type { Engine } from './engine.ts';

export interface Trial {
  lines: readonly string[];
  /** As this machine sees its first process; null when that runs on another. */
  hostUid: number | null;
  /** The uid on the host that everything inside is to have. */
  wantedUid: number;
  code: number | null;
  engine: Engine;
  /** By a network of its own to the relay, instead of by a socket. */
  byNetwork: boolean;
  /** What it sends to all in that network gets to programs of this machine. */
  isHeard: boolean;
  slug: string;
  runtime: string | undefined;
}

export function judge(trial: Trial): DriverDeclaration {
  const { lines, hostUid, wantedUid, code, engine, byNetwork, isHeard, slug, runtime } = trial;
  const has = hasIn(lines);
  const limited = (name: 'memory' | 'cpu' | 'pids'): Guarantee =>
    held(name, engine.limits[name], engine.cgroups, 'this engine may not set it', DELEGATION);
  const uid = hostUid ?? uidOnHost(lines);
  const made = `${engine.name} ${engine.version}${engine.rootless ? ', rootless' : ''}${runtime ? `, ${runtime}` : ''}`;
  const guarantees: Guarantee[] = [
    held('user', uid === wantedUid && uid !== 0, `uid ${uid} on the host, by ${made}`, `runs as uid ${uid}`),
    held('capabilities', has(/^CapEff:0+$/) && has(/^CapBnd:0+$/), 'none, bounding set empty', 'some are left'),
    held('nested-namespaces', has(/^nested:no$/), 'seccomp', 'can be made inside'),
    held('no-new-privileges', has(/^NoNewPrivs:1$/), 'PR_SET_NO_NEW_PRIVS', 'not set'),
    held('read-only-root', has(/^mount:\/ \S+ ro\b/), "the image's, read-only", 'writable'),
    held('private-tmp', has(/^mount:\/tmp tmpfs .*size=/), 'a tmpfs of limited size', 'not private'),
    held('init', has(/^init:tini 1$/), 'tini of the image reaps and forwards signals', 'no init of ours'),
    has(new RegExp(`^limit:processes ${TRIAL_LIMITS.pids} `)) && engine.countsInside
      ? held('pids', true, 'RLIMIT_NPROC in the user namespace', '')
      : limited('pids'),
    limited('memory'),
    limited('cpu'),
    held(
      'seccomp',
      engine.machine !== null && has(/^Seccomp:2$/),
      `a profile of our own for ${engine.machine}`,
      'there is no filter of ours for this processor',
    ),
    held(
      'file-size',
      has(new RegExp(`^limit:file size ${TRIAL_LIMITS.fileSizeBytes} `)),
      'RLIMIT_FSIZE',
      'not limited',
    ),
    held('logs', true, `rotated at ${LOG_LIMITS.fileBytes / 1024 / 1024} MiB, ${LOG_LIMITS.keep} kept`, ''),
    held('label', true, `org.nanoclaw.install=${slug}: adopted after a restart of the host`, ''),
    ...(byNetwork ? throughNetwork(lines, isHeard) : bySocket(engine, lines)),
  ];
  return { driver: 'docker', usable: code === 0, guarantees };
}

const hasIn =
  (lines: readonly string[]) =>
  (pattern: RegExp): boolean =>
    lines.some((line) => pattern.test(line));

const held = (name: string, ok: boolean, how: string, otherwise: string, remedy?: string): Guarantee => ({
  name,
  held: ok,
  how: ok ? how : otherwise,
  ...(ok || remedy === undefined ? {} : { remedy }),
});

/** Some kernels put these into every namespace, switched off. */
const IDLE = 'tunl0|gre0|gretap0|erspan0|ip_vti0|ip6_vti0|sit0|ip6tnl0|ip6gre0';

function bySocket(engine: Engine, lines: readonly string[]): Guarantee[] {
  const has = hasIn(lines);
  return [
    held(
      'transport',
      engine.sameKernel && !has(/^reach:no$/),
      'a Unix socket in a folder that is mounted read-only',
      "the engine runs in a machine of its own, which a socket doesn't reach",
      engine.name === 'Docker'
        ? 'Set NANOCLAW_RELAY=network, or take that setting away.'
        : 'Use an engine of this machine.',
    ),
    held(
      'network',
      has(/^net:lo:/) && !has(new RegExp(`^net:(?!(lo|${IDLE}):)`)),
      'a network namespace with loopback alone',
      'others are visible',
    ),
  ];
}

function throughNetwork(lines: readonly string[], isHeard: boolean): Guarantee[] {
  const has = hasIn(lines);
  const neighbour = lines.map((line) => /^neighbour:(\S+)/.exec(line)?.[1]).find((at) => at !== undefined);
  const isAlone = has(/^net:lo:/) && !has(new RegExp(`^net:(?!(lo|eth0|${IDLE}):)`)) && neighbour === undefined;
  return [
    held(
      'transport',
      !has(/^reach:no$/),
      "by TCP: a network of its own with the relay's bridge in it, and a token for each start",
      "the relay's bridge can't be reached, or can't reach this machine",
      'A firewall of this machine may refuse what comes from the engine. See docs/docker.md.',
    ),
    isAlone && isHeard
      ? held(
          'network',
          false,
          '',
          'programs of this machine that listen everywhere get what a sandbox sends to all (255.255.255.255, 224.0.0.1)',
          "Run `sysctl net.ipv4.conf.all.rp_filter=1`: the machine's own setting, for all of its interfaces.",
        )
      : held(
          'network',
          isAlone,
          "an internal network of its own, with nobody in it but the relay's bridge",
          neighbour === undefined
            ? 'others are visible'
            : `what listens on the engine's machine can be called at ${neighbour}`,
          'Update the engine: Docker 28 and later close that.',
        ),
  ];
}

/** From its id inside, by the map of the user namespace. Null: it didn't say. */
export function uidOnHost(lines: readonly string[]): number | null {
  const inside = Number(
    lines.map((line) => /^Uid:(\d+)/.exec(line)?.[1]).find((uid) => uid !== undefined) ?? Number.NaN,
  );
  for (const line of lines) {
    const [first, outside, count] = (/^uidmap:(\d+) (\d+) (\d+)$/.exec(line) ?? []).slice(1).map(Number);
    if (first === undefined || outside === undefined || count === undefined) continue;
    if (inside >= first && inside < first + count) return outside + inside - first;
  }
  return null;
}

const DELEGATION =
  'Rootless: let systemd hand the controllers on, `Delegate=cpu memory pids` in /etc/systemd/system/user@.service.d/delegate.conf.';

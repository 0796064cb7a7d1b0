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
  slug: string;
  runtime: string | undefined;
}

export function judge({ lines, hostUid, wantedUid, code, engine, slug, runtime }: Trial): DriverDeclaration {
  const has = (pattern: RegExp): boolean => lines.some((line) => pattern.test(line));
  const held = (name: string, ok: boolean, how: string, otherwise: string, remedy?: string): Guarantee => ({
    name,
    held: ok,
    how: ok ? how : otherwise,
    ...(ok || remedy === undefined ? {} : { remedy }),
  });
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
    limited('pids'),
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
    held(
      'transport',
      engine.sameKernel,
      'a Unix socket in a folder that is mounted read-only',
      "the engine runs in a machine of its own, which a socket doesn't reach",
      'Use an engine of this machine.',
    ),
    held(
      'network',
      has(/^net:lo:/) && !has(/^net:(?!lo:)/),
      'a network namespace with loopback alone',
      'others are visible',
    ),
  ];
  return { driver: 'docker', usable: code === 0, guarantees };
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

/** What a trial from inside says, against what is promised. */
import type { DriverDeclaration, Guarantee } from '../../src/sandbox/driver.ts';
import { LOG_LIMITS } from '../output-log.ts';
import { TRIAL_LIMITS } from '../trial.ts';
import type { LimitMeans, Resource } from './limits/index.ts';

export interface Trial {
  lines: readonly string[];
  /** The sandbox's uid as the host sees it. */
  hostUid: number | null;
  wantedUid: number;
  code: number | null;
  limits: LimitMeans;
  seccompMachine: string | null;
  staged: boolean;
  label: string;
}

export function judge(trial: Trial): DriverDeclaration {
  const has = (pattern: RegExp): boolean => trial.lines.some((line) => pattern.test(line));
  const held = (name: string, ok: boolean, how: string, otherwise: string, remedy?: string): Guarantee => ({
    name,
    held: ok,
    how: ok ? how : otherwise,
    ...(ok || remedy === undefined ? {} : { remedy }),
  });
  const limited = (name: Resource, otherwise: string): Guarantee =>
    held(name, trial.limits.holds.has(name), trial.limits.name, otherwise, LIMITS_REMEDY);
  const nproc = has(new RegExp(`^limit:processes ${TRIAL_LIMITS.pids} ${TRIAL_LIMITS.pids}\\b`));
  const pidsBy = trial.limits.holds.has('pids') ? ` and ${trial.limits.name}` : '';
  const uidHow = `uid ${trial.hostUid} on the host, ${trial.staged ? 'reached by a first stage that only mounts' : 'one stage'}`;
  const guarantees: Guarantee[] = [
    held('user', trial.hostUid === trial.wantedUid && trial.hostUid !== 0, uidHow, `runs as uid ${trial.hostUid}`),
    held('capabilities', has(/^CapEff:0+$/) && has(/^CapBnd:0+$/), 'none, bounding set empty', 'some are left'),
    held('nested-namespaces', has(/^nested:no$/), 'bwrap --disable-userns and seccomp', 'can be made inside'),
    held('no-new-privileges', has(/^NoNewPrivs:1$/), 'PR_SET_NO_NEW_PRIVS', 'not set'),
    held('read-only-root', has(/^mount:\/ \S+ ro\b/) && has(/^mount:\/usr \S+ ro\b/), 'read-only mounts', 'writable'),
    held('private-tmp', has(/^mount:\/tmp tmpfs .*size=/), 'a tmpfs of limited size', 'not private'),
    held('init', has(/^init:bwrap 1$/), 'bwrap reaps; the driver signals the command itself', 'no init of ours'),
    held('pids', nproc, `RLIMIT_NPROC in the user namespace${pidsBy}`, 'RLIMIT_NPROC is not as set'),
    limited('memory', 'no means found'),
    limited('cpu', 'not limited: a sandbox may take every core'),
    held(
      'seccomp',
      trial.seccompMachine !== null && has(/^Seccomp:2$/),
      `a filter of our own for ${trial.seccompMachine}`,
      `there is no filter for this processor (${process.arch})`,
      'Use the docker driver.',
    ),
    held(
      'file-size',
      has(new RegExp(`^limit:file size ${TRIAL_LIMITS.fileSizeBytes} `)),
      'RLIMIT_FSIZE',
      'not limited',
    ),
    held('logs', true, `rotated at ${LOG_LIMITS.fileBytes / 1024 / 1024} MiB, ${LOG_LIMITS.keep} kept`, ''),
    held(
      'label',
      true,
      trial.limits.name === 'watchdog' ? 'none needed: dies with the host' : `groups named ${trial.label}`,
      '',
    ),
    held('transport', true, 'a Unix socket in a folder that is mounted read-only', ''),
    held(
      'network',
      has(/^net:lo:/) && !has(/^net:(?!lo:)/),
      'a network namespace with loopback alone',
      'others are visible',
    ),
  ];
  return { driver: 'bubblewrap', usable: trial.code === 0, guarantees };
}

const LIMITS_REMEDY =
  'Let the host run as a systemd user service, or enable lingering: `sudo loginctl enable-linger "$USER"`, then log in again.';

/** From a spec to argument lists. Pure: what is said here can be tested as data. */
import type { SandboxLimits, SandboxSpec } from '../../src/sandbox/driver.ts';
import type { HardLimits } from '../hard-limits.ts';
import { mountSteps } from '../mounts.ts';
import { MiB, OPEN_FILES, tmpfsSizes } from '../spec.ts';
import type { HostLayout } from './layout.ts';

/** Where a host path is found by the bwrap that binds it. */
export type Locate = (source: string, mode: 'ro' | 'rw') => string;

/** The descriptors that a started bwrap gets beside its output. */
export const FD = { status: 3, seccomp: 4, innerArguments: 5, gate: 6, outerArguments: 7, go: 8 } as const;

function tmpfs(bytes: number, perms: string, target: string): string[] {
  return ['--size', String(bytes), '--perms', perms, '--tmpfs', target];
}

function systemFolders(layout: HostLayout): string[] {
  const top = layout.topFolders.flatMap(({ path, link }) =>
    link === null ? ['--ro-bind', path, path] : ['--symlink', link, path],
  );
  return ['--ro-bind', '/usr', '/usr', ...top];
}

/** What bwrap gets that builds the sandbox itself. Runs as an unprivileged user, on every host. */
export function innerArguments(
  spec: SandboxSpec,
  layout: HostLayout,
  { locate, seccomp, staged }: { locate: Locate; seccomp: boolean; staged: boolean },
): string[] {
  const sizes = tmpfsSizes(spec.limits.memoryBytes);
  // Nothing can be made in the system's /usr: without a /usr/local what belongs there is left out.
  const mounts = spec.mounts.filter(({ target }) => layout.hasUsrLocal || !target.startsWith('/usr/local/'));
  const targets = mounts.map((mount) => mount.target);
  return [
    ...['--unshare-user', '--unshare-pid', '--unshare-net', '--unshare-ipc', '--unshare-uts', '--unshare-cgroup-try'],
    ...['--disable-userns', '--uid', '1000', '--gid', '1000', '--hostname', 'sandbox'],
    ...['--die-with-parent', '--new-session', '--cap-drop', 'ALL', '--clearenv'],
    // In a second stage bwrap's own number isn't the one that /proc has, and it would fail on looking itself up.
    ...(staged ? [] : ['--json-status-fd', String(FD.status)]),
    ...['--block-fd', String(FD.gate)],
    ...(seccomp ? ['--seccomp', String(FD.seccomp)] : []),
    ...systemFolders(layout),
    ...(layout.hasUsrLocal ? [...tmpfs(MiB, '0755', '/usr/local'), '--perms', '0755', '--dir', '/usr/local/bin'] : []),
    ...['/etc', '/home', '/run', '/var'].flatMap((folder) => ['--perms', '0755', '--dir', folder]),
    ...layout.etc.flatMap((file) => ['--ro-bind-try', locate(file, 'ro'), file]),
    ...layout.generated.flatMap(({ source, target }) => ['--ro-bind', locate(source, 'ro'), target]),
    ...['--proc', '/proc'],
    ...layout.masked.flatMap((file) => ['--ro-bind', '/dev/null', file]),
    ...['--dev', '/dev', ...tmpfs(sizes.shm, '1777', '/dev/shm'), '--remount-ro', '/dev'],
    ...tmpfs(sizes.tmp, '1777', '/tmp'),
    ...(targets.includes('/home/node') ? [] : tmpfs(sizes.home, '0700', '/home/node')),
    ...mountSteps(mounts).flatMap(({ source, below, mode, target }) => [
      mode === 'ro' ? '--ro-bind' : '--bind',
      below === '' ? locate(source, mode) : `${locate(source, mode)}/${below}`,
      target,
    ]),
    ...(layout.hasUsrLocal ? ['--remount-ro', '/usr/local'] : []),
    ...Object.entries(spec.env).flatMap(([name, value]) => ['--setenv', name, value]),
    // Not in a folder of the agent's: runtimes read their settings (bunfig.toml, .env) from where they start.
    ...['--chdir', '/', '--remount-ro', '/'],
  ];
}

/**
 * The first stage of a root host: real root, no user namespace, nothing of the agent's. It only puts the sources where an
 * unprivileged user reaches them, whatever folders they lie in.
 */
export function stagingArguments(
  spec: SandboxSpec,
  layout: HostLayout,
  bwrap: string,
): { args: string[]; locate: Locate } {
  const sources = [
    ...layout.etc.map((source) => ({ source, mode: 'ro' as const })),
    ...layout.generated.map(({ source }) => ({ source, mode: 'ro' as const })),
    ...spec.mounts,
  ];
  const places = new Map(sources.map(({ source, mode }, index) => [`${mode} ${source}`, `/mnt/${index}`]));
  return {
    args: [
      // Its process namespace is what dies with the host: a parent's death is a signal, and the first stage may send none to
      // the sandbox's uid, having given up the right to.
      ...['--die-with-parent', '--unshare-pid', '--clearenv', '--cap-drop', 'ALL'],
      ...['--json-status-fd', String(FD.status)],
      ...['SETUID', 'SETGID', 'SETPCAP', 'SYS_ADMIN'].flatMap((name) => ['--cap-add', `CAP_${name}`]),
      ...systemFolders(layout),
      ...(bwrap.startsWith('/usr/') ? [] : ['--ro-bind', bwrap, bwrap]),
      // Only a place: see `dropPrivileges`.
      ...['--dir', '/proc', '--dev', '/dev'],
      ...['/tmp', '/mnt'].flatMap((folder) => ['--perms', '0755', '--dir', folder]),
      ...[...places].flatMap(([key, place]) => [key.startsWith('ro ') ? '--ro-bind' : '--bind', key.slice(3), place]),
      ...['--chdir', '/', '--remount-ro', '/'],
    ],
    locate: (source, mode) => places.get(`${mode} ${source}`) ?? source,
  };
}

/**
 * Between the stages: a /proc of this process namespace, whole, since over one that is covered in places, as bwrap's own, the
 * kernel refuses the sandbox a fresh one, and in another's bwrap would look itself up in vain. Then the sandbox's uid, for good.
 */
export function dropPrivileges(unshare: string, setpriv: string, uid: number): string[] {
  const id = String(uid);
  return [
    ...[unshare, '--mount-proc', '--'],
    ...[setpriv, '--reuid', id, '--regid', id, '--clear-groups', '--inh-caps=-all', '--bounding-set=-all', '--'],
  ];
}

/**
 * Waits for the host's word: bwrap takes a closed gate for an open one, so that what a host
 * had begun to start when it was killed would run on, in no limits, and beside the next host's.
 */
const WAIT = ['/bin/sh', '-c', `read -r go <&${FD.go} && exec ${FD.go}<&- && exec "$@"`, 'sh'];

/** The first command inside. Set in there, the process limit counts this user namespace alone, whoever owns the uid outside. */
export function insideCommand(
  prlimit: string,
  limits: SandboxLimits,
  hard: HardLimits,
  command: readonly string[],
): string[] {
  return [
    ...WAIT,
    prlimit,
    `--nproc=${Math.min(limits.pids, hard.processes)}`,
    `--fsize=${Math.min(limits.fileSizeBytes, hard.fileSize)}`,
    `--nofile=${Math.min(OPEN_FILES, hard.openFiles)}`,
    '--core=0',
    ...command,
  ];
}

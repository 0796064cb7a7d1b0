import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { until } from '../../test/support/until.ts';

/** A real systemd as process 1 of a private system, over this machine's files: see testing/boot-systemd.sh. */

const CODE = join(import.meta.dirname, '..', '..');
const BOOT = join(import.meta.dirname, 'testing', 'boot-systemd.sh');
const LABEL = `nanoclaw-test-${process.pid}`;
const DEADLINE_MS = 60_000;

function whyNot(): string | false {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return 'it needs root on Linux';
  if (!existsSync('/lib/systemd/systemd')) return 'systemd is not on this machine';
  const { status } = spawnSync('unshare', ['--pid', '--mount', '--fork', '--cgroup', 'true']);
  return status === 0 ? false : 'this machine makes no namespaces';
}

interface Ran {
  status: number | null;
  stdout: string;
  stderr: string;
}

describe('under systemd', { skip: whyNot() }, () => {
  let system: ReturnType<typeof spawn>;
  let first = 0;

  before(async () => {
    system = spawn('bash', [BOOT, LABEL, CODE], { stdio: 'inherit' });
    await until(() => {
      // Before it becomes the one that waits for process 1, it has other children, each for a moment.
      first = childOf(system.pid);
      return first > 0 && /^(running|degraded)/.test(inside('systemctl', 'is-system-running').stdout);
    }, DEADLINE_MS);
  });

  after(async () => {
    // Process 1 takes all others of its system along, and goes with the one that made it.
    system.kill('SIGKILL');
    await until(() => system.exitCode !== null || system.signalCode !== null, DEADLINE_MS);
    await until(() => groups().every(removeGroups), DEADLINE_MS);
  });

  /** As root of that system, or as the user whose environment and id come first. */
  function inside(...command: string[]): Ran {
    const entered = ['-t', String(first), '-a', '-r', '--wd=/', ...command];
    return spawnSync('nsenter', entered, { encoding: 'utf8', timeout: DEADLINE_MS });
  }

  const unitOf = (text: string) => /nanoclaw-v2-[0-9a-f]{8}/.exec(text)?.[0] ?? 'none';

  async function killAndSee(as: (...command: string[]) => Ran, unit: string, systemctl: string[]): Promise<void> {
    const main = () => Number(as(...systemctl, 'show', '-P', 'MainPID', unit).stdout);
    const before = main();
    assert.match(as('ncl', 'chat', 'run echo before').stdout, /before/);
    as('kill', '-9', String(before));
    assert.match(as('ncl', 'chat', 'run echo after').stdout, /after/);
    assert.ok(main() > 0 && main() !== before);
    assert.equal(as('ncl', 'service', 'status').status, 0);

    assert.match(as('ncl', 'stop').stdout, /The host has stopped/);
    assert.equal(as(...systemctl, 'show', '-P', 'ActiveState', unit).stdout, 'inactive\n');
    assert.match(as('ncl', 'restart').stdout, /The host is running/);
    assert.equal(as(...systemctl, 'show', '-P', 'ActiveState', unit).stdout, 'active\n');
    assert.match(as('ncl', 'service', 'uninstall').stdout, /is uninstalled/);
    assert.equal(as(...systemctl, 'show', '-P', 'LoadState', unit).stdout, 'not-found\n');
  }

  test('root: a system unit, whose host is killed and comes back', async () => {
    const home = '/srv/nano claw 100%';
    inside('mkdir', '-p', home);
    const as = (...[program = '', ...args]: string[]) =>
      inside(
        'env',
        'HOME=/root',
        `NANOCLAW_HOME=${home}`,
        program === 'ncl' ? join(CODE, 'bin', 'ncl') : program,
        ...args,
      );
    as('ncl', 'init-first-agent', '--provider', 'demo');
    const installed = as('ncl', 'service', 'install');
    assert.match(installed.stdout, /is installed \(systemd system unit/, installed.stderr);
    assert.match(as('ncl', 'service', 'install').stdout, /nothing is changed/);
    assert.match(as('ncl', 'service', 'status').stdout, /survives a reboot +yes/);
    await killAndSee(as, unitOf(installed.stdout), ['systemctl']);
  });

  test('a user with lingering: a unit of their own', async () => {
    assert.equal(inside('useradd', '-m', 'someone').status, 0);
    assert.equal(inside('loginctl', 'enable-linger', 'someone').status, 0);
    const id = inside('id', '-u', 'someone').stdout.trim();
    await until(() => inside('test', '-S', `/run/user/${id}/systemd/private`).status === 0, DEADLINE_MS);
    const as = (...[program = '', ...args]: string[]) =>
      inside(
        ...['setpriv', '--reuid=someone', '--regid=someone', '--init-groups', 'env', 'HOME=/home/someone'],
        ...['NANOCLAW_HOME=/home/someone/nc', `XDG_RUNTIME_DIR=/run/user/${id}`],
        program === 'ncl' ? join(CODE, 'bin', 'ncl') : program,
        ...args,
      );
    as('mkdir', '/home/someone/nc');
    as('ncl', 'init-first-agent', '--provider', 'demo');
    const installed = as('ncl', 'service', 'install');
    assert.match(installed.stdout, /is installed \(systemd user unit, \/home\/someone\/\.config/, installed.stderr);
    assert.match(as('ncl', 'service', 'status').stdout, /survives a logout +yes: lingering is on/);
    await killAndSee(as, unitOf(installed.stdout), ['systemctl', '--user']);
  });
});

/** 0 when it has none. */
function childOf(parent: number | undefined): number {
  const pids = readdirSync('/proc').map(Number).filter(Number.isInteger);
  return pids.find((pid) => parentOf(pid) === parent) ?? 0;
}

function parentOf(pid: number): number {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
  } catch {
    // It has ended meanwhile.
    return 0;
  }
}

/** The groups that were made for it, one in each hierarchy. */
function groups(): string[] {
  return readFileSync('/proc/self/mounts', 'utf8')
    .split('\n')
    .map((line) => line.split(' '))
    .filter(([, , type]) => type === 'cgroup' || type === 'cgroup2')
    .map(([, folder = '']) => join(folder, LABEL))
    .filter(existsSync);
}

/** From the leaves up; false while a process is still on its way out. */
function removeGroups(folder: string): boolean {
  const below = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  for (const { name } of below) removeGroups(join(folder, name));
  try {
    rmdirSync(folder);
    return true;
  } catch {
    return false;
  }
}

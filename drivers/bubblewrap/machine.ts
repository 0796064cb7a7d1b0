/** Finds out what this machine has: executables, versions, rights. The reading half of a diagnosis. */
import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, readFileSync, realpathSync } from 'node:fs';
import { SYSCTLS, type SysctlName } from './symptoms.ts';

export interface Machine {
  bwrap: string | null;
  setpriv: string | null;
  unshare: string | null;
  prlimit: string | null;
  version: string | null;
  root: boolean;
  /** Real root that may mount: then sources are staged. Root without it (some containers) has to do with its reach. */
  canStage: boolean;
  inContainer: boolean;
  sysctls: Readonly<Record<SysctlName, string | null>>;
}

const FOLDERS = ['/usr/bin', '/bin', '/usr/sbin', '/sbin', '/usr/local/bin'];
const CAP_SYS_ADMIN = 1n << 21n;

export function readMachine(bwrapPath: string | undefined): Machine {
  const status = readFileSync('/proc/self/status', 'utf8');
  const bwrap = bwrapPath === undefined ? find('bwrap') : executable(bwrapPath);
  const root = process.geteuid?.() === 0;
  const capabilities = BigInt(`0x${/^CapEff:\s+([0-9a-f]+)$/m.exec(status)?.[1] ?? '0'}`);
  return {
    bwrap,
    setpriv: find('setpriv'),
    unshare: find('unshare'),
    prlimit: find('prlimit'),
    version: bwrap && parseVersion(spawnSync(bwrap, ['--version'], { env: {}, encoding: 'utf8' }).stdout),
    root,
    canStage: root && (capabilities & CAP_SYS_ADMIN) !== 0n,
    inContainer: existsSync('/.dockerenv') || existsSync('/run/.containerenv'),
    sysctls: { apparmor: setting('apparmor'), clone: setting('clone'), max: setting('max') },
  };
}

export function missingTools(machine: Machine): string[] {
  return [
    ...(machine.bwrap ? [] : ['bubblewrap']),
    ...(machine.prlimit ? [] : ['prlimit']),
    ...(machine.setpriv || !machine.canStage ? [] : ['setpriv']),
    ...(machine.unshare || !machine.canStage ? [] : ['unshare']),
  ];
}

export function parseVersion(text: string | null): string | null {
  return /bubblewrap (\d+\.\d+(?:\.\d+)?)/.exec(text ?? '')?.[1] ?? null;
}

function find(name: string): string | null {
  return FOLDERS.map((folder) => executable(`${folder}/${name}`)).find((path) => path !== null) ?? null;
}

function executable(path: string): string | null {
  try {
    accessSync(path, constants.X_OK);
    return realpathSync(path);
  } catch {
    return null; // not there, or not for us: the same for the caller
  }
}

function setting(name: SysctlName): string | null {
  return existsSync(SYSCTLS[name]) ? readFileSync(SYSCTLS[name], 'utf8').trim() : null;
}

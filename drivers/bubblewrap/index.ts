/** The bubblewrap driver: Linux without a container engine. No daemon, milliseconds, and it dies with the host. */
import { existsSync, mkdirSync, realpathSync } from 'node:fs';
import path from 'node:path';
import { errorText, NanoError } from '../../src/errors.ts';
import type { DriverDeclaration, Sandbox, SandboxDriver, SandboxSpec } from '../../src/sandbox/driver.ts';
import { isSandboxUid, readUidMap, sandboxUid } from '../../src/sandbox/uid.ts';
import { writeIfOther } from '../files.ts';
import { readHardLimits } from '../hard-limits.ts';
import { ensureMountPoint, refuseMounted, refuseSource } from '../mount-points.ts';
import { mountPoints } from '../mounts.ts';
import { refuseSpec } from '../spec.ts';
import { TRIAL_LIMITS, TRIAL_SCRIPT } from '../trial.ts';
import { dropPrivileges, innerArguments, insideCommand, stagingArguments } from './arguments.ts';
import { judge } from './declaration.ts';
import { inheritedDescriptors } from './inherited.ts';
import { gone, type Launched, launch } from './launch.ts';
import { readLayout } from './layout.ts';
import { chooseLimits } from './limits/index.ts';
import { type Machine, missingTools, readMachine } from './machine.ts';
import { identify, nameOf, runsStill, STARTER, strays } from './processes.ts';
import { encode, seccompMachine, seccompProgram } from './seccomp.ts';
import { diagnose, isTooOld } from './symptoms.ts';

export interface BubblewrapOptions {
  /** Names everything that outlives a crash: `nanoclaw-<slug>`. */
  slug: string;
  /** A folder on the host for small generated files; made if it isn't there. */
  stateDir: string;
  /** Looked for in the usual folders unless given. */
  bwrapPath?: string;
  log: (message: string, fields?: Readonly<Record<string, unknown>>) => void;
  /** For measurements: root hosts stage their sources unless this is false. */
  staged?: boolean;
}

const SWEEP_ROUNDS = 10;
const SECOND_LOOK_MS = 1_000;
const START_TIMEOUT_MS = 20_000;
const PROBE_ORDINAL = 999;

/** Call it on the main thread: a sandbox dies with the thread that started it. */
export function createBubblewrapDriver(options: BubblewrapOptions): SandboxDriver {
  const label = `nanoclaw-${options.slug}`;
  const name = ['--setenv', 'LABEL', label];
  const self = nameOf(identify(process.pid) ?? { pid: process.pid, startTime: '' });
  let started = 0;
  let prepared: ReturnType<typeof prepare> | undefined;
  let declaration: Promise<DriverDeclaration> | undefined;
  const preparation = (): ReturnType<typeof prepare> => {
    prepared ??= prepare(options, label);
    return prepared;
  };

  async function start(spec: SandboxSpec): Promise<Launched> {
    const refused = refuseSpec(spec);
    if (refused) throw new NanoError('NC_SANDBOX_START', refused);
    const { machine, layout, limits, hard, inherited, seccompFile, tools } = preparation();
    try {
      for (const { source } of machine.canStage ? spec.mounts : []) {
        const reason = refuseSource(source, spec.uid);
        if (reason) throw new NanoError('NC_SANDBOX_START', reason);
      }
      for (const point of mountPoints(spec.mounts)) ensureMountPoint(point);
    } catch (error) {
      if (error instanceof NanoError) throw error;
      throw new NanoError('NC_SANDBOX_START', errorText(error), { cause: error });
    }
    const staging = machine.canStage ? stagingArguments(spec, layout, tools.bwrap) : null;
    // What names the install is read by `sweep` alone: the arguments that follow clear the environment.
    const named = [tools.bwrap, ...name, ...STARTER, self];
    const inside = ['--args', '5', '--', ...insideCommand(tools.prlimit, spec.limits, hard, spec.command)];
    const outer = [
      ...named,
      '--args',
      '7',
      '--',
      ...dropPrivileges(tools.unshare, tools.setpriv, spec.uid),
      tools.bwrap,
    ];
    // A number of its own: the group of an earlier sandbox of this session may still be going away.
    const id = `${spec.sessionId}.${self}.${++started}`;
    return launch({
      sessionId: spec.sessionId,
      commandLine: [...(staging ? outer : named), ...inside],
      innerArguments: innerArguments(spec, layout, {
        locate: staging?.locate ?? ((source) => source),
        seccomp: seccompFile !== null,
        staged: staging !== null,
      }),
      outerArguments: staging?.args ?? null,
      spawnUid: machine.root && !staging ? spec.uid : null,
      seccompFile,
      inherited,
      logFile: spec.logFile,
      group: limits.open(id, spec.limits),
      refuse: (pid) => refuseMounted(spec.mounts, pid),
      timeoutMs: START_TIMEOUT_MS,
    });
  }

  async function declare(): Promise<DriverDeclaration> {
    let machine: Machine | undefined;
    let output = '';
    try {
      machine = readMachine(options.bwrapPath);
      const { limits, seccompName } = preparation();
      const wantedUid = machine.root
        ? sandboxUid(options.slug, PROBE_ORDINAL, readUidMap())
        : (process.geteuid?.() ?? -1);
      const sandbox = await start({
        sessionId: 'trial',
        uid: wantedUid,
        command: ['/bin/sh', '-c', TRIAL_SCRIPT],
        env: { PATH: '/usr/bin:/bin' },
        mounts: [],
        limits: TRIAL_LIMITS,
        logFile: path.join(options.stateDir, 'trial.log'),
      });
      const { code, lastLines } = await sandbox.exited;
      output = lastLines.join('\n');
      const trial = {
        lines: lastLines,
        hostUid: sandbox.uid,
        wantedUid,
        code,
        limits,
        seccompMachine: seccompName,
        label,
      };
      if (code === 0) return judge({ ...trial, staged: machine.canStage });
    } catch (error) {
      output = error instanceof NanoError ? (error.detail ?? '') : errorText(error);
    }
    options.log('no sandbox can be started', { output });
    return {
      driver: 'bubblewrap',
      usable: false,
      ...explain(machine ?? readMachine(options.bwrapPath), output),
      guarantees: [],
    };
  }

  /** Begun by a host that was killed before it had put them into a group: they run nothing, and wait for ever. */
  async function endStrays(): Promise<void> {
    const { tools } = preparation();
    // A shell closes inherited descriptors first, and becomes bwrap then.
    const executables = [tools.bwrap, ...(existsSync('/bin/bash') ? [realpathSync('/bin/bash')] : [])];
    const stays = (error: unknown) => options.log("an earlier host's process stays", { error: errorText(error) });
    // Again, since one may have forked while it was looked for.
    for (let round = 0; round < SWEEP_ROUNDS; round += 1) {
      const found = strays(name, executables, isSandboxUid);
      if (found.length === 0) break;
      for (const stray of found) await gone(stray).catch(stays);
    }
  }

  return {
    name: 'bubblewrap',
    declare() {
      declaration ??= declare();
      return declaration;
    },
    start: (spec: SandboxSpec): Promise<Sandbox> => start(spec),
    // They died with it.
    adopt: async () => [],
    async sweep() {
      const { limits } = preparation();
      await endStrays();
      // One that was about to become bwrap when its host was killed had not yet our words on its command line.
      setTimeout(() => void endStrays(), SECOND_LOOK_MS).unref();
      const left = await limits.sweep((id) => runsStill(id.split('.').at(-2)));
      if (left > 0) options.log('ended what an earlier host left', { groups: left });
      return left;
    },
  };
}

function explain(machine: Machine, output: string): { reason: string; remedy: string } {
  return diagnose({ ...machine, missing: missingTools(machine), output });
}

/** Once, at the first use. Throws NC_SANDBOX_UNUSABLE when something is missing that can't be done without. */
function prepare(options: BubblewrapOptions, label: string) {
  const found = readMachine(options.bwrapPath);
  const machine = { ...found, canStage: found.canStage && options.staged !== false };
  const { bwrap, prlimit, setpriv, unshare } = machine;
  if (!bwrap || !prlimit || missingTools(machine).length > 0 || isTooOld(machine.version)) {
    const { reason, remedy } = explain(machine, '');
    throw new NanoError('NC_SANDBOX_UNUSABLE', `${reason} ${remedy}`);
  }
  mkdirSync(options.stateDir, { recursive: true });
  const seccompName = seccompMachine(process.arch);
  const seccompFile = seccompName === null ? null : path.join(options.stateDir, `seccomp-${seccompName}.bpf`);
  if (seccompName !== null && seccompFile !== null) writeIfOther(seccompFile, encode(seccompProgram(seccompName)));
  const inherited = inheritedDescriptors();
  if (inherited.length > 0 && !existsSync('/bin/bash')) {
    throw new NanoError(
      'NC_SANDBOX_UNUSABLE',
      'The host was started with open descriptors, and closing them needs bash.',
    );
  }
  return {
    machine,
    tools: { bwrap, prlimit, setpriv: setpriv ?? 'setpriv', unshare: unshare ?? 'unshare' },
    layout: readLayout(options.stateDir),
    limits: chooseLimits(label),
    hard: readHardLimits(),
    inherited,
    seccompName,
    seccompFile,
  };
}

/** What a sandbox driver is to the rest of the host. Nothing above `src/sandbox/` knows which one runs. */

export interface Mount {
  /** Absolute path on the host; a folder or a regular file, never below a tree that an agent may write. */
  source: string;
  /** Absolute path inside. */
  target: string;
  mode: 'ro' | 'rw';
  /** `<device>:<inode>` of what has to be there: a source that is another one by now must not be started with. */
  identity?: string;
}

export interface SandboxLimits {
  memoryBytes: number;
  cpus: number;
  pids: number;
  /** The largest file that a process inside may write. */
  fileSizeBytes: number;
}

export interface SandboxSpec {
  sessionId: string;
  /** The uid on the host that everything inside runs as; a driver ignores it when the host itself is unprivileged. */
  uid: number;
  /** The first is an absolute path inside. */
  command: readonly string[];
  /** All of the environment inside. */
  env: Readonly<Record<string, string>>;
  /** In any order; a driver mounts parents before what is nested in them. */
  mounts: readonly Mount[];
  limits: SandboxLimits;
  /** Where the sandbox's own output goes, on the host, rotated by the driver. */
  logFile: string;
}

export interface SandboxExit {
  /** The exit code of the command; 128 + n after signal n; null when the sandbox itself was killed. */
  code: number | null;
  /** True when the kernel or a watchdog ended something in it for want of memory. */
  outOfMemory: boolean;
  /** The last lines of its output, for a notice and for `ncl logs`. */
  lastLines: readonly string[];
}

export interface Sandbox {
  readonly sessionId: string;
  /** Never rejects. */
  readonly exited: Promise<SandboxExit>;
  /** Asks with SIGTERM, kills what is left after `graceMs`. Resolves when nothing of it runs any more. Idempotent. */
  stop(graceMs: number): Promise<SandboxExit>;
}

/** How a sandbox reaches the relay: by the Unix socket that is mounted, or by TCP that arrives at this place of the host's. */
export type Transport = 'socket' | { host: string; port: number };

/** One line of a driver's declaration: what it guarantees on this machine, and by which means. */
export interface Guarantee {
  /** A fixed name: `user`, `capabilities`, `nested-namespaces`, `no-new-privileges`, `read-only-root`, `private-tmp`,
   * `init`, `pids`, `memory`, `cpu`, `seccomp`, `file-size`, `logs`, `label`, `transport`, `network`. */
  name: string;
  held: boolean;
  /** The means ("cgroup v1", "RLIMIT_NPROC in the user namespace"), or why it isn't held. */
  how: string;
  /** What the owner can do when it isn't held. */
  remedy?: string;
}

export interface DriverDeclaration {
  driver: string;
  /** False: no sandbox can be started on this machine; `reason` and `remedy` say why and what to do. */
  usable: boolean;
  reason?: string;
  remedy?: string;
  guarantees: readonly Guarantee[];
}

export interface SandboxDriver {
  readonly name: string;
  /** Tries the machine, by starting a real sandbox. Costs some 50 ms; the answer is kept. */
  declare(): Promise<DriverDeclaration>;
  /** For a session's sandbox that runs, else for the one that would be started now. Left out: `socket`. */
  transport?(sessionId: string): Promise<Transport>;
  /** Starts one. Rejects with a NanoError (NC_SANDBOX_…) when it can't; then nothing of it is left. */
  start(spec: SandboxSpec): Promise<Sandbox>;
  /** Takes over what an earlier host of this install left running: from then on as if started here. Call it before `sweep`. */
  adopt(): Promise<readonly Sandbox[]>;
  /** Ends whatever a crashed host of this install left behind and nobody adopted. Returns how many. */
  sweep(): Promise<number>;
}

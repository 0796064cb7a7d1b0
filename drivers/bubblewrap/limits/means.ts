/** One way to hold a sandbox to its memory, CPU and process limits. */
import type { SandboxLimits } from '../../../src/sandbox/driver.ts';
import type { ProcessId } from '../processes.ts';

export type Resource = 'memory' | 'cpu' | 'pids';

export interface LimitGroup {
  /** Goes before the command line of the sandbox. */
  readonly prefix: readonly string[];
  /** What the prefix needs of the environment; it never reaches the sandbox. */
  readonly env: Readonly<Record<string, string>>;
  /** Takes the sandbox's first process in, before anything of the agent's runs. */
  enter(first: ProcessId): void;
  /** True once something was ended for want of memory. */
  isOutOfMemory(): boolean;
  /** After the last process. Idempotent. */
  release(): Promise<void>;
}

export interface LimitMeans {
  readonly name: 'cgroup v2' | 'systemd scope' | 'cgroup v1' | 'watchdog';
  readonly holds: ReadonlySet<Resource>;
  open(id: string, limits: SandboxLimits): LimitGroup;
  /** Ends what processes of this install left; `isInUse` tells the groups whose starter still runs. Returns how many it ended. */
  sweep(isInUse: (id: string) => boolean): Promise<number>;
}

import type { Session } from './db/sessions.ts';
import { type ErrorCode, errorText, NanoError } from './errors.ts';
import type { Failure, FailureKind } from './failures.ts';
import type { Logger } from './log/index.ts';
import type { Sandbox, SandboxDriver, SandboxExit, SandboxSpec } from './sandbox/driver.ts';

/** At most one sandbox for each session: starts it, knows it, ends it. */

export interface ContainerRunnerParts {
  driver: SandboxDriver;
  session(id: string): Session | undefined;
  /** Folders, inbound.db, settings, the relay's socket: everything that a start needs. */
  prepare(session: Session): Promise<SandboxSpec>;
  /** Its box is watched from here on. */
  onStarted(session: Session): void;
  /** Called once for each start that failed. */
  onStartFailed(session: Session, failure: Failure): void;
  /** The sandbox is gone; `planned` when the host ended it. Awaited before the session may start again. */
  onExit(session: Session, exit: SandboxExit, planned: string | undefined): Promise<void>;
  log: Logger;
}

export interface RunningSandbox {
  sessionId: string;
  startedAt: number;
  phase: 'starting' | 'running' | 'stopping';
}

export interface ContainerRunner {
  /** A hundred concurrent calls start one sandbox. Resolves when it runs, or when its start has failed and was reported. */
  wake(sessionId: string): Promise<void>;
  has(sessionId: string): boolean;
  list(): RunningSandbox[];
  /** Ends it on purpose; `reason` is for the log and for `onExit`. */
  stop(sessionId: string, graceMs: number, reason: string): Promise<void>;
  /** Ends all and takes no more wakes. */
  stopAll(graceMs: number, reason: string): Promise<void>;
}

interface Entry {
  session: Session;
  phase: RunningSandbox['phase'];
  startedAt: number;
  started: Promise<void>;
  ended: Promise<void>;
  sandbox: Sandbox | undefined;
  planned: string | undefined;
}

export function createContainerRunner(parts: ContainerRunnerParts): ContainerRunner {
  const { driver, log } = parts;
  const entries = new Map<string, Entry>();
  let closed = false;

  async function run(entry: Entry, markStarted: () => void): Promise<void> {
    const { session } = entry;
    const fields = { session: session.id, agent: session.agentGroupId };
    try {
      const spec = await parts.prepare(session);
      const sandbox = await driver.start(spec);
      entry.sandbox = sandbox;
      entry.phase = entry.planned === undefined ? 'running' : 'stopping';
      log.info('sandbox started', { ...fields, ms: Date.now() - entry.startedAt });
      parts.onStarted(session);
      markStarted();
      if (entry.planned !== undefined) void sandbox.stop(0);
      const exit = await sandbox.exited;
      const level = entry.planned === undefined ? 'warn' : 'info';
      log[level]('sandbox ended', {
        ...fields,
        code: exit.code,
        outOfMemory: exit.outOfMemory,
        planned: entry.planned,
        ...(entry.planned === undefined && { lastLines: exit.lastLines.slice(-5) }),
      });
      await parts.onExit(session, exit, entry.planned);
    } catch (error) {
      log.error('sandbox failed', { ...fields, error });
      parts.onStartFailed(session, startFailure(error));
    } finally {
      entries.delete(session.id);
      markStarted();
    }
  }

  async function stop(sessionId: string, graceMs: number, reason: string): Promise<void> {
    const entry = entries.get(sessionId);
    if (!entry) return;
    entry.planned ??= reason;
    if (entry.phase === 'running') entry.phase = 'stopping';
    await entry.sandbox?.stop(graceMs);
    await entry.ended;
  }

  return {
    async wake(sessionId) {
      const existing = entries.get(sessionId);
      if (existing) return existing.started;
      const session = parts.session(sessionId);
      if (!session || closed) return;
      let markStarted = () => {};
      const started = new Promise<void>((resolve) => {
        markStarted = resolve;
      });
      const entry: Entry = {
        session,
        phase: 'starting',
        startedAt: Date.now(),
        started,
        ended: Promise.resolve(),
        sandbox: undefined,
        planned: undefined,
      };
      entries.set(sessionId, entry);
      entry.ended = run(entry, markStarted);
      return started;
    },
    has: (sessionId) => entries.has(sessionId),
    list: () =>
      [...entries.values()].map(({ session, phase, startedAt }) => ({ sessionId: session.id, phase, startedAt })),
    stop,
    async stopAll(graceMs, reason) {
      closed = true;
      await Promise.all([...entries.keys()].map((id) => stop(id, graceMs, reason)));
    },
  };
}

const KINDS: Partial<Record<ErrorCode, FailureKind>> = {
  NC_SANDBOX_UNUSABLE: 'sandbox-unusable',
  NC_PROVIDER_MISSING: 'provider-missing',
  NC_CREDENTIAL_MISSING: 'credential-missing',
};

function startFailure(error: unknown): Failure {
  const kind = (error instanceof NanoError && KINDS[error.code]) || 'sandbox-start';
  return { kind, retryable: kind === 'sandbox-start', message: errorText(error) };
}

import { faultPoint } from '@nanoclaw/protocol';
import type { Session } from './db/sessions.ts';
import { type Failure, startFailure } from './failures.ts';
import type { Logger } from './log/index.ts';
import type { Sandbox, SandboxDriver, SandboxExit, SandboxSpec } from './sandbox/driver.ts';
import { nextInLine, type Waiter } from './sandbox-queue.ts';

/** At most one sandbox for each session, and no more at once than there are places: starts it, knows it, ends it. */

export interface ContainerRunnerParts {
  driver: SandboxDriver;
  places: number;
  session(id: string): Session | undefined;
  /** False when what it waited for has ended meanwhile. */
  isDue(sessionId: string): boolean;
  /** Folders, inbound.db, settings, the relay's socket: everything that a start needs. */
  prepare(session: Session): Promise<SandboxSpec>;
  /** What one needs of a new host that runs already: the relay's socket. */
  reopen(session: Session): Promise<void>;
  /** Its box is watched from here on. */
  onStarted(session: Session, adopted: boolean): void;
  /** Called once for each start that failed. */
  onStartFailed(session: Session, failure: Failure): void;
  /** No place is free for the ones that wait. */
  onFull(): void;
  /** The sandbox is gone; `planned` when the host ended it. Awaited before the session may start again. */
  onExit(session: Session, exit: SandboxExit, planned: PlannedEnd | undefined): Promise<void>;
  log: Logger;
}

export interface PlannedEnd {
  reason: string;
  /** Which tool hung, say. */
  detail?: string | undefined;
}

export interface RunningSandbox {
  sessionId: string;
  agentGroupId: string;
  /** In ms since the epoch. */
  startedAt: number;
  phase: 'starting' | 'running' | 'stopping';
}

export interface ContainerRunner {
  /**
   * A hundred concurrent calls start one sandbox. Resolves when it runs, when its start has failed and was reported, or
   * when it has to wait for a place.
   */
  wake(sessionId: string): Promise<void>;
  /** One that an earlier host started goes on as if it had been started here, or ends at once: its session may be gone. */
  adopt(sandbox: Sandbox): Promise<void>;
  has(sessionId: string): boolean;
  list(): RunningSandbox[];
  waiting(): Waiter[];
  /** What it waited for has ended. */
  forget(sessionId: string): void;
  /** Ends it on purpose; `reason` and `detail` are for the log and for `onExit`. */
  stop(sessionId: string, graceMs: number, reason: string, detail?: string): Promise<void>;
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
  planned: PlannedEnd | undefined;
}

export function createContainerRunner(parts: ContainerRunnerParts): ContainerRunner {
  const { driver, log } = parts;
  const entries = new Map<string, Entry>();
  const queue = new Map<string, Waiter>();
  let closed = false;

  async function start(entry: Entry, running?: Sandbox): Promise<Sandbox | undefined> {
    const { session } = entry;
    try {
      await (running && parts.reopen(session));
      const sandbox = running ?? (await driver.start(await parts.prepare(session)));
      faultPoint('sandbox.started');
      entry.sandbox = sandbox;
      entry.phase = entry.planned === undefined ? 'running' : 'stopping';
      log.info(running ? 'sandbox adopted' : 'sandbox started', {
        ...idsOf(session),
        ms: Date.now() - entry.startedAt,
      });
      parts.onStarted(session, running !== undefined);
      return sandbox;
    } catch (error) {
      const failure = startFailure(error);
      // An image that is being made is there in a while.
      if (failure.kind === 'sandbox-image') log.info('sandbox waits', { ...idsOf(session), reason: failure.message });
      else log.error('sandbox did not start', { ...idsOf(session), error });
      // What it has said comes first, when its last words are taken up; then a start of its own says what is wrong.
      if (running) await running.stop(0);
      else parts.onStartFailed(session, failure);
      return undefined;
    }
  }

  async function run(entry: Entry, markStarted: () => void, running?: Sandbox): Promise<void> {
    const { session } = entry;
    try {
      const sandbox = await start(entry, running);
      markStarted();
      if (!sandbox) return;
      if (entry.planned !== undefined) void sandbox.stop(0);
      const exit = await sandbox.exited;
      const { planned } = entry;
      log[planned === undefined ? 'warn' : 'info']('sandbox ended', {
        ...idsOf(session),
        code: exit.code,
        outOfMemory: exit.outOfMemory,
        planned: planned?.reason,
        ...(planned === undefined && { lastLines: exit.lastLines }),
      });
      await parts.onExit(session, exit, planned);
    } catch (error) {
      // What is still open is taken up by the sweep, or by the next host.
      log.error('the end of a sandbox was not settled', { ...idsOf(session), error });
    } finally {
      entries.delete(session.id);
      markStarted();
      startNext();
    }
  }

  function begin(session: Session, running?: Sandbox): Promise<void> {
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
    entries.set(session.id, entry);
    entry.ended = run(entry, markStarted, running);
    return started;
  }

  function startNext(): void {
    while (!closed && entries.size < parts.places) {
      const next = nextInLine([...queue.values()], list());
      if (!next) return;
      queue.delete(next.sessionId);
      const session = parts.session(next.sessionId);
      if (!session || !parts.isDue(session.id)) continue;
      log.info('a place is free', { ...idsOf(session), waitedMs: Math.round(performance.now() - next.since) });
      void begin(session);
    }
  }

  function list(): RunningSandbox[] {
    return [...entries.values()].map(({ session, phase, startedAt }) => ({
      sessionId: session.id,
      agentGroupId: session.agentGroupId,
      phase,
      startedAt,
    }));
  }

  async function stop(sessionId: string, graceMs: number, reason: string, detail?: string): Promise<void> {
    const entry = entries.get(sessionId);
    if (!entry) return;
    entry.planned ??= { reason, detail };
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
      if (entries.size < parts.places && queue.size === 0) return begin(session);
      // Each sweep wakes what is due; who waits already is looked after there.
      if (queue.has(sessionId)) return;
      queue.set(sessionId, { sessionId, agentGroupId: session.agentGroupId, since: performance.now() });
      log.info('waits for a place', { ...idsOf(session), running: entries.size, waiting: queue.size });
      startNext();
      if (queue.has(sessionId)) parts.onFull();
    },
    async adopt(sandbox) {
      const session = parts.session(sandbox.sessionId);
      if (session && !entries.has(session.id) && !closed) return begin(session, sandbox);
      await sandbox.stop(0);
    },
    has: (sessionId) => entries.has(sessionId),
    list,
    waiting: () => [...queue.values()],
    forget: (sessionId) => void queue.delete(sessionId),
    stop,
    async stopAll(graceMs, reason) {
      closed = true;
      await Promise.all([...entries.keys()].map((id) => stop(id, graceMs, reason)));
    },
  };
}

function idsOf(session: Session): { session: string; agent: string } {
  return { session: session.id, agent: session.agentGroupId };
}

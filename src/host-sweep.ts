import type { Activity } from './activity.ts';
import type { ContainerRunner } from './container-runner.ts';
import type { Messages } from './db/messages.ts';

/** Settles what time or failure left open: retries that are due, sandboxes that nobody needs, runners and tools that hang. */

export const IDLE_STOP_MS = 10 * 60_000;
export const TURN_CEILING_MS = 30 * 60_000;
/** For as long, and no longer, what nobody waits for keeps its sandbox: work behind the turns, or what its agent only says is work. */
export const BACKGROUND_CEILING_MS = 2 * 60 * 60_000;
/** A runner touches its heartbeat every second; this long without means that its loop is dead. */
export const HEARTBEAT_DEAD_MS = 60_000;
/** A runner takes what is due within milliseconds, unless a turn runs. */
export const UNCLAIMED_MS = 60_000;
/** A turn in which nothing moves and nothing runs that has declared how long it may take. */
export const NO_PROGRESS_MS = 60_000;
/** The runner ends a tool at its own timeout; the host only where that did not help. */
export const TOOL_GRACE_MS = 30_000;
/** The entry for a wait for the model: it may take long in all, but not long without a word. */
export const MODEL_TOOL = 'model';
const GRACE_MS = 10_000;

export type StopReason = 'idle' | 'heartbeat' | 'ceiling' | 'unclaimed' | 'no-progress' | 'tool' | 'background';
export type SweepDecision = { stop: false } | { stop: true; reason: StopReason; graceMs: number; detail?: string };

const STAY: SweepDecision = { stop: false };

/** Pure: is this sandbox to be ended? `.heartbeat` says that the loop lives, the tools what it does, `dueSince` what it leaves. */
export function decideStop(view: Activity, now: number): SweepDecision {
  if (now - (view.heartbeatAt ?? view.startedAt) > HEARTBEAT_DEAD_MS) {
    return { stop: true, reason: 'heartbeat', graceMs: 0 };
  }
  const { turnSince, dueSince } = view;
  if (turnSince !== null && (dueSince !== null || now - view.neededAt <= BACKGROUND_CEILING_MS)) {
    return decideTurn(view, turnSince, now);
  }
  if (dueSince === null) return decideIdle(view, now);
  if (now - Math.max(dueSince, view.startedAt, view.lastActivity) > UNCLAIMED_MS) {
    return { stop: true, reason: 'unclaimed', graceMs: 0 };
  }
  return STAY;
}

/** Nobody waits for it. */
function decideIdle(view: Activity, now: number): SweepDecision {
  if (now - Math.min(view.neededAt, oldestJob(view)) > BACKGROUND_CEILING_MS) {
    return { stop: true, reason: 'background', graceMs: GRACE_MS };
  }
  const isIdle = view.jobs.size === 0 && now - view.lastActivity > IDLE_STOP_MS;
  return isIdle ? { stop: true, reason: 'idle', graceMs: GRACE_MS } : STAY;
}

/** When the oldest of what goes on behind its turns began; infinite: nothing does. */
export function oldestJob({ jobs }: Activity): number {
  return Math.min(...[...jobs.values()].map(({ since }) => since));
}

function decideTurn({ tools, progressAt }: Activity, turnSince: number, now: number): SweepDecision {
  const running = [...tools.values()];
  const longest = Math.max(0, ...running.map((tool) => tool.declaredTimeoutMs ?? 0));
  if (now - turnSince > Math.max(TURN_CEILING_MS, longest + TOOL_GRACE_MS)) {
    return { stop: true, reason: 'ceiling', graceMs: GRACE_MS };
  }
  const hung = running.find(
    ({ name, since, declaredTimeoutMs }) =>
      name !== MODEL_TOOL && declaredTimeoutMs !== null && now - since > declaredTimeoutMs + TOOL_GRACE_MS,
  );
  if (hung) return { stop: true, reason: 'tool', graceMs: GRACE_MS, detail: hung.name };
  // A tool that declared nothing may take as long as a turn may.
  if (running.some(({ declaredTimeoutMs }) => declaredTimeoutMs === null)) return STAY;
  const patience = longest > 0 ? Math.max(NO_PROGRESS_MS, longest + TOOL_GRACE_MS) : NO_PROGRESS_MS;
  return now - progressAt > patience ? { stop: true, reason: 'no-progress', graceMs: GRACE_MS } : STAY;
}

export interface SweepParts {
  messages: Messages;
  runner: ContainerRunner;
  view(sessionId: string): Activity | undefined;
  wake(sessionId: string): void;
  /** It has something to do: after a pause or a start, its chat sees that again. */
  onDue(sessionId: string): void;
  onError(error: unknown): void;
}

/** One pass; called every second. `wall`: ms since the epoch; `now`: monotonic. */
export function sweep(parts: SweepParts, wall: number, now: number): void {
  const due = parts.messages.dueSessions(wall);
  const isDue = new Set(due);
  for (const { sessionId } of parts.runner.waiting()) if (!isDue.has(sessionId)) parts.runner.forget(sessionId);
  for (const id of due) {
    if (!parts.runner.has(id)) parts.wake(id);
    parts.onDue(id);
  }
  for (const { sessionId, phase } of parts.runner.list()) {
    if (phase !== 'running') continue;
    const view = parts.view(sessionId);
    const decision = view && decideStop(view, now);
    if (!decision?.stop) continue;
    parts.runner.stop(sessionId, decision.graceMs, decision.reason, decision.detail).catch(parts.onError);
  }
}

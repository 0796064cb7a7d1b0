import type { ContainerRunner } from './container-runner.ts';
import type { Messages } from './db/messages.ts';

/** Settles what time left open: retries that are due, sandboxes that nobody needs, runners that hang. */

export const IDLE_STOP_MS = 10 * 60_000;
export const TURN_CEILING_MS = 30 * 60_000;
/** A runner touches its heartbeat every second; this long without means that its loop is dead. */
export const HEARTBEAT_DEAD_MS = 60_000;
/** A runner takes what is due within milliseconds, unless a turn runs. */
export const UNCLAIMED_MS = 60_000;
const GRACE_MS = 10_000;

/** What is known of one running sandbox. Times in ms since the epoch. */
export interface SandboxView {
  startedAt: number;
  /** When it last took, read or wrote anything. */
  lastActivity: number;
  /** Null before its first heartbeat. */
  heartbeatAgeMs: number | null;
  turnSince: number | null;
  /** Since when the oldest message that it should have taken is due. */
  dueSince: number | null;
  /** The longest timeout that a running tool declared. */
  declaredTimeoutMs: number;
}

export type SweepDecision =
  | { stop: false }
  | { stop: true; reason: 'idle' | 'heartbeat' | 'ceiling' | 'unclaimed'; graceMs: number };

/** Pure: is this sandbox to be ended? */
export function decideStop(view: SandboxView, now: number): SweepDecision {
  const silentMs = view.heartbeatAgeMs ?? now - view.startedAt;
  if (silentMs > HEARTBEAT_DEAD_MS) return { stop: true, reason: 'heartbeat', graceMs: 0 };
  const ceiling = Math.max(TURN_CEILING_MS, view.declaredTimeoutMs);
  if (view.turnSince !== null && now - view.turnSince > ceiling)
    return { stop: true, reason: 'ceiling', graceMs: GRACE_MS };
  if (view.turnSince !== null) return { stop: false };
  if (view.dueSince === null) {
    return now - view.lastActivity > IDLE_STOP_MS ? { stop: true, reason: 'idle', graceMs: GRACE_MS } : { stop: false };
  }
  if (now - Math.max(view.dueSince, view.startedAt, view.lastActivity) > UNCLAIMED_MS) {
    return { stop: true, reason: 'unclaimed', graceMs: 0 };
  }
  return { stop: false };
}

export interface SweepParts {
  messages: Messages;
  runner: ContainerRunner;
  view(sessionId: string, now: number): SandboxView | undefined;
  wake(sessionId: string): void;
  onError(error: unknown): void;
}

/** One pass; called every second. */
export function sweep(parts: SweepParts, now: number): void {
  for (const id of parts.messages.dueSessions(now)) {
    if (!parts.runner.has(id)) parts.wake(id);
  }
  for (const { sessionId, phase } of parts.runner.list()) {
    if (phase !== 'running') continue;
    const view = parts.view(sessionId, now);
    const decision = view && decideStop(view, now);
    if (decision?.stop) parts.runner.stop(sessionId, decision.graceMs, decision.reason).catch(parts.onError);
  }
}

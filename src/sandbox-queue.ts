/** How many sandboxes run at once, who comes next when all places are taken, and who makes room. Pure. */

export interface Waiter {
  sessionId: string;
  agentGroupId: string;
  /** When it began to wait, in monotonic ms. */
  since: number;
}

export interface Occupant {
  sessionId: string;
  agentGroupId: string;
  /** False while it starts or ends, or works, or has something to take. */
  idle: boolean;
  /** By work behind its turns: that comes to no end because it is shown nothing new. */
  kept: boolean;
  stopping: boolean;
  startedAt: number;
  lastActivity: number;
}

export const LEAST_PLACES = 2;
/** Left for the host, the engine and the rest of the machine. */
const RESERVED_BYTES = 1024 ** 3;
/** Somebody who waits this long makes the one that has worked longest finish what it has, and go. */
export const PATIENCE_MS = 60_000;
export const TOLD_AFTER_MS = 5_000;

/** Places by memory, so that all sandboxes at their limit still fit; `setting` is the owner's word. */
export function places(memoryBytes: number, sandboxBytes: number, setting: string | undefined): number {
  const chosen = Number(setting);
  if (setting && Number.isInteger(chosen) && chosen >= 1) return chosen;
  return Math.max(LEAST_PLACES, Math.floor((memoryBytes - RESERVED_BYTES) / sandboxBytes));
}

/** The longest waiting session of the agent that has the fewest sandboxes, so that one with many chats starves nobody. */
export function nextInLine(
  waiting: readonly Waiter[],
  running: readonly { agentGroupId: string }[],
): Waiter | undefined {
  const held = (agent: string) => running.filter(({ agentGroupId }) => agentGroupId === agent).length;
  return [...waiting].sort((a, b) => held(a.agentGroupId) - held(b.agentGroupId) || a.since - b.since)[0];
}

/** Idle sandboxes to end for those who wait, the longest unused first. */
export function makeRoom(waiting: number, occupants: readonly Occupant[]): string[] {
  const leaving = occupants.filter(({ stopping }) => stopping).length;
  return occupants
    .filter(({ idle, stopping }) => idle && !stopping)
    .sort((a, b) => a.lastActivity - b.lastActivity)
    .slice(0, Math.max(0, waiting - leaving))
    .map(({ sessionId }) => sessionId);
}

/** Busy sandboxes that are to take nothing new, so that their turn comes to an end: one for each who waits too long. */
export function toYield(waiting: readonly Waiter[], occupants: readonly Occupant[], now: number): string[] {
  const late = waiting.filter(({ since }) => now - since > PATIENCE_MS).length;
  return occupants
    .filter(({ idle, kept, stopping, startedAt }) => !idle && !kept && !stopping && now - startedAt > PATIENCE_MS)
    .sort((a, b) => a.startedAt - b.startedAt)
    .slice(0, late)
    .map(({ sessionId }) => sessionId);
}

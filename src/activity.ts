import type { OutboundSnapshot } from './mailbox/outbound-reader.ts';

/**
 * What is known of each running sandbox. Every time here is monotonic, in ms, and of the host's own making: neither a clock
 * that is set nor an agent's idea of the time changes a decision.
 */

export interface Tool {
  name: string;
  /** What it is at, in its agent's words; empty where those say nothing. */
  subject: string;
  /** When the host first saw it. */
  since: number;
  declaredTimeoutMs: number | null;
}

/** What goes on behind its turns, or has ended and nobody was told of. */
export interface Job {
  what: string;
  /** The message that it was begun for. */
  asked: string | null;
  since: number;
}

export interface Activity {
  startedAt: number;
  /** When it last took, read or wrote anything. */
  lastActivity: number;
  /** When it last had something to do that somebody asked for: by what the host knows, whatever its agent says. */
  neededAt: number;
  turnSince: number | null;
  /** Messages that its agent has taken up. */
  held: ReadonlySet<string>;
  /** When the agent's file last changed. */
  progressAt: number;
  tools: ReadonlyMap<string, Tool>;
  jobs: ReadonlyMap<string, Job>;
  /** Since when something waits that it should have taken. */
  dueSince: number | null;
  /** When its heartbeat was last seen to change; null before the first. */
  heartbeatAt: number | null;
  heartbeatTime: number | null;
  /** The host's highest number when it started: what it must have seen. */
  seqAtStart: number;
}

export interface Activities {
  get(sessionId: string): Activity | undefined;
  readonly size: number;
  started(sessionId: string, seq: number): void;
  ended(sessionId: string): Activity | undefined;
  /** A message came in. */
  touched(sessionId: string): void;
  /** A readable look at its file. */
  seen(sessionId: string, snapshot: OutboundSnapshot): void;
  /** Some messages of a turn have ended: what is left of it is a later turn, or a part that began later. */
  settled(sessionId: string): void;
  /** The host itself stood still: nothing that it didn't see meanwhile counts against a sandbox. */
  paused(ms: number): void;
  /** What the sweep looked at: the time of `.heartbeat`, null when there is none, and whether something is due. */
  looked(sessionId: string, heartbeatTime: number | null, due: boolean): Activity | undefined;
}

export function createActivities(now: () => number = () => performance.now()): Activities {
  const all = new Map<string, Activity>();
  return {
    get: (id) => all.get(id),
    get size() {
      return all.size;
    },
    started(id, seq) {
      const at = now();
      all.set(id, {
        startedAt: at,
        lastActivity: at,
        neededAt: at,
        turnSince: null,
        held: new Set(),
        progressAt: at,
        tools: new Map(),
        jobs: new Map(),
        dueSince: null,
        heartbeatAt: null,
        heartbeatTime: null,
        seqAtStart: seq,
      });
    },
    ended(id) {
      const known = all.get(id);
      all.delete(id);
      return known;
    },
    touched(id) {
      const known = all.get(id);
      if (known) known.lastActivity = known.neededAt = now();
    },
    seen(id, { phase, tools, acks, background = [] }) {
      const known = all.get(id);
      if (!known) return;
      const at = now();
      known.lastActivity = at;
      known.progressAt = at;
      known.turnSince = phase?.phase === 'turn' ? (known.turnSince ?? at) : null;
      known.held = heldBy(acks);
      known.tools = new Map(
        tools.map((tool) => [
          tool.id,
          {
            ...named(tool.tool),
            since: known.tools.get(tool.id)?.since ?? at,
            declaredTimeoutMs: tool.declared_timeout_ms,
          },
        ]),
      );
      known.jobs = new Map(background.map((job) => [job.id, { ...job, since: known.jobs.get(job.id)?.since ?? at }]));
    },
    settled(id) {
      const known = all.get(id);
      if (!known) return;
      known.neededAt = now();
      if (known.turnSince) known.turnSince = now();
    },
    paused(ms) {
      const later = (time: number | null) => time && time + ms;
      for (const known of all.values()) {
        known.startedAt += ms;
        known.lastActivity += ms;
        known.neededAt += ms;
        known.progressAt += ms;
        known.turnSince = later(known.turnSince);
        known.dueSince = later(known.dueSince);
        known.heartbeatAt = later(known.heartbeatAt);
        known.tools = shifted(known.tools, ms);
        known.jobs = shifted(known.jobs, ms);
      }
    },
    looked(id, heartbeatTime, due) {
      const known = all.get(id);
      if (!known) return undefined;
      if (heartbeatTime !== null && heartbeatTime !== known.heartbeatTime) known.heartbeatAt = now();
      known.heartbeatTime = heartbeatTime;
      known.dueSince = due ? (known.dueSince ?? now()) : null;
      if (due) known.neededAt = now();
      return known;
    },
  };
}

/** As it stands in the file: the name of a tool has no blank in it. */
function named(tool: string): Pick<Tool, 'name' | 'subject'> {
  const [name = '', ...subject] = tool.split(' ');
  return { name, subject: subject.join(' ') };
}

function shifted<T extends { since: number }>(all: ReadonlyMap<string, T>, ms: number): ReadonlyMap<string, T> {
  return new Map([...all].map(([id, facts]) => [id, { ...facts, since: facts.since + ms }]));
}

export function heldBy(acks: OutboundSnapshot['acks'] = []): ReadonlySet<string> {
  return new Set(acks.filter(({ status }) => status === 'processing').map(({ message_id }) => message_id));
}

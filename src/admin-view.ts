import type { ErrorCode } from './errors.ts';

/** What `ncl` asks of a running host. Times are ISO-8601 UTC. */

/** The one that was asked for, or why not. `detail` follows the table's sentence. */
export type Result<T> = { ok: true; data: T } | { ok: false; code: ErrorCode; detail?: string };

/** Who asks. What an agent may see and do is decided on the host, by its group's `cli_scope` and by who spoke to it. */
export type Caller =
  /** Over the admin socket: whoever may open it owns this install. */
  | { kind: 'owner' }
  | {
      kind: 'agent';
      agentGroupId: string;
      sessionId: string;
      scope: 'group' | 'global';
      /** Users whose messages the agent has not answered yet, in this session: what it does, it does for them. */
      speakers: readonly string[];
    };

export interface StatusReport {
  version: string;
  pid: number;
  startedAt: string;
  slug: string;
  /** The sandbox driver's name. */
  driver: string;
  agents: { id: string; name: string; provider: string; model: string | null }[];
  channels: { channelType: string; connected: boolean }[];
  /** `running`: with a live sandbox. */
  sessions: { active: number; running: number };
  /** Depth by queue: inbound, outbound, … */
  queues: Record<string, number>;
  /** One sentence each, for what the owner should see to. */
  problems: string[];
}

export interface SessionRow {
  id: string;
  /** The agent group's name. */
  agent: string;
  channelType: string;
  platformId: string;
  threadId: string | null;
  /** `queued`: a sandbox is wanted and waits for room. */
  state: 'idle' | 'queued' | 'warm' | 'working';
  /** Messages that are not settled. */
  pending: number;
  lastActivity: string | null;
}

export interface SessionDetail extends SessionRow {
  agentGroupId: string;
  createdAt: string;
  /** Absolute. */
  folder: string;
  provider: string;
  sandbox: { startedAt: string; uid: number | null } | null;
  /** The newest messages, oldest first; `text` may be shortened. */
  recent: { id: string; direction: 'in' | 'out'; timestamp: string; status: string; text: string }[];
}

export interface GroupRow {
  id: string;
  name: string;
  /** Below `groups/`. */
  folder: string;
  provider: string;
  model: string | null;
  effort: string | null;
  assistantName: string;
  timezone: string;
  egress: 'public' | 'none';
  egressAllow: string[];
}

/** null: back to the provider's default. */
export interface GroupChanges {
  provider?: string;
  model?: string | null;
  effort?: 'low' | 'medium' | 'high' | 'xhigh' | 'max' | null;
  assistantName?: string;
  egress?: 'public' | 'none';
  egressAllow?: string[];
}

export interface Check {
  name: string;
  ok: boolean;
  /** Whether an agent can't answer while this fails. */
  blocking: boolean;
  detail: string;
  remedy?: string | undefined;
}

/** What went, or would have gone, by kind. */
export interface HousekeepingReport {
  dryRun: boolean;
  /** True when the clock was set since the last round: nothing was looked at. */
  skipped: boolean;
  gone: { kind: string; count: number; bytes: number }[];
}

/** The host's side of every command that runs there. */
export interface HostView {
  status(): StatusReport;
  sessions(): SessionRow[];
  /** By id or the beginning of one: NC_NOT_FOUND, NC_AMBIGUOUS. */
  session(idOrPrefix: string): Result<SessionDetail>;
  /** What only the host can see: the path to the credential's upstream, its own timers. */
  doctorChecks(): Promise<Check[]>;
  housekeeping(dryRun: boolean): Promise<HousekeepingReport>;
  /** Begins an orderly shutdown and returns at once. */
  stop(): void;
  groups(): GroupRow[];
  /** By id, or by a name that only one has. Takes effect at the next start of a sandbox. */
  updateGroup(idOrName: string, changes: GroupChanges): Result<GroupRow>;
}

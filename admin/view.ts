import type { DatabaseSync } from 'node:sqlite';
import type { History } from '../assistant/history/index.ts';
import type { TaskChanges } from '../assistant/tasks/changes.ts';
import type { UsageTools } from '../assistant/usage/index.ts';
import type { ChannelAdapter } from '../src/channels/adapter.ts';
import type { Instances } from '../src/channels/instances.ts';
import type { Supervisor } from '../src/channels/supervisor.ts';
import type { ErrorCode } from '../src/errors.ts';
import type { AgentGroup } from '../src/groups/agent-groups.ts';
import type { Mounts } from '../src/sandbox/mounts/index.ts';
import type { Choice } from './approvals/index.ts';
import type { DeadLetters } from './dead-letters.ts';
import type { Change } from './directory/change.ts';
import type { Directory } from './directory/index.ts';

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

/** More of a session than its row has. */
export interface SessionDetail {
  /** Absolute. */
  folder: string;
  provider: string;
  /** Provider, model and effort, and whose word each is, in a sentence. */
  runsWith: string;
  sandbox: { startedAt: string; uid: number | null } | null;
  /** The newest messages, oldest first; `text` may be shortened. */
  recent: { id: string; direction: 'in' | 'out'; timestamp: string; status: string; text: string }[];
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

/** What decides which folders of the host agents are given, and keeps which they are to have. */
export interface MountTools {
  agents(): readonly AgentGroup[];
  mounts: Pick<Mounts, 'decide' | 'save'>;
  change: Change;
  /** Undefined: agents run as the host's own user. */
  uidFor(ordinal: number): number | undefined;
}

/** What lists and names are read with. */
export interface LookupTools {
  db: DatabaseSync;
  /** What each session does that has a sandbox. */
  states(): Readonly<Record<string, string>>;
}

/** Accounts on platforms, and what could not be delivered to them. */
export interface ChannelTools {
  supervisor: Supervisor;
  instances: Instances;
  adapter(channelType: string): ChannelAdapter | undefined;
  deliveries: DeadLetters;
  deliver(messageIds: readonly string[]): void;
  change: Change;
  /** The checkout. */
  code: string;
  /** Of their settings. */
  folder: string;
  /** Throws NC_CHANNEL with what is missing. */
  webhookUrl(instance: string): string;
}

/** The host's side of every command that runs there. */
export interface HostView {
  lookup: LookupTools;
  mounts: MountTools;
  channels: ChannelTools;
  status(): StatusReport;
  /** All that is changed. */
  directory: Directory;
  tasks: TaskChanges;
  usage: UsageTools;
  history: Pick<History, 'search'>;
  /** By its id. */
  session(id: string): Result<SessionDetail>;
  /** What only the host can see: the path to the credential's upstream, its own timers. */
  doctorChecks(): Promise<Check[]>;
  housekeeping(dryRun: boolean): Promise<HousekeepingReport>;
  /** Begins an orderly shutdown and returns at once. */
  stop(): void;
  /** What an agent may see when it acts for these users. Undefined: it has no `ncl`. */
  scopeOf(agentGroupId: string, speakers: readonly string[]): 'group' | 'global' | undefined;
  /** Asks those who may allow it; returns the approval's id. `action` is frozen. */
  requestApproval(
    caller: Extract<Caller, { kind: 'agent' }>,
    what: { subject: string; title: string; body: string; action: unknown },
    now: number,
  ): Result<string>;
  /** By the owner of this install. */
  decide(choice: Choice): Promise<{ ok: boolean; text: string }>;
}

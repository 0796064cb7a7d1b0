import { z } from 'zod';
import type { ErrorCode } from '../errors.ts';

/**
 * What `ncl` asks of a running host. The shapes are schemas, since a command reads what another process wrote: after an
 * update the running host may be older than the command.
 */

/** The one that was asked for, or why not. `detail` follows the table's sentence. */
export type Result<T> = { ok: true; data: T } | { ok: false; code: ErrorCode; detail?: string };

export const StatusReport = z.object({
  version: z.string(),
  pid: z.number(),
  /** ISO-8601 UTC, as all times here. */
  startedAt: z.string(),
  slug: z.string(),
  /** The sandbox driver's name. */
  driver: z.string(),
  agents: z.array(z.object({ id: z.string(), name: z.string(), provider: z.string(), model: z.string().nullable() })),
  channels: z.array(z.object({ channelType: z.string(), connected: z.boolean() })),
  /** `running`: with a live sandbox. */
  sessions: z.object({ active: z.number(), running: z.number() }),
  /** Depth by queue: inbound, outbound, … */
  queues: z.record(z.string(), z.number()),
  /** One sentence each, for what the owner should see to. */
  problems: z.array(z.string()),
});
export type StatusReport = z.infer<typeof StatusReport>;

export const SessionRow = z.object({
  id: z.string(),
  /** The agent group's name. */
  agent: z.string(),
  channelType: z.string(),
  platformId: z.string(),
  threadId: z.string().nullable(),
  /** `queued`: a sandbox is wanted and waits for room. */
  state: z.enum(['idle', 'queued', 'warm', 'working']),
  /** Messages that are not settled. */
  pending: z.number(),
  lastActivity: z.string().nullable(),
});
export type SessionRow = z.infer<typeof SessionRow>;

export const SessionDetail = SessionRow.extend({
  agentGroupId: z.string(),
  createdAt: z.string(),
  /** Absolute. */
  folder: z.string(),
  provider: z.string(),
  sandbox: z.object({ startedAt: z.string(), uid: z.number().nullable() }).nullable(),
  /** The newest messages, oldest first; `text` may be shortened. */
  recent: z.array(
    z.object({
      id: z.string(),
      direction: z.enum(['in', 'out']),
      timestamp: z.string(),
      status: z.string(),
      text: z.string(),
    }),
  ),
});
export type SessionDetail = z.infer<typeof SessionDetail>;

export const GroupRow = z.object({
  id: z.string(),
  name: z.string(),
  /** Below `groups/`. */
  folder: z.string(),
  provider: z.string(),
  model: z.string().nullable(),
  effort: z.string().nullable(),
  assistantName: z.string(),
  timezone: z.string(),
  egress: z.enum(['public', 'none']),
  egressAllow: z.array(z.string()),
});
export type GroupRow = z.infer<typeof GroupRow>;

/** null: back to the provider's default. */
export interface GroupChanges {
  provider?: string;
  model?: string | null;
  effort?: 'low' | 'medium' | 'high' | 'xhigh' | 'max' | null;
  assistantName?: string;
  egress?: 'public' | 'none';
  egressAllow?: string[];
}

export const Check = z.object({
  name: z.string(),
  ok: z.boolean(),
  /** Whether an agent can't answer while this fails. */
  blocking: z.boolean(),
  detail: z.string(),
  remedy: z.string().optional(),
});
export type Check = z.infer<typeof Check>;

/** The host's side of every command that runs there. */
export interface HostView {
  status(): StatusReport;
  sessions(): SessionRow[];
  /** By id or the beginning of one: NC_NOT_FOUND, NC_AMBIGUOUS. */
  session(idOrPrefix: string): Result<SessionDetail>;
  /** What only the host can see: the path to the credential's upstream, its own timers. */
  doctorChecks(): Promise<Check[]>;
  /** The sandbox's log of that session, absolute; it need not exist yet. */
  sessionLogFile(idOrPrefix: string): Result<string>;
  /** Begins an orderly shutdown and returns at once. */
  stop(): void;
  groups(): GroupRow[];
  /** By id, or by a name that only one has. Takes effect at the next start of a sandbox. */
  updateGroup(idOrName: string, changes: GroupChanges): Result<GroupRow>;
}

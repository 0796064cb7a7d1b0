import type { DatabaseSync, SQLOutputValue } from 'node:sqlite';
import { McpServers } from '@nanoclaw/protocol';
import { z } from 'zod';
import { EFFORTS, type Effort } from './efforts.ts';

/** One agent with its container config, as the host uses it. */
export interface AgentGroup {
  id: string;
  name: string;
  folder: string;
  uidOrdinal: number;
  provider: string;
  model: string | undefined;
  effort: Effort | undefined;
  assistantName: string;
  timezone: string;
  maxMessagesPerPrompt: number;
  egress: 'public' | 'none';
  egressAllow: readonly string[];
  mcpServers: McpServers;
  additionalMounts: readonly AdditionalMount[];
}

/** As wanted; `src/sandbox/mounts/` decides what comes of it. `told`: why it was left out, as a chat was told last. */
const AdditionalMount = z.object({ name: z.string(), path: z.string(), rw: z.boolean(), told: z.string().optional() });
export type AdditionalMount = z.infer<typeof AdditionalMount>;
/** From the column's text. */
export const AdditionalMounts = z.string().transform((text) => z.array(AdditionalMount).parse(JSON.parse(text)));

const SELECT = `SELECT g.id, g.name, g.folder, g.uid_ordinal, c.provider, c.model, c.effort, c.assistant_name, c.timezone,
  c.max_messages_per_prompt, c.egress, c.egress_allow, c.mcp_servers, c.additional_mounts
  FROM agent_groups g JOIN container_configs c ON c.agent_group_id = g.id`;

/** A folder name below groups/: one component, no dot at its front, safe in a mount and on every file system. */
export const FOLDER_NAME = /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/;

const Row = z.object({
  id: z.string(),
  name: z.string(),
  folder: z.string().regex(FOLDER_NAME),
  uid_ordinal: z.number(),
  provider: z.string(),
  model: z.string().nullable(),
  effort: z.enum(EFFORTS).nullable(),
  assistant_name: z.string(),
  timezone: z.string(),
  max_messages_per_prompt: z.number(),
  egress: z.enum(['public', 'none']),
  egress_allow: z.string().transform((text) => z.array(z.string()).parse(JSON.parse(text))),
  mcp_servers: z.string().transform((text) => McpServers.parse(JSON.parse(text))),
  additional_mounts: AdditionalMounts,
});

export function getAgentGroup(db: DatabaseSync, id: string): AgentGroup | undefined {
  const row = db.prepare(`${SELECT} WHERE g.id = ?`).get(id);
  return row && toGroup(row);
}

export function listAgentGroups(db: DatabaseSync): AgentGroup[] {
  return db.prepare(`${SELECT} ORDER BY g.uid_ordinal`).all().map(toGroup);
}

function toGroup(raw: Record<string, SQLOutputValue>): AgentGroup {
  const row = Row.parse(raw);
  return {
    id: row.id,
    name: row.name,
    folder: row.folder,
    uidOrdinal: row.uid_ordinal,
    provider: row.provider,
    model: row.model ?? undefined,
    effort: row.effort ?? undefined,
    assistantName: row.assistant_name,
    timezone: row.timezone,
    maxMessagesPerPrompt: row.max_messages_per_prompt,
    egress: row.egress,
    egressAllow: row.egress_allow,
    mcpServers: row.mcp_servers,
    additionalMounts: row.additional_mounts,
  };
}

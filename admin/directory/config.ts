import type { DatabaseSync } from 'node:sqlite';
import type { Effort } from '../../src/groups/agent-groups.ts';
import type { CliScope } from './index.ts';

/** null: back to the provider's default. Takes effect at the next start of each of the agent's sandboxes. */
export interface ConfigChanges {
  provider?: string;
  model?: string | null;
  effort?: Effort | null;
  assistantName?: string;
  timezone?: string;
  maxMessagesPerPrompt?: number;
  egress?: 'public' | 'none';
  egressAllow?: readonly string[];
  cliScope?: CliScope;
}

/** What has been checked. Inside a transaction. */
export function writeConfig(db: DatabaseSync, id: string, changes: ConfigChanges, at: string): void {
  const columns: Record<string, string | number | null | undefined> = {
    provider: changes.provider,
    model: changes.model,
    effort: changes.effort,
    assistant_name: changes.assistantName,
    timezone: changes.timezone,
    max_messages_per_prompt: changes.maxMessagesPerPrompt,
    cli_scope: changes.cliScope,
    egress: changes.egress,
    egress_allow: changes.egressAllow && JSON.stringify(changes.egressAllow),
  };
  const given = Object.entries(columns).filter(
    (entry): entry is [string, string | number | null] => entry[1] !== undefined,
  );
  if (given.length === 0) return;
  const assignments = given.map(([column]) => `${column} = ?`).join(', ');
  db.prepare(`UPDATE container_configs SET ${assignments}, updated_at = ? WHERE agent_group_id = ?`).run(
    ...given.map(([, value]) => value),
    at,
    id,
  );
}

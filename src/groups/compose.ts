import { chmodSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ContainerConfig } from '@nanoclaw/protocol';
import type { AgentGroup } from './agent-groups.ts';

/** What is written to /app/group at each start: the same files for the same settings. */
export interface ComposeInput {
  root: string;
  sessionId: string;
  agent: AgentGroup;
  providerEnv: Readonly<Record<string, string>>;
  memoryBytes: number;
}

export function composeGroupFolder(folder: string, input: ComposeInput): ContainerConfig {
  const { agent } = input;
  const config = ContainerConfig.parse({
    agentGroupId: agent.id,
    sessionId: input.sessionId,
    groupName: agent.name,
    assistantName: agent.assistantName,
    provider: agent.provider,
    timezone: agent.timezone,
    maxMessagesPerPrompt: agent.maxMessagesPerPrompt,
    providerEnv: input.providerEnv,
    memoryBytes: input.memoryBytes,
    ...(agent.model && { model: agent.model }),
    ...(agent.effort && { effort: agent.effort }),
  });
  replace(join(folder, 'container.json'), `${JSON.stringify(config, null, 2)}\n`);
  replace(join(folder, 'CLAUDE.md'), readFileSync(join(input.root, 'container', 'CLAUDE.md'), 'utf8'));
  return config;
}

function replace(file: string, text: string): void {
  writeFileSync(`${file}.new`, text);
  // The agent's uid reads it; the host's umask is narrower.
  chmodSync(`${file}.new`, 0o644);
  renameSync(`${file}.new`, file);
}

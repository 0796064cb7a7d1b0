import { chmodSync, existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ContainerConfig } from '@nanoclaw/protocol';
import type { SharedFolders } from '../sandbox/mounts/index.ts';
import type { AgentGroup } from './agent-groups.ts';
import { folderSection, serverSections } from './sections.ts';

/** What is written to /app/group at each start: the same files for the same settings. */
export interface ComposeInput extends SharedFolders {
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
    mcpServers: agent.mcpServers,
    folders: input.shared.map(({ name }) => name),
    ...(agent.model && { model: agent.model }),
    ...(agent.effort && { effort: agent.effort }),
  });
  replace(join(folder, 'container.json'), `${JSON.stringify(config, null, 2)}\n`);
  const base = readFileSync(join(input.root, 'container', 'CLAUDE.md'), 'utf8').trimEnd();
  const sections = [base, ...folderSection(input), ...serverSections(agent.mcpServers)];
  replace(join(folder, 'CLAUDE.md'), `${sections.join('\n\n')}\n`);
  return config;
}

/** For a sandbox that runs: its runner reads the name again at each turn. Without one there is nothing to write. */
export function renameInGroupFolder(folder: string, assistantName: string): void {
  const file = join(folder, 'container.json');
  if (!existsSync(file)) return;
  const config = ContainerConfig.parse(JSON.parse(readFileSync(file, 'utf8')));
  replace(file, `${JSON.stringify({ ...config, assistantName }, null, 2)}\n`);
}

function replace(file: string, text: string): void {
  writeFileSync(`${file}.new`, text);
  // The agent's uid reads it; the host's umask is narrower.
  chmodSync(`${file}.new`, 0o644);
  renameSync(`${file}.new`, file);
}

import type { ProviderFactory } from '@nanoclaw/agent-runner/provider';
import { archive } from './runner/archive/index.ts';
import { ClaudeQuery } from './runner/claude-query.ts';

/** Claude through the Agent SDK: the harness is a process of its own, spoken to in streaming-input mode. */
export const createProvider: ProviderFactory = (options) => ({
  name: 'claude',
  reportsById: true,
  archive: (continuation) => archive(options, process.env, continuation),
  query: (input) => new ClaudeQuery(options, input, process.env),
});

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ContainerConfig } from '@nanoclaw/protocol';
import { startForwarder } from './forwarder.ts';
import { errorText, logToStdout } from './log.ts';
import { Loop } from './loop.ts';
import { InboundReader } from './mailbox/inbound.ts';
import { Outbound } from './mailbox/outbound.ts';
import { type RunnerPaths, runnerPaths } from './paths.ts';
import { ensureRealFolder } from './places.ts';
import type { Provider, ProviderFactory } from './provider.ts';
import { createTools } from './tools/index.ts';

/** The process inside a sandbox. `bun index.ts [root]`: with a root, every path is below it. */
async function main(paths: RunnerPaths): Promise<void> {
  const log = logToStdout;
  const config = ContainerConfig.parse(JSON.parse(readFileSync(paths.containerJson, 'utf8')));
  ensureRealFolder(paths.outbox);
  startForwarder(paths, log);
  const inbound = new InboundReader(paths.inboundDb, log);
  const outbound = new Outbound(paths.outboundDb, () => inbound.highestSeq);
  const loop = new Loop({ paths, config, inbound, outbound, log });
  process.on('SIGTERM', () => loop.shutdown());
  process.on('SIGINT', () => loop.shutdown());
  const { agent: cwd, outbox } = paths;
  const tools = createTools({ outbound, outbox, cwd, look: () => loop.situation() });
  const provider = await loadProvider(paths, config, tools);
  await loop.run(provider);
  outbound.close();
}

async function loadProvider(
  paths: RunnerPaths,
  { assistantName, allowedTools, providerEnv, provider, mcpServers, folders, skills }: ContainerConfig,
  tools: Parameters<ProviderFactory>[0]['tools'],
): Promise<Provider> {
  const module: unknown = await import(pathToFileURL(join(paths.providers, provider, 'runner.ts')).href);
  if (!hasFactory(module)) throw new Error(`Provider ${provider} exports no createProvider`);
  return module.createProvider({
    assistantName,
    ...(allowedTools === undefined ? {} : { allowedTools }),
    env: providerEnv,
    tools,
    cwd: paths.agent,
    conversations: paths.conversations,
    additionalDirectories: (folders ?? []).map((name) => join(paths.extra, name)),
    ...(mcpServers === undefined ? {} : { mcpServers }),
    ...(skills === undefined ? {} : { skills: { folder: paths.skills, names: skills } }),
    log: (line) => logToStdout('info', 'provider', { line: line.slice(0, 2000) }),
  });
}

function hasFactory(module: unknown): module is { createProvider: ProviderFactory } {
  return (
    typeof module === 'object' &&
    module !== null &&
    'createProvider' in module &&
    typeof module.createProvider === 'function'
  );
}

try {
  await main(runnerPaths(process.argv[2]));
  process.exit(0);
} catch (error) {
  logToStdout('error', 'runner-failed', { error: errorText(error) });
  process.exit(1);
}

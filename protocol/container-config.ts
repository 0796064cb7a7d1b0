import { z } from 'zod';

/** A program inside that offers tools over its standard input and output (MCP). What stands here, the agent can read. */
export const McpServer = z.object({
  command: z.string(),
  args: z.array(z.string()).default([]),
  env: z.record(z.string(), z.string()).default({}),
  /** For the agent: what its tools are for. */
  instructions: z.string().optional(),
});
export type McpServer = z.infer<typeof McpServer>;
/** By a name that begins those of its tools: `mcp__<name>__<tool>`. */
export const McpServers = z.record(z.string().regex(/^[A-Za-z0-9_-]{1,64}$/), McpServer);
export type McpServers = z.infer<typeof McpServers>;

/** `/app/group/container.json`: what a runner is told when it starts. Written by the host, read-only inside. */
export const ContainerConfig = z.object({
  agentGroupId: z.string(),
  sessionId: z.string(),
  groupName: z.string(),
  assistantName: z.string(),
  provider: z.string().regex(/^[a-z0-9][a-z0-9-]{0,63}$/),
  model: z.string().optional(),
  effort: z.enum(['low', 'medium', 'high', 'xhigh', 'max']).optional(),
  /** IANA name; times in prompts are shown in it. */
  timezone: z.string(),
  maxMessagesPerPrompt: z.number().int().min(1).max(100),
  /** The harness's own tools that this agent may see. Absent: the provider's default list. */
  allowedTools: z.array(z.string()).optional(),
  /** Environment for the provider's harness. Never a secret: placeholders at most. */
  providerEnv: z.record(z.string(), z.string()),
  mcpServers: McpServers.optional(),
  /** Names of the owner's folders below `INSIDE.extra`. */
  folders: z.array(z.string()).optional(),
  /** Below `INSIDE.skills`, a folder each. Absent: the harness has whatever it brings itself. */
  skills: z.array(z.string()).optional(),
  /** The sandbox's memory limit in bytes, where there is one. */
  memoryBytes: z.number().int().positive().optional(),
});
export type ContainerConfig = z.infer<typeof ContainerConfig>;

/** Paths inside every sandbox, whatever the driver. */
export const INSIDE = {
  workspace: '/workspace',
  outboundDb: '/workspace/outbound.db',
  heartbeat: '/workspace/.heartbeat',
  outbox: '/workspace/outbox',
  /** What was said before a conversation was made shorter, or forgotten. */
  conversations: '/workspace/conversations',
  inbound: '/workspace/inbound',
  inboundDb: '/workspace/inbound/inbound.db',
  agent: '/workspace/agent',
  extra: '/workspace/extra',
  home: '/home/node',
  claude: '/home/node/.claude',
  app: '/app',
  group: '/app/group',
  containerJson: '/app/group/container.json',
  instructions: '/app/group/CLAUDE.md',
  skills: '/app/group/skills',
  proxySocket: '/run/proxy/proxy.sock',
  /** Where sockets don't cross: what is said first to `relay`. */
  relayToken: '/run/proxy/token',
  relay: { host: 'relay', port: 4000 },
  /** The forwarder that the runner opens on loopback, in front of the proxy's socket. */
  proxyPort: 4000,
} as const;

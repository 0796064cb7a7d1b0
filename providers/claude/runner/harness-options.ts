import type { Options } from '@anthropic-ai/claude-agent-sdk';
import type { ProviderOptions, QueryInput } from '@nanoclaw/agent-runner/provider';
import { DEFAULT_TOOLS, FORBIDDEN_TOOLS, groupServers, toolServer } from './harness-tools.ts';

export type Env = Readonly<Record<string, string | undefined>>;

/** All that the harness inherits. Its environment is replaced, so what isn't named here doesn't reach it. */
const INHERITED = [
  'PATH',
  'HOME',
  'USER',
  'LANG',
  'LC_ALL',
  'TZ',
  'TMPDIR',
  'HTTP_PROXY',
  'HTTPS_PROXY',
  'http_proxy',
  'https_proxy',
  'NODE_EXTRA_CA_CERTS',
  'SSL_CERT_FILE',
  'ANTHROPIC_BASE_URL',
  'ANTHROPIC_API_KEY',
  'ANTHROPIC_AUTH_TOKEN',
  'CLAUDE_CODE_OAUTH_TOKEN',
  'CLAUDE_CONFIG_DIR',
];

export function harnessEnv(runner: Env, extra: Readonly<Record<string, string>>): Record<string, string> {
  const inherited = INHERITED.flatMap((name) => (runner[name] === undefined ? [] : [[name, runner[name]]]));
  const noProxy = [runner.NO_PROXY ?? runner.no_proxy, '127.0.0.1,localhost'].filter(Boolean).join(',');
  return {
    ...Object.fromEntries(inherited),
    // The relay listens on loopback; a proxy could not reach it.
    NO_PROXY: noProxy,
    no_proxy: noProxy,
    CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
    // A helper or command that outlives its turn would speak when nobody asked: each answer belongs to a message.
    CLAUDE_CODE_DISABLE_BACKGROUND_TASKS: '1',
    // Memory is CLAUDE.local.md in the group's folder, where its owner can read it.
    CLAUDE_CODE_DISABLE_AUTO_MEMORY: '1',
    CLAUDE_CODE_AUTO_COMPACT_WINDOW: '165000',
    // 0.5 + 1 + 2 + 4 s: then the user hears of it, and retrying is the host's.
    CLAUDE_CODE_MAX_RETRIES: '4',
    ENABLE_TOOL_SEARCH: 'false',
    ...extra,
  };
}

/** The SDK's options for one start of the harness. */
export function harnessOptions(
  provider: ProviderOptions,
  input: QueryInput,
  runner: Env,
): Options & { env: Record<string, string> } {
  const allowed = (provider.allowedTools ?? DEFAULT_TOOLS).filter((name) => !FORBIDDEN_TOOLS.includes(name));
  return {
    cwd: provider.cwd,
    additionalDirectories: [...provider.additionalDirectories],
    env: harnessEnv(runner, provider.env),
    ...(provider.model === undefined ? {} : { model: provider.model }),
    ...(provider.effort === undefined ? {} : { effort: provider.effort }),
    ...(input.continuation === undefined ? {} : { resume: input.continuation }),
    // Not recorded: the addendum changes within a conversation, as destinations do.
    systemPrompt: { type: 'preset', preset: 'claude_code', append: input.systemAddendum, snapshot: false },
    tools: allowed,
    disallowedTools: [...FORBIDDEN_TOOLS],
    mcpServers: { ...groupServers(provider.mcpServers ?? {}), nanoclaw: toolServer(provider.tools) },
    mcpServersDelivery: 'initialize',
    strictMcpConfig: true,
    // The agent may write files that the harness would otherwise take for its settings.
    settingSources: [],
    settings: { skipWebFetchPreflight: true, attribution: { commit: '', pr: '' } },
    // The sandbox is the boundary; nobody is there to be asked.
    permissionMode: 'bypassPermissions',
    allowDangerouslySkipPermissions: true,
    // They show that a stream is alive.
    includePartialMessages: true,
    stderr: (line) => provider.log(line.trimEnd()),
  };
}

import { basename, dirname } from 'node:path';
import type { Options } from '@anthropic-ai/claude-agent-sdk';
import type { ProviderOptions, QueryInput } from '@nanoclaw/agent-runner/provider';
import { bashMaxMs } from './declared-timeout.ts';
import { DEFAULT_TOOLS, FORBIDDEN_TOOLS, groupServers, toolServer } from './harness-tools.ts';
import { OVERDUE_MS } from './tools-in-flight.ts';

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
    // Memory is CLAUDE.local.md in the group's folder, where its owner can read it.
    CLAUDE_CODE_DISABLE_AUTO_MEMORY: '1',
    CLAUDE_CODE_AUTO_COMPACT_WINDOW: '165000',
    // 0.5 + 1 + 2 + 4 s: then the user hears of it, and retrying is the host's.
    CLAUDE_CODE_MAX_RETRIES: '4',
    ENABLE_TOOL_SEARCH: 'false',
    ...extra,
    // Ours comes first: at its time a command is ended, and does not go on behind the turn.
    BASH_MAX_TIMEOUT_MS: String(bashMaxMs(extra) + OVERDUE_MS),
  };
}

/** As a plugin: it is named after the folder that holds `skills/`. The list is what the model may call up, the harness's own ones left out. */
function skillOptions(skills: ProviderOptions['skills']): Pick<Options, 'plugins' | 'skills'> {
  if (skills === undefined) return {};
  const path = dirname(skills.folder);
  return {
    plugins: skills.names.length === 0 ? [] : [{ type: 'local', path, skipMcpDiscovery: true }],
    skills: skills.names.map((name) => `${basename(path)}:${name}`),
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
    ...(input.model === undefined ? {} : { model: input.model }),
    ...(input.effort === undefined ? {} : { effort: input.effort }),
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
    ...skillOptions(provider.skills),
    settings: { skipWebFetchPreflight: true, attribution: { commit: '', pr: '' } },
    // The sandbox is the boundary; nobody is there to be asked.
    permissionMode: 'bypassPermissions',
    allowDangerouslySkipPermissions: true,
    // They show that a stream is alive.
    includePartialMessages: true,
    stderr: (line) => provider.log(line.trimEnd()),
  };
}

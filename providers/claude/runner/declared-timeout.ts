import { TOOL_TIMEOUT_MS, toolTimeout } from '@nanoclaw/agent-runner/tool';
import { z } from 'zod';

/** The harness's own limits for a command, where its environment sets no others. */
const BASH_DEFAULT_MS = 120_000;
const BASH_MAX_MS = 600_000;
/** A helper works for as long as a turn may. */
const AGENT_MS = 30 * 60_000;
/** It waits for a page without a limit of its own, and then has a model read it. */
const WEB_MS = 120_000;
/** One of a group's own servers. The harness ends the call itself. */
export const MCP_TOOL_MS = 300_000;

/** How the harness calls our own tools. */
const OWN = 'mcp__nanoclaw__';

const Timed = z.object({ timeout: z.number() });
type Env = Readonly<Record<string, string | undefined>>;

/** How long a tool may take. For a command, the harness sees to it itself; README.md says what becomes of the others. */
export function declaredTimeout(name: string, input: unknown, env: Env): number {
  if (name === 'Agent' || name === 'Task') return AGENT_MS;
  if (name === 'WebFetch' || name === 'WebSearch') return WEB_MS;
  if (name.startsWith(OWN)) return toolTimeout(name.slice(OWN.length), input);
  if (name.startsWith('mcp__')) return MCP_TOOL_MS;
  if (name !== 'Bash') return TOOL_TIMEOUT_MS;
  const timed = Timed.safeParse(input);
  // Zero is no limit that anybody could mean; the harness reads it so, too.
  const wanted = (timed.success && timed.data.timeout) || bashDefaultMs(env);
  return Math.max(0, Math.min(wanted, bashMaxMs(env)));
}

function bashDefaultMs(env: Env): number {
  return Number(env.BASH_DEFAULT_TIMEOUT_MS) || BASH_DEFAULT_MS;
}

/** What a command may ask for at most. */
export function bashMaxMs(env: Env): number {
  return Math.max(Number(env.BASH_MAX_TIMEOUT_MS) || BASH_MAX_MS, bashDefaultMs(env));
}

import { McpServers } from '@nanoclaw/protocol';
import { PART_LIMITS, serverSections } from '../../assistant/instructions/text.ts';
import { createRedactor } from '../../src/log/redact.ts';
import type { McpServer } from './index.ts';

/** What an MCP server of an agent may look like. What is written here gets into the sandbox: never a key. */

// Two underscores end a server's name in those of its tools.
const NAME = /^(?!nanoclaw$)[a-z0-9](?:[a-z0-9-]|_(?!_|$)){0,63}$/i;
const VARIABLE = /^[A-Za-z_][A-Za-z0-9_]{0,127}$/;
export const MAX_MCP_SERVERS = 20;
const MAX_TEXT = 16_000;
const withoutKeys = createRedactor(() => []);

/** What all of them say of themselves is in every prompt. One sentence, or undefined. */
export function togetherProblem(servers: Readonly<Record<string, unknown>>): string | undefined {
  const bytes = Buffer.byteLength(serverSections(McpServers.parse(servers)).join('\n\n'));
  return bytes > PART_LIMITS.servers
    ? `The instructions of all its servers would have ${bytes} bytes together: more than ${PART_LIMITS.servers} are too many.`
    : undefined;
}

/** One sentence, or undefined. */
export function mcpServerProblem(
  name: string,
  { command, args, env, instructions = '' }: McpServer,
): string | undefined {
  if (!NAME.test(name)) {
    return 'A server has a name of 1 to 64 letters, digits, dashes and single underscores, and nanoclaw is taken.';
  }
  if (command.trim() === '') return 'Its command is empty.';
  const texts = [command, ...args, ...Object.values(env), instructions];
  if (texts.some((text) => text.includes('\0')) || JSON.stringify([texts, env]).length > MAX_TEXT) {
    return 'Command, arguments, environment and instructions have at most 16,000 characters together, and no NUL.';
  }
  const wrong = Object.keys(env).find((one) => !VARIABLE.test(one));
  if (wrong !== undefined) return `${JSON.stringify(wrong.slice(0, 80))} is no name of a variable.`;
  return texts.some((text) => withoutKeys(text) !== text)
    ? 'There is what looks like a key in it, and the agent could read it: put a placeholder there.'
    : undefined;
}

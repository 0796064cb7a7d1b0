import {
  createSdkMcpServer,
  type McpSdkServerConfigWithInstance,
  type McpStdioServerConfig,
  tool,
} from '@anthropic-ai/claude-agent-sdk';
import { runTool, type Tool } from '@nanoclaw/agent-runner/tool';
import type { McpServers } from '@nanoclaw/protocol';
import { MCP_TOOL_MS } from './declared-timeout.ts';

/** What the model may see of the harness's tools unless its group says otherwise. Both names of a renamed tool stand here. */
export const DEFAULT_TOOLS: readonly string[] = [
  'Bash',
  'Read',
  'Write',
  'Edit',
  'NotebookEdit',
  'Glob',
  'Grep',
  'WebSearch',
  'WebFetch',
  'Agent',
  'Task',
  'TaskOutput',
  'TaskStop',
  'TaskCreate',
  'TaskGet',
  'TaskList',
  'TaskUpdate',
  'TodoWrite',
  'Skill',
];

/** They wait for a person at a keyboard, or outlive a turn behind the host's back. No group gets them. */
export const FORBIDDEN_TOOLS: readonly string[] = [
  'AskUserQuestion',
  'CronCreate',
  'CronDelete',
  'CronList',
  'EnterPlanMode',
  'EnterWorktree',
  'ExitPlanMode',
  'ExitWorktree',
  'Monitor',
  'PushNotification',
  'RemoteTrigger',
  'ScheduleWakeup',
  'SendMessage',
  'Workflow',
];

/** Our own tools as a server inside this process: no second process, no port. Always in sight of the model. */
export function toolServer(tools: readonly Tool[]): McpSdkServerConfigWithInstance {
  return createSdkMcpServer({
    name: 'nanoclaw',
    alwaysLoad: true,
    tools: tools.map((each) =>
      tool(each.name, each.description, each.input, async (given) => {
        const { text, isError } = await runTool(each, given);
        return { content: [{ type: 'text', text }], ...(isError === undefined ? {} : { isError }) };
      }),
    ),
  });
}

/** The group's own servers, each a process of the harness's. Waited for at the start: a model sees what is there from the first. */
export function groupServers(servers: McpServers): Record<string, McpStdioServerConfig> {
  const entries = Object.entries(servers).map(([name, { command, args, env }]): [string, McpStdioServerConfig] => [
    name,
    { type: 'stdio', command, args, env, timeout: MCP_TOOL_MS, alwaysLoad: true },
  ]);
  return Object.fromEntries(entries);
}

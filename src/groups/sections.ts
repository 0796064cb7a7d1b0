import { INSIDE, type McpServers } from '@nanoclaw/protocol';
import type { SharedFolders } from '../sandbox/mounts/index.ts';

/** What of an agent's own settings it has to know: sections of its CLAUDE.md, or none. */

export function folderSection({ shared, leftOut }: SharedFolders): string[] {
  const lines = [
    ...shared.map(({ name, mount }) => {
      return `- \`${INSIDE.extra}/${name}\`: ${mount.mode === 'rw' ? 'you may change what is in it' : 'read-only'}`;
    }),
    ...leftOut.map(({ name, sentence }) => `- \`${name}\` is not there for now: ${sentence}`),
  ];
  return lines.length === 0 ? [] : [`## Folders of your owner\n\n${lines.join('\n')}`];
}

export function serverSections(servers: McpServers): string[] {
  return Object.entries(servers).flatMap(([name, { instructions }]) =>
    instructions ? [`## Tools named mcp__${name}__…\n\n${instructions.trim()}`] : [],
  );
}

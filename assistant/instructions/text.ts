import { INSIDE, type McpServers } from '@nanoclaw/protocol';
import type { SharedFolders } from '../../src/sandbox/mounts/index.ts';

/** The text of an agent's CLAUDE.md, of its parts: the same for the same settings, in whatever order they are kept. Pure. */

/**
 * In bytes. Together with our own parts they are less than the 64 KB that a runner reads, so that what was accepted is
 * also read to its end; skills have a limit of their own.
 */
export const PART_LIMITS = { own: 16_000, servers: 16_000, folders: 4_000 } as const;

export interface InstructionParts extends Pick<SharedFolders, 'leftOut'> {
  base: string;
  /** Of the tools that it has, as they are shipped. */
  tools: readonly string[];
  /** By those who look after it. */
  own: string;
  shared: readonly { name: string; mount: { mode: 'ro' | 'rw' } }[];
  servers: McpServers;
  skills: readonly { name: string; instructions: string }[];
}

export function instructionText(parts: InstructionParts): string {
  const own = parts.own.trim();
  const sections = [
    parts.base.trim(),
    ...parts.tools.map((text) => text.trim()),
    ...(own === '' ? [] : [`## From those who look after you\n\n${own}`]),
    ...folderSection(parts),
    ...serverSections(parts.servers),
    ...byName(parts.skills).flatMap(({ name, instructions }) =>
      instructions === '' ? [] : [`## The skill ${name}\n\n${instructions}`],
    ),
  ];
  return `${sections.join('\n\n')}\n`;
}

/** What of the owner's folders it has to know. */
function folderSection({ shared, leftOut }: Pick<InstructionParts, 'shared' | 'leftOut'>): string[] {
  const all = [
    ...byName(shared).map(({ name, mount }) => {
      return `- \`${INSIDE.extra}/${name}\`: ${mount.mode === 'rw' ? 'you may change what is in it' : 'read-only'}`;
    }),
    ...byName(leftOut).map(({ name, sentence }) => `- \`${name}\` is not there for now: ${sentence}`),
  ];
  let bytes = 0;
  const lines = all.filter((line) => {
    bytes += Buffer.byteLength(line) + 1;
    return bytes <= PART_LIMITS.folders;
  });
  if (lines.length < all.length) lines.push(`- and more: \`ls ${INSIDE.extra}\` shows them`);
  return lines.length === 0 ? [] : [`## Folders of your owner\n\n${lines.join('\n')}`];
}

/** What its tool servers say of themselves, by name. */
export function serverSections(servers: McpServers): string[] {
  const named = byName(Object.entries(servers).map(([name, { instructions }]) => ({ name, instructions })));
  return named.flatMap(({ name, instructions }) =>
    instructions ? [`## Tools named mcp__${name}__…\n\n${instructions.trim()}`] : [],
  );
}

function byName<T extends { name: string }>(all: readonly T[]): T[] {
  return all.toSorted((a, b) => (a.name < b.name ? -1 : Number(a.name > b.name)));
}

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** The agent's own folder with its memory. What is there already stays as it is. */
export function ensureAgentFolder(folder: string, name: string): void {
  const made = mkdirSync(folder, { recursive: true, mode: 0o700 }) !== undefined;
  // Only while nobody else has the folder: in an agent's own, a link could lead the host elsewhere.
  if (!made) return;
  const text = `# ${name}'s memory\n\nNotes that ${name} keeps across conversations.\n`;
  writeFileSync(join(folder, 'CLAUDE.local.md'), text, { mode: 0o600, flag: 'wx' });
}

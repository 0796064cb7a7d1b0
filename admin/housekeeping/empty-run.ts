import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Empties the folder of what lives as long as a host does. The folder of a session stays: a sandbox that outlived its host
 * has it mounted, and what is put into another one in its place would never reach it.
 */
export function emptyRun(folder: string): void {
  mkdirSync(folder, { recursive: true, mode: 0o711 });
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    const isSessions = entry.isDirectory() && entry.name.startsWith('sess-');
    for (const gone of isSessions ? readdirSync(path).map((name) => join(path, name)) : [path]) {
      rmSync(gone, { recursive: true, force: true });
    }
  }
}

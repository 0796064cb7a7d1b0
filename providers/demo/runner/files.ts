import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import type { Asked } from './prompt.ts';

/** Files of the agent's own, and those that were sent to it. */

const MAX_READ = 16 * 1024;

export function filesText(files: Asked['files']): string {
  const lines = files.map(({ name, path }) =>
    path === undefined ? `${name} did not reach me.` : `I have ${name}. It lies at ${path}`,
  );
  const first = files.find(({ path }) => path !== undefined);
  return [...lines, ...(first ? [`Try: read ${first.name}`] : [])].join('\n');
}

/** What stands in a file. One that is not in the folder may have been sent. */
export async function readNamed(cwd: string, name: string): Promise<string> {
  const own = resolve(cwd, name);
  const path = (await isThere(own)) ? own : await newestSent(cwd, name);
  if (path === undefined) return `There is no ${name}, neither in my folder nor among what was sent to me.`;
  const text = await readFile(path, 'utf8');
  return text.length > MAX_READ ? `${text.slice(0, MAX_READ)}\n… (cut)` : text || `${name} is empty.`;
}

/** The host keeps each message's files in a folder of their own, behind a number. */
async function newestSent(cwd: string, name: string): Promise<string | undefined> {
  if (name !== basename(name)) return undefined;
  const inbox = join(cwd, '../inbound/inbox');
  const folders = await readdir(inbox).catch(() => []);
  let newest: { path: string; at: number } | undefined;
  for (const folder of folders) {
    for (const file of await readdir(join(inbox, folder)).catch(() => [])) {
      if (file !== name && file.replace(/^\d+-/, '') !== name) continue;
      const path = join(inbox, folder, file);
      const at = (await stat(path)).mtimeMs;
      if (!newest || at >= newest.at) newest = { path, at };
    }
  }
  return newest?.path;
}

function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

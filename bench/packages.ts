import { execFileSync } from 'node:child_process';
import { lstatSync, readdirSync } from 'node:fs';
import { isAbsolute, join, relative } from 'node:path';
import { z } from 'zod';
import { CODE } from '../test/support/host-process.ts';

/** What `pnpm install --prod` brings for a package of this workspace, by name and version, with where it lies. */

interface Listed {
  version: string;
  path?: string | undefined;
  dependencies?: Record<string, Listed> | undefined;
}

const Listed: z.ZodType<Listed> = z.lazy(() =>
  z.object({
    version: z.string(),
    path: z.string().optional(),
    dependencies: z.record(z.string(), Listed).optional(),
  }),
);
const Projects = z.array(z.object({ dependencies: z.record(z.string(), Listed).optional() }));

/** `filter`: a package's name, or the path of its folder. Its own workspace's packages count by what they bring. */
export function packagesOf(filter: string): Map<string, string> {
  const found = new Map<string, string>();
  const looked = new Set<string>();
  const look = (one: string): void => {
    if (looked.has(one)) return;
    looked.add(one);
    const named = isAbsolute(one) ? `./${relative(CODE, one)}` : one;
    const given = ['list', '--prod', '--depth', '99', '--json', '--filter', named];
    const said = execFileSync(join(CODE, '.runtime/bin/pnpm'), given, { cwd: CODE, maxBuffer: 64 * 1024 * 1024 });
    for (const { dependencies = {} } of Projects.parse(JSON.parse(said.toString()))) walk(dependencies);
  };
  const walk = (dependencies: Record<string, Listed>): void => {
    for (const [name, { version, path = '', dependencies: more = {} }] of Object.entries(dependencies)) {
      if (version.startsWith('link:')) look(path === '' ? name : path);
      else found.set(`${name}@${version}`, path);
      walk(more);
    }
  };
  look(filter);
  return found;
}

export function hostPackages(): Map<string, string> {
  return packagesOf('nanoclaw');
}

/** Of files, in bytes; packages inside it are counted by themselves. */
export function sizeOf(folder: string): number {
  let bytes = 0;
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (entry.name === 'node_modules') continue;
    const path = join(folder, entry.name);
    bytes += entry.isDirectory() ? sizeOf(path) : lstatSync(path).size;
  }
  return bytes;
}

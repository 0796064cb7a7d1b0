import { realpathSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Found } from './make.ts';
import { BUILDS, isOfPackage, readFresh } from './manifest.ts';
import { createStackFormatter } from './stacks.ts';
import { noteUse } from './users.ts';

/** The host as a few files instead of some four hundred: docs/decisions/0016. A cache, made anew when a source has changed. */

/**
 * The address to import instead of `src/start.ts`. undefined: the sources are to be used, since NANOCLAW_FROM_SOURCE=1 says so, or
 * nothing can be made here, of which a line on stderr says why.
 */
export async function useBundle(root: string): Promise<string | undefined> {
  if (process.env.NANOCLAW_FROM_SOURCE === '1') return undefined;
  const found = current(root) ?? (await import('./make.ts')).makeBundle(root);
  if (!found) return undefined;
  redirect(root, found);
  Error.prepareStackTrace = createStackFormatter(root, found.build);
  return pathToFileURL(join(found.build, found.manifest.entries['src/start.ts'] ?? '')).href;
}

function current(root: string): Found | undefined {
  try {
    const build = realpathSync(join(root, '.runtime', BUILDS, 'current'));
    // Noted before it is looked at: what is there then, stays.
    const use = noteUse(build);
    const manifest = readFresh(root, build);
    if (manifest) return { build, manifest };
    use.forget();
  } catch {
    // There is none.
  }
  return undefined;
}

/**
 * Leads an import by path to the module that the bundle has of it. From within the bundle, throws for what it has and can't give
 * alone: a second copy would know nothing of the first. To what comes from elsewhere (a channel of one's own) such a copy is given.
 */
function redirect(root: string, { build, manifest }: Found): void {
  const home = `${pathToFileURL(build).href}/`;
  const checkout = `${pathToFileURL(root).href}/`;
  const inside = new Set(manifest.inputs.map(([path]) => path).filter((path) => !isOfPackage(path)));
  registerHooks({
    resolve(specifier, context, next) {
      const isWithin = context.parentURL?.startsWith(home) === true;
      // Of the bundle's files among themselves: known without a look at the disk.
      if (isWithin && specifier.startsWith('.')) {
        return { url: new URL(specifier, context.parentURL).href, format: 'module', shortCircuit: true };
      }
      const [, importer, wanted] = /^from:(.+)!(.+)$/s.exec(specifier) ?? [];
      if (importer !== undefined && wanted !== undefined) {
        return next(wanted, { ...context, parentURL: pathToFileURL(join(root, importer)).href });
      }
      const resolved = next(specifier, context);
      const path = resolved.url.startsWith(checkout) ? decodeURI(resolved.url.slice(checkout.length)) : '';
      if (!inside.has(path)) return resolved;
      const entry = manifest.entries[path];
      if (entry !== undefined) return { ...resolved, url: pathToFileURL(join(build, entry)).href, format: 'module' };
      if (isWithin)
        throw new Error(`${path} is in the host's bundle already, and no entry of it (setup/bundle/build.ts).`);
      return resolved;
    },
  });
}

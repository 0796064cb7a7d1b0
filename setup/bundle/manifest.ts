import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** What a bundle of the host says of itself: `.runtime/host/<build>/manifest.json`, and `current`, a link to the newest build. */
export interface Manifest {
  /** The checkout: paths of it are in the bundle. */
  root: string;
  /** What is imported by a path made at run time, and what it is in the bundle. Paths below the checkout, and below the build. */
  entries: Record<string, string>;
  /** Every file that is in it or decides what is: path below the checkout. */
  inputs: [path: string, changed: number, size: number][];
  /** Path below the build, size in bytes. */
  outputs: [path: string, size: number][];
  /** The names in the folders from which entries are taken. */
  listed: Record<string, string[]>;
}

/** Below `.runtime/`. */
export const BUILDS = 'host';
export const LISTED = ['channels', 'providers'];

/** undefined: there is none, or not of this form of the checkout's files, or not all of it. */
export function readFresh(root: string, build: string): Manifest | undefined {
  try {
    const manifest: Manifest = JSON.parse(readFileSync(join(build, 'manifest.json'), 'utf8'));
    const { inputs, outputs, listed } = manifest;
    if (manifest.root !== root) return undefined;
    for (const [folder, names] of Object.entries(listed)) {
      if (namesIn(join(root, folder)).join('/') !== names.join('/')) return undefined;
    }
    for (const [path, changed, size] of inputs) {
      const [, now, sizeNow] = inputAt(root, path);
      if (now !== changed || sizeNow !== size) return undefined;
    }
    for (const [path, size] of outputs) {
      if (statSync(`${build}/${path}`, { throwIfNoEntry: false })?.size !== size) return undefined;
    }
    return manifest;
  } catch {
    return undefined;
  }
}

/**
 * A file as it is: size -1 where there is none. Of the checkout's own, the time of the inode's last change (ms since the
 * epoch): nothing that writes a file can leave that as it was. Of a package's, that of the content, since a link more is a change
 * of the inode. No `join` here: called so often, it would wake V8's optimizing compiler, which is 5 MB of the process from then on.
 */
export function inputAt(root: string, path: string): Manifest['inputs'][number] {
  const now = statSync(`${root}/${path}`, { throwIfNoEntry: false });
  return now ? [path, isOfPackage(path) ? now.mtimeMs : now.ctimeMs, now.size] : [path, 0, -1];
}

export function isOfPackage(path: string): boolean {
  return path.includes('node_modules/');
}

export function namesIn(folder: string): string[] {
  return readdirSync(folder).sort();
}

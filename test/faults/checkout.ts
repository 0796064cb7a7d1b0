import { execFileSync } from 'node:child_process';
import {
  copyFileSync,
  cpSync,
  existsSync,
  globSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { CODE } from '../support/host-process.ts';

/** A copy of this checkout as it is now, to be spoilt. Packages and runtimes are this checkout's own. */

export interface Checkout extends Disposable {
  folder: string;
  /** Replaces a text that must be there exactly once; returns how to undo it. */
  replace(file: string, text: string, by: string): () => void;
}

export function copyCheckout(): Checkout {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'nanoclaw-mutant-')));
  const tracked = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    cwd: CODE,
    encoding: 'utf8',
  });
  for (const file of tracked.split('\0').filter((name) => name !== '' && isFile(join(CODE, name)))) {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    copyFileSync(join(CODE, file), join(folder, file));
  }
  for (const name of ['node_modules', '.runtime']) symlinkSync(join(CODE, name), join(folder, name));
  // A package's own are links that lead out of it: they must lead to the same places of the copy, in a sandbox as well.
  for (const path of globSync(['protocol', 'container/agent-runner', 'providers/*'], { cwd: CODE })) {
    const own = join(path, 'node_modules');
    if (existsSync(join(CODE, own)))
      cpSync(join(CODE, own), join(folder, own), { recursive: true, verbatimSymlinks: true });
  }
  return {
    folder,
    replace(file, text, by) {
      const path = join(folder, file);
      const before = readFileSync(path, 'utf8');
      const found = before.split(text).length - 1;
      if (found !== 1) throw new Error(`${file} has this ${found} times: ${text}`);
      writeFileSync(
        path,
        before.replace(text, () => by),
      );
      return () => writeFileSync(path, before);
    },
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  };
}

function isFile(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isFile() ?? false;
}

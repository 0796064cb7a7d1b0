/** A checkout that holds no more than what an image is made of, with programs that are none: a build takes a second. */
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

const CODE = path.join(import.meta.dirname, '../../..');
const SCRIPTS = ['build.sh', 'context.sh', 'engine.sh', 'agent-browser.sh', 'packages.tsv'].map(
  (name) => `container/${name}`,
);
const SETUP = ['steps.sh', 'machine.sh', 'runtimes.sh', 'runtimes.tsv'].map((name) => `setup/${name}`);

export interface Checkout extends Disposable {
  folder: string;
  /** All that a sandbox needs to start, of this machine: to be copied over nothing. */
  readonly root: string;
  /** Takes the Dockerfile's place. */
  dockerfile(...lines: string[]): void;
}

export function makeCheckout(): Checkout {
  const folder = mkdtempSync(path.join(tmpdir(), 'nanoclaw-image-'));
  for (const file of [...SCRIPTS, ...SETUP]) cpSync(path.join(CODE, file), path.join(folder, file));
  for (const line of readFileSync(path.join(CODE, 'setup/runtimes.tsv'), 'utf8').split('\n')) {
    const [on = '#', name = '', , version = '', file = ''] = line.split('\t');
    if (on.startsWith('#') || line === '') continue;
    const program = path.join(folder, '.runtime', `${name}-${version}`, file);
    mkdirSync(path.dirname(program), { recursive: true });
    writeFileSync(program, '#!/bin/sh\n', { mode: 0o755 });
  }
  const node = path.join(folder, '.runtime');
  const [runtime = ''] = readdirSync(node).filter((name) => name.startsWith('node-'));
  copyRoot(path.join(node, runtime, 'root'));
  return {
    folder,
    root: 'programs/node/root/',
    dockerfile(...lines) {
      const text = ['ARG BASE_IMAGE', ...lines, ''];
      writeFileSync(path.join(folder, 'container/Dockerfile'), text.join('\n'));
    },
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** A shell, its libraries, and an init that is no more than a name: what is of interest is what becomes of the image. */
function copyRoot(root: string): void {
  const programs = ['/bin/sh', '/usr/bin/env', '/usr/bin/stat'];
  const libraries = spawnSync('ldd', programs, { encoding: 'utf8' }).stdout.match(/(?<=^\s.*)\/\S+/gm) ?? [];
  for (const file of new Set([...programs, ...libraries])) {
    mkdirSync(path.dirname(path.join(root, file)), { recursive: true });
    copyFileSync(file, path.join(root, file));
  }
  const init = path.join(root, 'usr/bin/tini');
  mkdirSync(path.dirname(init), { recursive: true });
  writeFileSync(init, '#!/bin/sh\nshift\nexec "$@"\n');
  chmodSync(init, 0o755);
}

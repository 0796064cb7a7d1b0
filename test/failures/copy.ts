import { cpSync, mkdtempSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CODE } from '../support/host-process.ts';
import { linkRuntime } from '../support/link-runtime.ts';

const FOLDERS = [
  'src',
  'admin',
  'assistant',
  'channels',
  'cli',
  'drivers',
  'protocol',
  'vault',
  'container',
  'providers',
  'setup/bundle',
];

/** A checkout of one's own, to break: the sources as copies, what was downloaded as links. */
export function copyCheckout(): { code: string } & Disposable {
  const code = realpathSync(mkdtempSync(join(tmpdir(), 'nanoclaw-checkout-')));
  for (const part of [...FOLDERS, 'test/support', 'package.json']) {
    cpSync(join(CODE, part), join(code, part), { recursive: true, verbatimSymlinks: true });
  }
  symlinkSync(join(CODE, 'node_modules'), join(code, 'node_modules'));
  linkRuntime(CODE, code);
  return { code, [Symbol.dispose]: () => rmSync(code, { recursive: true, force: true }) };
}

import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A repository on this machine's disk, as somebody would publish a channel. */
export interface Repository extends Disposable {
  folder: string;
  /** With these files over what is there; returns the commit. */
  commit(files: Readonly<Record<string, string>>): string;
  /** As `ncl channels add` takes it. */
  source(commit: string): string;
  git(...args: string[]): string;
}

export function createRepository(from: string): Repository {
  const folder = mkdtempSync(join(tmpdir(), 'nanoclaw-repository-'));
  cpSync(from, folder, { recursive: true });
  const git = (...args: string[]) =>
    execFileSync('git', ['-C', folder, '-c', 'user.name=Ann', '-c', 'user.email=ann@example.org', ...args])
      .toString()
      .trim();
  git('init', '-q');
  git('config', 'uploadpack.allowReachableSHA1InWant', 'true');
  return {
    folder,
    git,
    commit(files) {
      for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
      git('add', '-A');
      git('commit', '-q', '--allow-empty', '-m', 'The channel');
      return git('rev-parse', 'HEAD');
    },
    source: (commit) => `git+file://${folder}#${commit}`,
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  };
}

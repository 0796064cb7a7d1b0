import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { after } from 'node:test';
import { fileURLToPath } from 'node:url';

const started: ChildProcess[] = [];
after(() => {
  for (const child of started) child.kill('SIGKILL');
});

/** Starts a writer with the runtime that runs the test. It does not outlive the test file, whatever fails in it. */
export function startWriter(...args: (string | number)[]): Started {
  return startScript('writer', ...args);
}

export function startScript(name: 'writer' | 'publisher', ...args: (string | number)[]): Started {
  const script = fileURLToPath(new URL(`./${name}.ts`, import.meta.url));
  const child = spawn(process.execPath, [script, ...args.map(String)], { stdio: ['ignore', 'inherit', 'inherit'] });
  started.push(child);
  const ended = once(child, 'exit').then(([code, signal]) => code ?? signal);
  return { child, ended };
}

interface Started {
  child: ChildProcess;
  /** Its exit code, or the signal that ended it. */
  ended: Promise<number | string>;
}

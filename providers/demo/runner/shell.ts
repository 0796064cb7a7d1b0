import { spawn } from 'node:child_process';
import { endMarked, TOOL_MARK } from '@nanoclaw/agent-runner/processes';

const MAX_OUTPUT = 16 * 1024;

/** How long what is ended at its timeout has to tidy up. */
const GRACE_MS = 2000;

/** Runs a command in a real shell and says how it went. Never rejects; `signal` and the timeout end all that it started. */
export function runShell(command: string, cwd: string, timeoutMs: number, signal: AbortSignal): Promise<string> {
  return new Promise((resolve) => {
    // What the shell has started is known by its mark, in whatever group or session it is by then.
    const mark = crypto.randomUUID();
    const env = { ...process.env, [TOOL_MARK]: mark };
    const child = spawn('bash', ['-c', command], { cwd, env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    let cut = false;
    const take = (chunk: Buffer) => {
      if (output.length < MAX_OUTPUT) output += chunk.toString('utf8');
      else cut = true;
    };
    child.stdout.on('data', take);
    child.stderr.on('data', take);
    let ending = '';
    const end = (why: string, graceMs: number) => {
      ending = why;
      endMarked(mark, graceMs);
    };
    const timer = setTimeout(() => end(`ended after ${timeoutMs / 1000} s`, GRACE_MS), timeoutMs);
    const abort = () => end('stopped', 0);
    signal.addEventListener('abort', abort);
    const finish = (how: string) => {
      clearTimeout(timer);
      signal.removeEventListener('abort', abort);
      const shown = output.trimEnd();
      resolve(`${shown}${cut ? '\n… (cut)' : ''}${shown === '' ? '' : '\n'}(${ending || how})`);
    };
    child.on('error', (error) => finish(`could not be run: ${error.message}`));
    child.on('close', (code, by) => finish(by ? `ended by ${by}` : `exit code ${code}`));
  });
}

import { spawn } from 'node:child_process';

const MAX_OUTPUT = 16 * 1024;

/** Runs a command in a real shell and says how it went. Never rejects; `signal` and the timeout end all that it started. */
export function runShell(command: string, cwd: string, timeoutMs: number, signal: AbortSignal): Promise<string> {
  return new Promise((resolve) => {
    // A group of its own, so that what the shell has started ends with it.
    const child = spawn('bash', ['-c', command], { cwd, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    let cut = false;
    const take = (chunk: Buffer) => {
      if (output.length < MAX_OUTPUT) output += chunk.toString('utf8');
      else cut = true;
    };
    child.stdout.on('data', take);
    child.stderr.on('data', take);
    let ending = '';
    const kill = (why: string) => {
      ending = why;
      try {
        if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
      } catch {
        // It has ended in the meantime.
      }
    };
    const timer = setTimeout(() => kill(`ended after ${timeoutMs / 1000} s`), timeoutMs);
    const abort = () => kill('stopped');
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

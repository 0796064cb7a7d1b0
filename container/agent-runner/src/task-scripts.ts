import { spawn } from 'node:child_process';
import { cleanText, type MessageInRow } from '@nanoclaw/protocol';
import { z } from 'zod';
import { readMessage } from './mailbox/content.ts';
import { endMarked, TOOL_MARK } from './processes.ts';

/** Scripts that say whether a task is worth a turn. They run beside the turns, and no model hears of those that say no. */

type Verdict = { wake: true; data?: unknown } | { wake: false } | { problem: string };

export interface TaskScriptsOptions {
  cwd: string;
  /** One has ended. */
  changed(): void;
  settle(row: MessageInRow, problem: string | undefined): void;
  limitMs?: number;
}

/** Less than the time in which a sandbox has to take what is due. */
const LIMIT_MS = 30_000;
const AT_ONCE = 4;
const MAX_OUTPUT = 1024 * 1024;
const KEPT = 64 * 1024;
const SHOWN = 200;
/** For what is in the pipe still, when the script has ended and something that it started has not. */
const DRAIN_MS = 100;
const Said = z.object({ wakeAgent: z.boolean(), data: z.unknown().optional() });

export class TaskScripts {
  readonly #options: TaskScriptsOptions;
  /** By message; until it is settled, so that a turn that is tried again has the same data. One that runs can be ended. */
  readonly #verdicts = new Map<string, Verdict | AbortController>();

  constructor(options: TaskScriptsOptions) {
    this.#options = options;
  }

  /** Those that may be taken up. `all`: whatever is not settled. */
  sift(open: readonly MessageInRow[], all: readonly MessageInRow[]): MessageInRow[] {
    for (const [id, verdict] of this.#verdicts) {
      if (all.some((row) => row.id === id)) continue;
      if (verdict instanceof AbortController) verdict.abort();
      this.#verdicts.delete(id);
    }
    return open.flatMap((row) => {
      const read: ReturnType<typeof readMessage> = row.kind === 'task' ? readMessage(row) : { row, problem: '' };
      if (!('body' in read) || read.body.type !== 'task' || read.body.script === undefined) return [row];
      const verdict = this.#verdicts.get(row.id);
      if (verdict === undefined) this.#start(row.id, read.body.script);
      else if (verdict instanceof AbortController) return [];
      else if ('wake' in verdict && verdict.wake) {
        return [{ ...row, content: JSON.stringify({ ...read.body, script: undefined, data: verdict.data }) }];
      } else this.#options.settle(row, 'problem' in verdict ? verdict.problem : undefined);
      return [];
    });
  }

  #start(id: string, script: string): void {
    if ([...this.#verdicts.values()].filter((verdict) => verdict instanceof AbortController).length >= AT_ONCE) return;
    const running = new AbortController();
    this.#verdicts.set(id, running);
    const { cwd, limitMs = LIMIT_MS, changed } = this.#options;
    void runScript(script, cwd, limitMs, running.signal).then((verdict) => {
      if (this.#verdicts.get(id) === running) this.#verdicts.set(id, verdict);
      changed();
    });
  }
}

/** Never rejects. All that it started ends with it. */
export function runScript(script: string, cwd: string, limitMs: number, signal?: AbortSignal): Promise<Verdict> {
  if (script.includes('\0')) return Promise.resolve({ problem: 'there is a null byte in it' });
  return new Promise((resolve) => {
    const mark = crypto.randomUUID();
    const env = { ...process.env, [TOOL_MARK]: mark };
    const child = spawn('bash', ['-c', script], { cwd, env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
    let [out, err, size, ending] = ['', '', 0, ''];
    const end = (why: string) => {
      ending ||= why;
      endMarked(mark, 0);
      endGroup(child.pid);
    };
    signal?.addEventListener('abort', () => end('it was stopped'));
    const timer = setTimeout(() => end(`it took longer than ${limitMs / 1000} s`), limitMs);
    const count = (chunk: string) => {
      size += chunk.length;
      if (size > MAX_OUTPUT) end('it printed more than 1 MB');
    };
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      out = (out + chunk).slice(-KEPT);
      count(chunk);
    });
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
      err = (err + chunk).slice(-SHOWN);
      count(chunk);
    });
    const finish = (code: number | null) => {
      clearTimeout(timer);
      endMarked(mark, 0);
      endGroup(child.pid);
      resolve(
        ending === '' && code === 0 ? read(out) : { problem: ending || `exit code ${code}: ${shown(err || out)}` },
      );
    };
    child.on('error', (error) => {
      ending ||= error.message;
      finish(null);
    });
    child.on('exit', (code) => setTimeout(finish, DRAIN_MS, code));
    child.on('close', finish);
  });
}

/** Those that have dropped the mark, and have not left the group. */
function endGroup(leader: number | undefined): void {
  try {
    if (leader !== undefined) process.kill(-leader, 'SIGKILL');
  } catch {
    // Nobody is left.
  }
}

function read(out: string): Verdict {
  const line = out.trimEnd().split('\n').at(-1) ?? '';
  try {
    const { wakeAgent, data } = Said.parse(JSON.parse(line));
    return wakeAgent ? { wake: true, data } : { wake: false };
  } catch {
    return { problem: `its last line is not {"wakeAgent": true} or {"wakeAgent": false}: ${shown(line)}` };
  }
}

function shown(text: string): string {
  return cleanText(text).trim().slice(-SHOWN).toWellFormed() || 'it printed nothing';
}

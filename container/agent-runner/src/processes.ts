import { readdirSync, readFileSync } from 'node:fs';

/** A variable in the environment of what a tool starts. All that this starts in turn inherits it, a daemon too. */
export const TOOL_MARK = 'NANOCLAW_TOOL';

const TERM_GRACE_MS = 5000;
const AGAIN_MS = 200;
/** A process that can't even be killed waits for the kernel; the sandbox's own end is the last word on it. */
const ROUNDS = 10;

/**
 * Ends what carries this mark, and its children: SIGTERM, and SIGKILL after `graceMs` (0: at once). More than one round, since
 * what is being forked during a look is found by the next. Returns how many there were.
 */
export function endMarked(mark: string, graceMs = TERM_GRACE_MS, rounds = ROUNDS): number {
  const pids = markedPids(mark);
  for (const pid of pids) {
    try {
      process.kill(pid, graceMs > 0 ? 'SIGTERM' : 'SIGKILL');
    } catch {
      // It has ended in the meantime.
    }
  }
  if (pids.length > 0 && rounds > 1) setTimeout(endMarked, graceMs || AGAIN_MS, mark, 0, rounds - 1).unref();
  return pids.length;
}

/** Processes with the mark, and below them those that have dropped it. Never this one. */
function markedPids(mark: string): number[] {
  const text = `${TOOL_MARK}=${mark}`;
  const all = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  // A shell that sets the variable itself has it in its command line, and so have its forks.
  const marked = new Set(all.filter((pid) => `${textOf(pid, 'environ')}${textOf(pid, 'cmdline')}`.includes(text)));
  // Its parent's id follows its name, which stands in brackets and may hold anything.
  const parents = all.map((pid) => [pid, /^.*\) \S (\d+)/s.exec(textOf(pid, 'stat'))?.[1] ?? ''] as const);
  for (let size = -1; size !== marked.size; ) {
    size = marked.size;
    for (const [pid, parent] of parents) if (marked.has(parent)) marked.add(pid);
  }
  marked.delete(String(process.pid));
  return [...marked].map(Number);
}

/** Empty for a process that has ended, or that isn't ours to look at. */
function textOf(pid: string, file: 'environ' | 'cmdline' | 'stat'): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'latin1');
  } catch {
    return '';
  }
}

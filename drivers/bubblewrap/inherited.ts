/** Descriptors that this process was started with and that would go on into every child. Node opens its own close-on-exec. */
import { readdirSync, readFileSync } from 'node:fs';

const CLOSE_ON_EXEC = 0o2000000;

/** From the text of /proc/self/fdinfo/<n>. */
export function survivesExec(fdinfo: string): boolean {
  const flags = /^flags:\s+([0-7]+)$/m.exec(fdinfo)?.[1];
  return flags !== undefined && (Number.parseInt(flags, 8) & CLOSE_ON_EXEC) === 0;
}

export function inheritedDescriptors(): number[] {
  return readdirSync('/proc/self/fdinfo')
    .map(Number)
    .filter((fd) => {
      if (fd <= 2) return false;
      try {
        return survivesExec(readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8'));
      } catch {
        return false; // the listing's own descriptor, closed by now
      }
    });
}

/** A command line that starts `command` without them. Only bash can name a descriptor above 9. */
export function closingDescriptors(fds: readonly number[], command: readonly string[]): string[] {
  if (fds.length === 0) return [...command];
  return ['/bin/bash', '-c', `exec ${fds.map((fd) => `${fd}>&-`).join(' ')}; exec "$@"`, 'bash', ...command];
}

import { readFileSync } from 'node:fs';

/** The real uid of a process, on the host; null if it is gone. */
export function hostUid(pid: number): number | null {
  try {
    const uid = /^Uid:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return uid === undefined ? null : Number(uid);
  } catch {
    return null;
  }
}

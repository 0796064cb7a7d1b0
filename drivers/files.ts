/** Small files of a driver's own, which running sandboxes have mounted. */
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';

/** By a rename, and only when it differs: replacing a file takes its mount away in sandboxes that run. */
export function writeIfOther(file: string, content: Buffer): void {
  if (existsSync(file) && readFileSync(file).equals(content)) return;
  const fresh = `${file}.${process.pid}`;
  writeFileSync(fresh, content, { mode: 0o644 });
  renameSync(fresh, file);
}

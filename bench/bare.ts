import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { distribution, type Row } from './report.ts';

/** What the platform itself costs here, to hold the other figures against. */
export async function bareFigures(): Promise<Row[]> {
  const starts = Array.from({ length: 15 }, () => {
    const begun = performance.now();
    execFileSync(process.execPath, ['-e', '0']);
    return performance.now() - begun;
  });
  const rss = execFileSync(process.execPath, [
    '-e',
    "require('node:http'); require('node:sqlite'); setTimeout(() => console.log(process.memoryUsage().rss), 500)",
  ]);
  const folder = mkdtempSync(join(tmpdir(), 'nanoclaw-bench-'));
  const db = new DatabaseSync(join(folder, 'x.db'));
  db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; CREATE TABLE t (a)');
  const insert = db.prepare('INSERT INTO t VALUES (?)');
  const commits = Array.from({ length: 500 }, (_, index) => {
    const begun = performance.now();
    insert.run(index);
    return performance.now() - begun;
  });
  db.close();
  rmSync(folder, { recursive: true });
  return [
    distribution('bare Node: start to exit', starts, {}),
    { what: 'bare Node with http and sqlite: RSS', figure: `${Math.round(Number(String(rss)) / 1e6)} MB` },
    distribution('bare SQLite: one commit, WAL, synchronous=FULL', commits, {}),
    { what: 'cores', figure: String(readFileSync('/proc/cpuinfo', 'utf8').match(/^processor/gm)?.length ?? '?') },
  ];
}

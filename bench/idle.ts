import { readFileSync } from 'node:fs';
import { startHost } from '../test/support/host-process.ts';
import { fill } from './boot.ts';
import { hostPackages } from './packages.ts';
import type { Row } from './report.ts';

const WATCHED_MS = 15_000;

/** What a host costs that has nothing to do, with 1,000 sessions and none running. */
export async function idleFigures(): Promise<Row[]> {
  const first = await startHost();
  await first.end();
  fill(first.home, 1_000);
  const host = await startHost({ home: first.home });
  const pid = host.process.pid ?? 0;
  await new Promise((resolve) => setTimeout(resolve, 3_000));
  const before = cpuTicks(pid);
  await new Promise((resolve) => setTimeout(resolve, WATCHED_MS));
  // A tick is 10 ms.
  const share = ((cpuTicks(pid) - before) * 10) / WATCHED_MS;
  const rss = Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1000;
  await host.end();
  const packages = hostPackages().size;
  return [
    {
      what: 'host idle, 1,000 sessions: CPU',
      figure: `${(share * 100).toFixed(2)} % of a core`,
      budget: '≤ 0.5 %',
      missed: share > 0.005,
    },
    { what: 'host idle, 1,000 sessions: RSS', figure: `${Math.round(rss)} MB`, budget: '≤ 85 MB', missed: rss > 85 },
    { what: "host's packages", figure: String(packages), budget: '≤ 25', missed: packages > 25 },
  ];
}

function cpuTicks(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return Number(fields[11]) + Number(fields[12]);
}

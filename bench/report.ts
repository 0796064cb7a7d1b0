/** One line of the table. `budget` and `missed` where design section 11 has one. */
export interface Row {
  what: string;
  figure: string;
  budget?: string;
  missed?: boolean;
}

/** The value below which a share of the samples lies. */
export function percentile(samples: readonly number[], share: number): number {
  const sorted = samples.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

export function distribution(what: string, samples: readonly number[], budget: { p50?: number; p95?: number }): Row {
  const p50 = percentile(samples, 0.5);
  const p95 = percentile(samples, 0.95);
  const wanted = Object.entries(budget).map(([name, ms]) => `${name} ≤ ${ms} ms`);
  return {
    what: `${what} (n = ${samples.length})`,
    figure: `p50 ${p50.toFixed(1)}, p95 ${p95.toFixed(1)}, max ${Math.max(...samples).toFixed(1)} ms`,
    ...(wanted.length > 0 && {
      budget: wanted.join(', '),
      missed: p50 > (budget.p50 ?? Infinity) || p95 > (budget.p95 ?? Infinity),
    }),
  };
}

export function table(rows: readonly Row[]): string {
  const width = Math.max(...rows.map((row) => row.what.length));
  const figures = Math.max(...rows.map((row) => row.figure.length));
  return rows
    .map((row) => {
      const verdict = row.budget === undefined ? '' : `${row.missed ? 'MISSED' : 'ok    '} ${row.budget}`;
      return `${row.what.padEnd(width)}  ${row.figure.padEnd(figures)}  ${verdict}`.trimEnd();
    })
    .join('\n');
}

export function markdownRows(rows: readonly Row[]): string {
  const lines = rows.map(
    (row) =>
      `| ${row.what} | ${row.figure} | ${row.budget ?? ''} | ${row.budget ? (row.missed ? '**missed**' : 'met') : ''} |`,
  );
  return lines.join('\n');
}

export function markdown(rows: readonly Row[]): string {
  return `# Performance

Made by \`npm run bench -- --write\`, beside a bare Node and a bare SQLite in the same run. Times are of the machine
that it ran on (2 virtual cores, kernel 6.18, a virtual disk); only ratios carry over to another one. Times of a hop are taken at the
client of the terminal channel and inside the sandbox, by the same clock, so that they hold the socket's own cost as well; when a
result was written is the time in its row, to the millisecond.

| what | figure | budget | |
|---|---|---|---|
${markdownRows(rows)}
`;
}

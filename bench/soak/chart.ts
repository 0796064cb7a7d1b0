import type { SoakResult } from './run.ts';
import { MEMORY, tenths } from './verdict.ts';

/** A run as a picture: latency, memory and open handles over the messages. An SVG of our own, so that it needs no library. */

interface Line {
  name: string;
  colour: string;
  /** [share of the run, value] */
  points: readonly (readonly [number, number])[];
}

const WIDTH = 720;
const PANEL = 150;
const LEFT = 50;
const RIGHT = 120;
const GAP = 46;
const COLOURS = ['#1f6feb', '#d29922', '#2da44e'];

export function chart(result: SoakResult, messages: number): string {
  const over = (figure: (sample: SoakResult['samples'][number]) => number | undefined) =>
    result.samples.flatMap((sample): [number, number][] => {
      const value = figure(sample);
      return value === undefined ? [] : [[sample.answered / messages, value]];
    });
  const spreads = tenths(result);
  const panels: [title: string, lines: Line[]][] = [
    [
      'sent → answer at the platform, ms, by tenths of the run',
      (['p50', 'p95', 'p99'] as const).map((name, index) => ({
        name,
        colour: colour(index),
        points: spreads.map((spread, tenth) => [(tenth + 0.5) / 10, spread[name]] as const),
      })),
    ],
    [
      'resident memory, MB',
      MEMORY.map(([name, of], index) => ({
        name,
        colour: colour(index),
        points: over((sample) => {
          const kilobytes = of(sample);
          return kilobytes === undefined ? undefined : kilobytes / 1024;
        }),
      })),
    ],
    [
      'open handles',
      (['host', 'reader'] as const).map((name, index) => ({
        name,
        colour: colour(index),
        points: over((sample) => sample[name]?.descriptors),
      })),
    ],
  ];
  const height = panels.length * (PANEL + GAP);
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="sans-serif" font-size="12">
<title>Latency, memory and open handles over the run</title>
<rect width="${WIDTH}" height="${height}" fill="#fff"/>
${panels.map(([title, lines], index) => panel(title, lines, index * (PANEL + GAP), messages)).join('\n')}
</svg>
`;
}

function panel(title: string, lines: readonly Line[], top: number, messages: number): string {
  const highest = Math.max(...lines.flatMap(({ points }) => points.map(([, value]) => value))) * 1.1;
  const x = (share: number) => LEFT + share * (WIDTH - LEFT - RIGHT);
  const y = (value: number) => top + 24 + PANEL - (value / highest) * PANEL;
  const grid = [0, 0.5, 1].map((share) => {
    const at = y(share * highest).toFixed(1);
    const label = (share * highest).toFixed(highest < 10 ? 1 : 0);
    return `<path d="M${LEFT} ${at}H${WIDTH - RIGHT}" stroke="#ddd"/><text x="${LEFT - 6}" y="${at}" dy="4" text-anchor="end" fill="#666">${label}</text>`;
  });
  const drawn = lines.map(({ name, colour, points }, index) => {
    const path = points.map(([share, value]) => `${x(share).toFixed(1)} ${y(value).toFixed(1)}`).join('L');
    const legend = `<text x="${WIDTH - RIGHT + 10}" y="${top + 40 + index * 18}" fill="${colour}">${name}</text>`;
    return `<path d="M${path}" fill="none" stroke="${colour}" stroke-width="1.5"/>${legend}`;
  });
  const end = `<text x="${WIDTH - RIGHT}" y="${top + PANEL + 38}" text-anchor="end" fill="#666">${messages.toLocaleString('en')} messages</text>`;
  return [`<text x="${LEFT}" y="${top + 14}" fill="#111">${title}</text>`, ...grid, ...drawn, end].join('\n');
}

const colour = (index: number): string => COLOURS[index] ?? '#111';

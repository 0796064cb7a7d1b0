import { percentile } from './pulse.ts';

/** What a run amounts to, as Markdown. */

export interface Figures {
  count: number;
  p50: number;
  p95: number;
  max: number;
}

export interface Result {
  name: string;
  about: string;
  /** What the chat heard. */
  said: string;
  toldMs: number;
  healedMs: number;
  neighbour: Figures;
}

export function figuresOf(latencies: readonly number[]): Figures {
  return {
    count: latencies.length,
    p50: percentile(latencies, 0.5),
    p95: percentile(latencies, 0.95),
    max: latencies.reduce((most, each) => Math.max(most, each), 0),
  };
}

export function summary(results: readonly Result[], quiet: Figures, beats: Figures, limitMs: number): string[] {
  const told = figuresOf(results.map(({ toldMs }) => toldMs));
  return [
    `${results.length} hostile folders; each chat was told, and answered its next message.`,
    '',
    '| ms | p50 | p95 | max |',
    '|---|---:|---:|---:|',
    row('until the chat was told', told),
    row(`the neighbour's latency, without any case (${quiet.count} messages)`, quiet),
    row(`the neighbour's latency, all cases (${beats.count} messages)`, beats),
    '',
    `A case fails when the neighbour's p95 meanwhile is beyond ${limitMs.toFixed()} ms.`,
  ];
}

export function renderTable(results: readonly Result[]): string[] {
  return [
    '| case | what it is | what the chat heard | told, ms | neighbour p95, ms |',
    '|---|---|---|---:|---:|',
    ...results.map(
      ({ name, about, said, toldMs, neighbour }) =>
        `| ${cell(name)} | ${cell(about)} | ${cell(firstWords(said))} | ${toldMs.toFixed()} | ${neighbour.p95.toFixed()} |`,
    ),
  ];
}

function row(name: string, { p50, p95, max }: Figures): string {
  return `| ${name} | ${p50.toFixed()} | ${p95.toFixed()} | ${max.toFixed()} |`;
}

const MAX_WORDS = 140;

function firstWords(text: string): string {
  const plain = text.replaceAll(/[\p{Cc}\p{Cf}\p{Cs}\s]+/gu, ' ').trim();
  return plain.length > MAX_WORDS ? `${plain.slice(0, MAX_WORDS)} …` : plain;
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|');
}

import { percentile, type Row } from '../report.ts';
import { INTERRUPTED, type Sample, type SoakResult } from './run.ts';

/** What a soak has to show. Pure: figures of a run in, rows of a table out. */

/** The first part of a run, in which heaps and caches find their size. */
const WARM_UP = 0.05;
const MEMORY_GROWTH = 0.05;
const SLOWER = 0.2;
/** A file is open for a moment now and then: as many more are no growth. */
const HANDLES_MORE = 2;

export interface Spread {
  p50: number;
  p95: number;
  p99: number;
}

/** Latency of each tenth of the answers, in ms. */
export function tenths({ latencies }: Pick<SoakResult, 'latencies'>): Spread[] {
  return Array.from({ length: 10 }, (_, index) => {
    const from = Math.floor((latencies.length * index) / 10);
    const part = [...latencies.subarray(from, Math.floor((latencies.length * (index + 1)) / 10))];
    return { p50: percentile(part, 0.5), p95: percentile(part, 0.95), p99: percentile(part, 0.99) };
  });
}

/** A figure right after the warm-up, at half the run and at its end: the median over a twentieth of it. */
export function change(
  result: SoakResult,
  figure: (sample: Sample) => number | undefined,
): [start: number, half: number, end: number] {
  const { samples, sent } = result;
  const median = (from: number, to: number): number =>
    percentile(
      samples.flatMap((sample) => {
        const value = figure(sample);
        return sample.answered >= from * sent && sample.answered <= to * sent && value !== undefined ? [value] : [];
      }),
      0.5,
    );
  return [median(WARM_UP, 2 * WARM_UP), median(0.5 - WARM_UP / 2, 0.5 + WARM_UP / 2), median(1 - WARM_UP, 1)];
}

export const MEMORY: readonly [name: string, of: (sample: Sample) => number | undefined][] = [
  ['host', (sample) => sample.host.rss],
  ['reader', (sample) => sample.reader?.rss],
  ['runners, mean', (sample) => mean(sample.runners.map(({ rss }) => rss))],
];

export function verdict(result: SoakResult, messages: number): Row[] {
  const { answered, sent, doubled, repeats, outcomes, deliveries, seconds } = result;
  const settled = Object.values(outcomes).reduce((sum, count) => sum + count, 0);
  // What was under way when somebody ended the run is not lost.
  const expected = result.cut === INTERRUPTED ? answered : messages;
  const unsettled = result.cut === INTERRUPTED ? 0 : Math.abs(settled - sent);
  const lost = expected - Math.min(answered, outcomes.reply ?? 0, deliveries.sent ?? 0);
  const tooMany = doubled + repeats + Math.max(0, (deliveries.sent ?? 0) - sent);
  const spreads = tenths(result);
  const [first, last] = [spreads[0]?.p99 ?? Number.NaN, spreads.at(-1)?.p99 ?? Number.NaN];
  return [
    {
      what: 'messages, each answered before the next in its chat',
      figure: `${answered} of ${messages} in ${Math.round(seconds)} s, ${Math.round(answered / seconds)}/s${result.cut ? `; cut: ${result.cut}` : ''}`,
      budget: 'all',
      missed: answered !== messages,
    },
    claim('lost, by the platform and by the central database', lost + unsettled, '0', lost + unsettled !== 0),
    claim('doubled', tooMany, '0', tooMany !== 0),
    ...MEMORY.map(([name, of]) => {
      const figures = change(result, of);
      const [start, half, end] = figures;
      // Each runner has a share of the messages only, and its heap finds its size after some thousand of its own.
      const from = name.startsWith('runners')
        ? { since: 'half', growth: end / half - 1 }
        : { since: 'the start', growth: end / start - 1 };
      const grown = `${from.growth < 0 ? '−' : '+'}${Math.abs(from.growth * 100).toFixed(1)} %`;
      return claim(
        `memory of the ${name}: after 5 %, at half, at the end`,
        `${figures.map(megabytes).join(', ')} MB: ${grown} since ${from.since}`,
        '< 5 %',
        !(from.growth < MEMORY_GROWTH),
      );
    }),
    ...(['host', 'reader'] as const).map((who) => {
      const [start, , end] = change(result, (sample) => sample[who]?.descriptors);
      return claim(`open handles of the ${who}`, `${start} → ${end}`, 'flat', !(end <= start + HANDLES_MORE));
    }),
    claim(
      'p99 of the first tenth → of the last',
      `${first.toFixed(1)} → ${last.toFixed(1)} ms`,
      'at most 20 % more',
      !(last <= first * (1 + SLOWER)),
    ),
  ];
}

function claim(what: string, figure: string | number, budget: string, missed: boolean): Row {
  return { what, figure: String(figure), budget, missed };
}

export function mean(values: readonly number[]): number | undefined {
  return values.length === 0 ? undefined : values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** From KB, as /proc has it. */
const megabytes = (kilobytes: number) => (kilobytes / 1024).toFixed(1);

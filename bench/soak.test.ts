import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withPart, withPartsOf } from './parts.ts';
import { chart } from './soak/chart.ts';
import { soakSection } from './soak/page.ts';
import { type SoakResult, soak } from './soak/run.ts';
import { change, verdict } from './soak/verdict.ts';

test('800 messages in four chats: each is answered once, no handle stays open, and the host does not slow down', async () => {
  const options = { messages: 800, chats: 4 };
  const result = await soak(options);
  assert.deepEqual(
    { ...result, latencies: 0, samples: 0, seconds: 0 },
    {
      sent: 800,
      answered: 800,
      doubled: 0,
      repeats: 0,
      outcomes: { reply: 800 },
      deliveries: { sent: 800 },
      latencies: 0,
      samples: 0,
      seconds: 0,
      cut: undefined,
    },
  );
  const [handles, , handlesAtEnd] = change(result, (sample) => sample.host.descriptors);
  assert.ok(handlesAtEnd <= handles + 2, `${handles} → ${handlesAtEnd} handles`);
  const [processor, processorAtEnd] = costs(result);
  // Work that grows with what was said before would be half as much again by then.
  assert.ok(processorAtEnd < processor * 1.5, `${processor.toFixed(2)} → ${processorAtEnd.toFixed(2)} ms a message`);
  assert.equal(verdict(result, 800).length, 9);
  assert.match(chart(result, 800), /^<svg [\s\S]*800 messages/);
  const section = soakSection(options, result, verdict(result, 800));
  const twice = withPart(withPart('# Page\n', 'soak', section), 'soak', section);
  assert.equal(twice, `# Page\n\n${section}`);
  assert.equal(withPartsOf(twice, '# New\n'), `# New\n\n${section}`);
});

/** Processor time of the host for a message, in the second quarter of the run and in the last. */
function costs({ samples, sent }: SoakResult): [number, number] {
  const between = (from: number, to: number): number => {
    const part = samples.filter(({ answered }) => answered >= from * sent && answered <= to * sent);
    const [first, last] = [part[0], part.at(-1)];
    assert.ok(first && last);
    return (last.host.cpu - first.host.cpu) / (last.answered - first.answered);
  };
  return [between(0.25, 0.5), between(0.75, 1)];
}

function example(change: Partial<SoakResult> = {}): SoakResult {
  const figures = (rss: number) => ({ rss, descriptors: 20, threads: 5, cpu: 0 });
  const samples = Array.from({ length: 101 }, (_, index) => ({
    answered: index * 10,
    host: figures(100_000),
    reader: figures(50_000),
    runners: [figures(60_000)],
    sizes: { database: 0, log: 0, sandboxLogs: 0, mailboxes: 0 },
  }));
  return {
    sent: 1_000,
    answered: 1_000,
    doubled: 0,
    repeats: 0,
    outcomes: { reply: 1_000 },
    deliveries: { sent: 1_000 },
    seconds: 10,
    latencies: new Float64Array(1_000).fill(10),
    samples,
    cut: undefined,
    ...change,
  };
}

const late = (index: number, change: object) =>
  example().samples.map((sample, at) => (at < index ? sample : { ...sample, ...change }));
const bad: [what: string, result: SoakResult, claim: RegExp][] = [
  ['a message without an answer', example({ answered: 999 }), /^messages|^lost/],
  ['one that the database has twice', example({ outcomes: { reply: 1_001 } }), /^lost/],
  ['an answer more', example({ doubled: 1 }), /^doubled/],
  ['a delivery more', example({ deliveries: { sent: 1_001 } }), /^doubled/],
  [
    'a host that grows',
    example({ samples: late(50, { host: { rss: 106_000, descriptors: 20, threads: 5, cpu: 0 } }) }),
    /^memory of the host/,
  ],
  [
    'handles that stay',
    example({ samples: late(50, { host: { rss: 100_000, descriptors: 25, threads: 5, cpu: 0 } }) }),
    /^open handles of the host/,
  ],
  [
    'a slower end',
    example({ latencies: Float64Array.from({ length: 1_000 }, (_, at) => (at < 900 ? 10 : 13)) }),
    /^p99/,
  ],
];
test('a run as it should be meets every claim', () => {
  assert.deepEqual(
    verdict(example(), 1_000).filter(({ missed }) => missed),
    [],
  );
});
for (const [what, result, claim] of bad) {
  test(`${what} is seen`, () => {
    const missed = verdict(result, 1_000).filter((row) => row.missed);
    assert.ok(missed.length > 0 && missed.every((row) => claim.test(row.what)), JSON.stringify(missed));
  });
}

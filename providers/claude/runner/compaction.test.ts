import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compactionText } from './compaction.ts';

test('what came of a summary, in a sentence', () => {
  const of = (before: number, after?: number) => compactionText('Compacted', { before, after });
  assert.equal(of(123_456, 8_765), 'Summarised: from about 120,000 to 8,800 tokens.');
  assert.equal(of(999_999, 42), 'Summarised: from about 1,000,000 to 42 tokens.');
  assert.equal(of(5_120), 'Summarised: there were about 5,100 tokens.');
  assert.equal(of(0, 0), 'Summarised, but it was short already: there were about 0 tokens.');
  for (const printed of ['Error: No messages to compact', 'Not enough messages to compact.'])
    assert.equal(compactionText(printed, undefined), 'There is nothing to summarise yet.');
  assert.match(compactionText('', undefined), /^It could not be summarised/);
});

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { MAX_DRAFT_BYTES } from '@nanoclaw/protocol';
import fc from 'fast-check';
import { readOutcome } from './outcome.ts';
import { readPartial } from './partial.ts';

describe('readPartial', () => {
  const cases: [name: string, text: string, shown: string][] = [
    ['plain text', 'hello, I am', 'hello, I am'],
    ['a comparison is no tag', 'if a < b and c > d', 'if a < b and c > d'],
    ['internal text, unfinished', 'yes <internal>the key is 1', 'yes'],
    ['internal text that is over', 'yes <internal>the key</internal> and', 'yes  and'],
    ['the beginning of a tag', 'yes <inter', 'yes'],
    ['the beginning of its end', 'a <internal>x</inter', 'a'],
    ['tags that form one together', 'a <inter<internal>x</internal>nal>secret', 'a'],
    ['a bracket alone', 'yes <', 'yes'],
    ['a block', 'Done. <message to="ann">psst', 'Done.'],
    ['a block with a bracket in it', 'Done. <message note="1>0" to="ann">psst', 'Done.'],
    ['a block that is over', 'Done. <message to="ann">psst</message> More', 'Done.'],
    ['a block that may be code', 'See `<message to="ann">psst', 'See `'],
    ['a block in capitals', 'Done. <MESSAGE to=ann>psst', 'Done.'],
    ['nothing but what is hidden', '<message to="ann">psst', ''],
  ];
  for (const [name, text, shown] of cases) it(name, () => assert.equal(readPartial(text), shown));

  it('is no longer than the host takes', () => {
    const shown = readPartial('🙂'.repeat(MAX_DRAFT_BYTES));
    assert.ok(Buffer.byteLength(shown) <= MAX_DRAFT_BYTES);
    assert.match(shown, /^🙂+$/u);
  });

  it('takes no longer for a text that is full of brackets', () => {
    const begun = performance.now();
    for (const piece of ['<', '<i', '<mess', '</internal', '<i>']) readPartial(`${piece.repeat(16_000)}x`);
    assert.ok(performance.now() - begun < 1_000, `${performance.now() - begun} ms`);
  });

  it('shows nothing that the answer will not begin with, wherever it is looked at', () => {
    const pieces = ['<internal>', '</internal>', '<inter', 'nal>', '<message to="a">', '</message>', '<message>'];
    const others = [
      '`',
      '```',
      '```x\n',
      '\n',
      ' ',
      'secret',
      'word',
      '<',
      '>',
      '/',
      '<Message to=b',
      '"',
      '<internal/>',
    ];
    const origin = { channel_type: 't', platform_id: 'c', thread_id: null };
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...pieces, ...others), { maxLength: 25 }), (parts) => {
        const text = parts.join('');
        const own = readOutcome(text, [], origin).own.join('\n\n');
        for (let end = 1; end <= text.length; end++) {
          const shown = readPartial(text.slice(0, end));
          assert.ok(own.startsWith(shown), JSON.stringify({ text, end, shown, own }));
        }
      }),
      { numRuns: 3_000 },
    );
  });
});

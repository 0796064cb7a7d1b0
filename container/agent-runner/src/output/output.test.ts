import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { readBlocks } from './blocks.ts';
import { stripInternal } from './internal.ts';
import { readOutcome } from './outcome.ts';

const FENCED = 'see:\n```xml\n</message>\n```\nend';

describe('readBlocks', () => {
  const cases: [name: string, text: string, own: string[], blocks: [string, string][], broken?: string[]][] = [
    ['plain text', 'hello', ['hello'], []],
    ['nothing', ' \n ', [], []],
    ['a block alone', '<message to="a">x</message>', [], [['a', 'x']]],
    [
      'text around blocks',
      'p <message to="a">x</message> q <message to=\'b\'>y</message> r',
      ['p', 'q', 'r'],
      [
        ['a', 'x'],
        ['b', 'y'],
      ],
    ],
    ['other attributes, no quotes, capitals', '<Message id="3"  to = a >x</MESSAGE >', [], [['a', 'x']]],
    ['a > in an attribute', '<message note="1>0" to="a">x</message>', [], [['a', 'x']]],
    ['entities in a name', '<message to="Tom &amp; Co">x</message>', [], [['Tom & Co', 'x']]],
    ['an end within a fence', `<message to="a">${FENCED}</message>z`, ['z'], [['a', FENCED]]],
    [
      'a fence right after the tag',
      '<message to="a">```\n</message>\n```\n</message>z',
      ['z'],
      [['a', '```\n</message>\n```']],
    ],
    [
      'an end within a span',
      '<message to="a">write `</message>` last</message>z',
      ['z'],
      [['a', 'write `</message>` last']],
    ],
    ['a fence that is never closed', '<message to="a">```\ncode</message>z', ['z'], [['a', '```\ncode']]],
    [
      'a block within a block',
      '<message to="a">1<message to="b">2</message>3</message>z',
      ['z'],
      [['a', '1<message to="b">2</message>3']],
    ],
    [
      'a block as code',
      'write:\n```\n<message to="a">x</message>\n```',
      ['write:\n```\n<message to="a">x</message>\n```'],
      [],
    ],
    ['a block in a span', 'write `<message to="a">` first', ['write `<message to="a">` first'], []],
    ['a tag without receiver', 'a <message> is text', ['a <message> is text'], []],
    ['an end without beginning', 'a </message> b', ['a </message> b'], []],
    ['never closed', 'p <message to="a">x', ['p'], [], ['x']],
    ['a broken tag', 'p <message to="a>x</message> q', ['p', 'q'], [], ['<message to="a>x']],
    ['a broken tag with words in it', '<message to="x', [], [], ['<message to="x']],
    ['an empty block', '<message to="a"> </message>', [], []],
  ];
  for (const [name, text, own, blocks, broken = []] of cases) {
    it(name, () => {
      const read = readBlocks(text);
      assert.deepEqual(read.own, own);
      assert.deepEqual(
        read.blocks,
        blocks.map(([to, body]) => ({ to, text: body })),
      );
      assert.deepEqual(
        read.broken.map((each) => each.text),
        broken,
      );
    });
  }

  it('never throws and loses no word', () => {
    fc.assert(
      fc.property(
        pieces([
          'word1',
          'word2',
          'word3',
          '<message to="a">',
          '</message>',
          '```\n',
          '`',
          '<message',
          '\n',
          '~~~',
          'to="',
          '>',
        ]),
        (parts) => {
          const text = parts.join('');
          const { own, blocks, broken } = readBlocks(text);
          const kept = [...own, ...blocks.map((each) => each.text), ...broken.map((each) => each.text)].join(' ');
          for (const word of ['word1', 'word2', 'word3']) assert.equal(count(kept, word), count(text, word));
        },
      ),
      { numRuns: 1000 },
    );
  });

  it('reads 5 MB of nonsense in good time', { timeout: 60_000 }, () => {
    for (const part of [
      '<message to="a">',
      '<message to="a">```</message>',
      '`',
      '``` ',
      '<message to="',
      '</message>',
      '```\n',
      '<internal>',
      '<internal ',
    ]) {
      const text = part.repeat(5_000_000 / part.length);
      const before = performance.now();
      readBlocks(stripInternal(text));
      assert.ok(performance.now() - before < 10_000, `${part}: ${performance.now() - before} ms`);
    }
  });
});

describe('stripInternal', () => {
  const cases: [name: string, text: string, shown: string][] = [
    ['nothing internal', 'a', 'a'],
    ['in the middle', 'a<internal>b</internal>c', 'ac'],
    ['over lines, with attributes and capitals', 'a<INTERNAL why="x">\nb\n</internal >c', 'ac'],
    ['one in another', 'a<internal>b<internal>c</internal>d</internal>e', 'ae'],
    ['never closed', 'a<internal>b', 'a'],
    ['cut off within the tag', 'a<internal b', 'a'],
    ['closed in itself', 'a<internal/>b<internal x="1" />c', 'abc'],
    ['a stray end', 'a</internal>b', 'ab'],
    ['made by taking another out', 'a<inter<internal>x</internal>nal>b</internal>c', 'a'],
    ['within code', '```\n<internal>b</internal>\n```', '```\n\n```'],
    ['another element', '<internals>a</internals>', '<internals>a</internals>'],
  ];
  for (const [name, text, shown] of cases) it(name, () => assert.equal(stripInternal(text), shown));

  it('never shows what is inside, wherever it stands', () => {
    const around = pieces(['<message to="a">', '</message>', '```\n', '`', 'text', '</internal>', '<internal/>', '\n']);
    fc.assert(
      fc.property(around, around, around, (before, inside, after) => {
        const balanced = inside.filter((part) => part !== '</internal>');
        const text = `${before.join('')}<internal>${balanced.join('')}SECRET${balanced.join('')}</internal>${after.join('')}`;
        assert.ok(
          !JSON.stringify(readOutcome(text, [], { channel_type: 'c', platform_id: 'p', thread_id: null })).includes(
            'SECRET',
          ),
        );
      }),
    );
  });
});

describe('readOutcome', () => {
  const destination = (name: string, platform: string) =>
    ({
      name,
      display_name: null,
      type: 'channel',
      channel_type: 'c',
      platform_id: platform,
      agent_group_id: null,
    }) as const;
  const destinations = [destination('Here', 'p'), destination('there', 'q')];
  const origin = { channel_type: 'c', platform_id: 'p', thread_id: 't' };

  it('takes a block to the chat that asked for an answer', () => {
    assert.deepEqual(readOutcome('a <message to="here">b</message>', destinations, origin), {
      own: ['a', 'b'],
      elsewhere: [],
      rejected: [],
    });
  });

  it('hides a block that is internal, and what is internal in a block', () => {
    const text =
      '<internal><message to="there">no</message></internal><message to="there">y<internal>n</internal>es</message>';
    assert.deepEqual(
      readOutcome(text, destinations, origin).elsewhere.map((each) => each.text),
      ['yes'],
    );
  });

  it('rejects an unknown name', () => {
    assert.equal(readOutcome('<message to="nowhere">x</message>', destinations, origin).rejected.length, 1);
  });
});

function pieces(words: string[]): fc.Arbitrary<string[]> {
  return fc.array(
    fc.oneof(
      fc.constantFrom(...words),
      fc.string({ maxLength: 3 }).map((text) => text.replaceAll(/[w<>]/g, '')),
    ),
    { maxLength: 25 },
  );
}

function count(text: string, word: string): number {
  return text.split(word).length - 1;
}

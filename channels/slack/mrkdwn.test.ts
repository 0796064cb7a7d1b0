import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { toMrkdwn } from './mrkdwn.ts';

const TABLE: readonly [string, string][] = [
  ['plain', 'plain'],
  ['a < b & c > d', 'a &lt; b &amp; c &gt; d'],
  ['**bold** and *italic* and ***both***', '*bold* and _italic_ and *_both_*'],
  ['__bold__ and _italic_', '*bold* and _italic_'],
  ['~~gone~~', '~gone~'],
  ['in**side**word', 'in\u200B*side*\u200Bword'],
  ['snake_case_name and 2*3*4', 'snake_case_name and 2*3*4'],
  ['# A heading', '*A heading*'],
  ['## **Bold** heading', '*Bold heading*'],
  ['- one\n  * two\n1. three', '• one\n  • two\n1. three'],
  ['> quoted\n> more', '> quoted\n> more'],
  ['`code` and `<b>`', '`code` and `&lt;b&gt;`'],
  ['```js\nlet a = "<&>";\n```\nafter', '```\nlet a = "&lt;&amp;&gt;";\n```\nafter'],
  ['```\nno end', '```\nno end\n```'],
  ['[a link](https://example.org/a?b=1&c=2)', '<https://example.org/a?b=1&amp;c=2|a link>'],
  ['[a|b](https://example.org/x|y)', '<https://example.org/x%7Cy|a¦b>'],
  ['see https://example.org/a.', 'see <https://example.org/a>.'],
  ['<https://example.org/b>', '<https://example.org/b>'],
  ['[call](tel:1) [run](javascript:x)', '[call](tel:1) [run](javascript:x)'],
  ['| a | b |\n|---|---|\n| 1 | 2 |\nafter', '```\n| a | b |\n|---|---|\n| 1 | 2 |\n```\nafter'],
  [
    '<!channel> <!here> <@U123> <!subteam^S1> <#C1>',
    '&lt;!channel&gt; &lt;!here&gt; &lt;@U123&gt; &lt;!subteam^S1&gt; &lt;#C1&gt;',
  ],
  ['`<!channel>`', '`&lt;!channel&gt;`'],
  ['[<!channel>](https://example.org)', '<https://example.org|&lt;!channel&gt;>'],
  ['@everyone @here', '@everyone @here'],
  // Slack knows no way to escape a mark, but sees none beside a letter that isn't seen.
  ['\\*not bold\\*', '*\u200Bnot bold\u200B*'],
];

for (const [markdown, mrkdwn] of TABLE) {
  test(`${JSON.stringify(markdown)} in Slack’s formatting`, () => assert.equal(toMrkdwn(markdown), mrkdwn));
}

test('whatever is written calls nobody: what stands in angle brackets is a link', () => {
  const piece = fc.constantFrom(
    ...[
      '<!channel>',
      '<@U1>',
      '<!here|x>',
      '<',
      '>',
      '|',
      '&',
      '`',
      '```',
      '*',
      '_',
      '~',
      '\n',
      '[',
      '](',
      ')',
      'a',
      ' ',
    ],
    ...['https://x.test/', '<https://y.test|', 'mailto:a@b', '\\', '# ', '> ', '| - |'],
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => {
      const mrkdwn = toMrkdwn(pieces.join(''));
      for (const [, inside = ''] of mrkdwn.matchAll(/<([^>]*)>?/g)) assert.match(inside, /^(https?:\/\/|mailto:)/);
      assert.doesNotMatch(mrkdwn.replaceAll(/^> /gm, '').replaceAll(/<[^<>]*>/g, ''), /[<>]/);
    }),
  );
});

test('a text of nothing but marks costs no more than any other', () => {
  const begun = performance.now();
  for (const mark of ['*', '_', '`', '[', '~', '<', 'https://']) toMrkdwn(mark.repeat(20_000));
  assert.ok(performance.now() - begun < 10_000);
});

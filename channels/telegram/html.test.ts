import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { readHtml } from '../../test/fakes/telegram/html.ts';
import { toHtml } from './html.ts';

const cases: [string, string][] = [
  ['plain & <b>not bold</b>', 'plain &amp; &lt;b&gt;not bold&lt;/b&gt;'],
  ['**bold** and *italic* and _this_', '<b>bold</b> and <i>italic</i> and <i>this</i>'],
  ['***both***', '<b><i>both</i></b>'],
  ['~~gone~~ and __bold__', '<s>gone</s> and <b>bold</b>'],
  ['**bold with *italic* in it**', '<b>bold with <i>italic</i> in it</b>'],
  ['snake_case_name and 2*3*4', 'snake_case_name and 2*3*4'],
  ['`a < b` and ``x ` y``', '<code>a &lt; b</code> and <code>x ` y</code>'],
  ['[site](https://a.example/?x=1&y="2")', '<a href="https://a.example/?x=1&amp;y=&quot;2&quot;">site</a>'],
  ['[site](https://a.example/?x=1&y=2)', '<a href="https://a.example/?x=1&amp;y=2">site</a>'],
  ['[you](tg://user?id=5)', '[you](tg://user?id=5)'],
  ['[run](javascript:alert(1))', '[run](javascript:alert(1))'],
  ['https://a.example/some_path_here', 'https://a.example/some_path_here'],
  ['# Title', '<b>Title</b>'],
  ['- one\n  * two', '• one\n  • two'],
  ['> said\n> twice\nend', '<blockquote>said\ntwice</blockquote>\nend'],
  ['```ts\nif (a < b) {}\n```\nend', '<pre><code class="language-ts">if (a &lt; b) {}</code></pre>\nend'],
  ['```\n**as it is**', '<pre>**as it is**</pre>'],
  ['| a | b |\n|---|---|\n| 1 | 2 |', '<pre>| a | b |\n|---|---|\n| 1 | 2 |</pre>'],
  ['\\*not italic\\*', '*not italic*'],
  ['a ** b', 'a ** b'],
];

for (const [markdown, html] of cases) {
  test(`${JSON.stringify(markdown)} becomes Telegram's HTML`, () => assert.equal(toHtml(markdown), html));
}

test('whatever is written, Telegram reads it, shows no more of it, and nobody is called', () => {
  const mark = fc.constantFrom(
    '*',
    '**',
    '_',
    '__',
    '`',
    '```',
    '\n',
    '~~',
    '[',
    '](',
    ')',
    '<',
    '>',
    '&',
    '|',
    '# ',
    '- ',
    '> ',
    'https://x.y',
    'tg://user?id=1',
    'word',
    ' ',
    '"',
    '\\',
    '😀',
  );
  fc.assert(
    fc.property(fc.array(fc.oneof(mark, fc.string()), { maxLength: 60 }), (parts) => {
      const markdown = parts.join('');
      const read = readHtml(toHtml(markdown));
      assert.ok(!('error' in read), JSON.stringify(read));
      assert.ok(read.text.length <= markdown.length, `${read.text.length} of ${markdown.length}`);
      assert.deepEqual(read.mentions, []);
    }),
    { numRuns: 2_000 },
  );
});

test('a text of nothing but marks costs little', () => {
  for (const mark of ['*', '**a', '_', '`', '[', '[a](', '\\', '|', '> ']) {
    const begun = performance.now();
    toHtml(mark.repeat(4096 / mark.length));
    assert.ok(performance.now() - begun < 500, mark);
  }
});

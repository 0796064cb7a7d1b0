import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { PAYLOADS } from '../testing/payloads.ts';
import { parse, safeLink } from './markdown.js';
import type { Block, Inline } from './types.d.ts';

/** Short, for tables: `p(a strong(b))`. */
function outline(blocks: readonly Block[]): string {
  return blocks.map(block).join(' ');
}

function block(one: Block): string {
  switch (one.type) {
    case 'p':
      return `p(${inlines(one.children)})`;
    case 'heading':
      return `h${one.level}(${inlines(one.children)})`;
    case 'code':
      return `code:${one.language}(${one.text})`;
    case 'quote':
      return `quote(${outline(one.children)})`;
    case 'list':
      return `${one.ordered ? `ol:${one.start}` : 'ul'}(${one.items.map((item) => `[${outline(item)}]`).join('')})`;
    case 'table':
      return `table(${[one.head, ...one.rows].map((row) => row.map(inlines).join('|')).join('/')})`;
    case 'rule':
      return 'rule';
  }
}

function inlines(all: readonly Inline[]): string {
  return all.map(inline).join('');
}

function inline(one: Inline): string {
  if ('text' in one) return one.type === 'code' ? `code(${one.text})` : one.text;
  if (one.type === 'br') return '⏎';
  return `${one.type === 'link' ? `link:${one.href}` : one.type}(${inlines(one.children)})`;
}

describe('what Markdown says', () => {
  const table: [string, string][] = [
    ['', ''],
    ['a\nb\n\nc', 'p(a⏎b) p(c)'],
    ['# A #\n### B', 'h1(A) h3(B)'],
    ['#no heading', 'p(#no heading)'],
    ['**a** *b* __c__ _d_ ~~e~~ ***f***', 'p(strong(a) em(b) strong(c) em(d) del(e) strong(em(f)))'],
    ['**a *b* c**', 'p(strong(a em(b) c))'],
    ['2 * 3 * 4 and snake_case_name and **open', 'p(2 * 3 * 4 and snake_case_name and **open)'],
    ['`a*b*` ``c`d`` `open', 'p(code(a*b*) code(c`d) `open)'],
    ['\\*a\\* \\\\', 'p(*a* \\)'],
    ['```js\nlet a\n\n# b\n```\nc', 'code:js(let a\n\n# b) p(c)'],
    ['~~~\n```\n~~~', 'code:(```)'],
    ['```\nno end', 'code:(no end)'],
    ['- a\n- b\n  - c\n- d', 'ul([p(a)][p(b) ul([p(c)])][p(d)])'],
    ['3. a\n4. b', 'ol:3([p(a)][p(b)])'],
    ['- a\n\n- b\n\nc', 'ul([p(a)][p(b)]) p(c)'],
    ['- a\n  ```\n  b\n  ```', 'ul([p(a) code:(b)])'],
    ['- a\n1. b', 'ul([p(a)]) ol:1([p(b)])'],
    ['> a\n> > b\nc', 'quote(p(a) quote(p(b))) p(c)'],
    ['---\n***', 'rule rule'],
    ['| a | b |\n|---|:-:|\n| 1 | *2* |\n| x\\|y |', 'table(a|b/1|em(2)/x|y)'],
    ['a | b\nc', 'p(a | b⏎c)'],
    ['[a](https://b.c/d_(e) "t") x', 'p(link:https://b.c/d_(e)(a) x)'],
    [
      'https://b.c/d?e=f. (https://b.c/g) x',
      'p(link:https://b.c/d?e=f(https://b.c/d?e=f). (link:https://b.c/g(https://b.c/g)) x)',
    ],
    ['<https://b.c> <b>', 'p(link:https://b.c/(https://b.c) <b>)'],
    ['[mail](mailto:a@b.c)', 'p(link:mailto:a@b.c(mail))'],
    ['[a](javascript:b) [c](/d) [e](//f)', 'p([a](javascript:b) [c](/d) [e](//f))'],
  ];
  for (const [text, expected] of table) {
    test(JSON.stringify(text), () => assert.equal(outline(parse(text)), expected));
  }
});

const MARKS = [
  '*',
  '_',
  '`',
  '~',
  '[',
  ']',
  '(',
  ')',
  '<',
  '>',
  '|',
  '-',
  '#',
  '\n',
  '\n\n',
  '  ',
  '1. ',
  '- ',
  '> ',
  '```',
  '\\',
  'a',
  'ü',
  'https://b.c',
  'javascript:',
  '\ud83d',
];
const anyText = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.array(fc.constantFrom(...MARKS, ...PAYLOADS), { maxLength: 60 }).map((parts) => parts.join('')),
);

test('no text breaks it, and no link leads where none may', () => {
  fc.assert(
    fc.property(anyText, (text) => {
      for (const [, href = ''] of JSON.stringify(parse(text)).matchAll(/"type":"link","href":"([^"]*)"/g)) {
        assert.match(href, /^(https?:\/\/|mailto:)/);
      }
    }),
    { numRuns: 500 },
  );
});

test('every word stays', () => {
  const parts = fc.constantFrom(
    '*',
    '**',
    '_',
    '`',
    '[',
    '](',
    ')',
    ' ',
    '\n',
    '\n\n',
    '|',
    '- ',
    '1. ',
    '  ',
    '> ',
    '# ',
    'Q',
  );
  fc.assert(
    fc.property(fc.array(parts, { maxLength: 40 }), (some) => {
      const text = some.join('');
      // A fence's first line names its language, which nobody is shown; a table ends with its last column.
      if (/```|\|/.test(text)) return;
      assert.equal(outline(parse(text)).replace(/[^Q]/g, '').length, text.replace(/[^Q]/g, '').length);
    }),
    { numRuns: 500 },
  );
});

for (const mark of [
  '*',
  '_a ',
  '**a ',
  '`',
  '` ',
  '[',
  '[a](',
  '](',
  '> ',
  '- ',
  '  - a\n',
  '<',
  'https://',
  '|',
  '| a |\n',
  '\\',
  '~~a',
  '1. ',
]) {
  test(`128 KB of ${JSON.stringify(mark)} take no time`, () => {
    const text = mark.repeat(Math.ceil(131_072 / mark.length));
    const begun = performance.now();
    parse(text);
    parse(text.replaceAll('\n', ''));
    assert.ok(performance.now() - begun < 2_000, `${performance.now() - begun} ms`);
  });
}

test('what may be linked', () => {
  const no = [
    '',
    'x',
    '/x',
    '//x',
    'javascript:x',
    ' https://x',
    'https://',
    'data:x',
    'https://bank@evil.example/',
    'https://a\u202Eb/',
    'file:///x',
  ];
  for (const href of no) assert.equal(safeLink(href), undefined, href);
  assert.equal(safeLink('HTTPS://Example.org'), 'https://example.org/');
});

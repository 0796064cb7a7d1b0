import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { htmlToText } from './html-to-text.ts';
import { markdownToHtml } from './markdown-to-html.ts';
import { splitReply } from './reply.ts';

describe('what somebody wrote, without what they answer', () => {
  const attributions = [
    'On Thu, Nov 19, 2026 at 9:00 AM, Bot <bot@here.test> wrote:',
    'On Thu, Nov 19, 2026 at 9:00 AM Bot the Assistant\n<bot@here.test> wrote:',
    'Am Do., 19. Nov. 2026 um 09:00 Uhr schrieb Bot <bot@here.test>:',
    'Am 19.11.2026 um 09:00 schrieb Bot:',
    'Le jeu. 19 nov. 2026 à 09:00, Bot <bot@here.test> a écrit :',
    'El jue, 19 nov 2026 a las 9:00, Bot (<bot@here.test>) escribió:',
    'Il giorno gio 19 nov 2026 alle ore 09:00 Bot <bot@here.test> ha scritto:',
    'Em qui., 19 de nov. de 2026 às 09:00, Bot <bot@here.test> escreveu:',
    'Op do 19 nov 2026 om 09:00 schreef Bot <bot@here.test>:',
    'Den tors 19 nov. 2026 kl 09:00 skrev Bot <bot@here.test>:',
    'W dniu czw., 19 lis 2026 o 09:00 Bot <bot@here.test> napisał(a):',
    'čt 19. 11. 2026 v 9:00 odesílatel Bot <bot@here.test> napsal:',
    'чт, 19 нояб. 2026 г. в 09:00, Bot <bot@here.test> пишет:',
    '2026年11月19日(木) 9:00 Bot <bot@here.test>のメール：',
    '在 2026年11月19日 9:00，Bot <bot@here.test> 写道：',
  ];
  for (const line of attributions) {
    test(line, () => {
      const { text, quoted } = splitReply(`Yes.\n\n${line}\n\n> When?\n>> Before that\n`);
      assert.equal(text, 'Yes.');
      assert.ok(quoted.startsWith(line.slice(0, 10)));
    });
  }

  const kept = {
    'an answer below': 'On Monday, Bot wrote:\n> When?\n\nOn Friday.',
    'answers between': '> When?\nFriday\n> Where?\nHere',
    'a quote of something else': 'As he said:\n> Nothing is lost.\nI agree.',
    'an attribution that quotes nothing': 'On Monday, my sister wrote:\nDear Ann, come home.',
    'a From: in a sentence': 'From: here to there it is far.\nTo: be or not.',
    'nothing but a quote': '> When?\n> Where?',
    'two dashes in the middle': `One\n--\n${'Two\n'.repeat(20)}`.trim(),
    forwarded: 'See below\n\nBegin forwarded message:\n\n> From: x\n> hi',
  };
  for (const [name, text] of Object.entries(kept))
    test(`${name} is kept`, () => assert.equal(splitReply(text).text, text));

  test('a signature, a phone, Outlook', () => {
    assert.equal(splitReply('Yes\n-- \nAnn\nCEO').text, 'Yes');
    assert.equal(splitReply('Yes\n\nSent from my iPhone').text, 'Yes');
    assert.equal(splitReply('Ja\n\nVon meinem iPhone gesendet').text, 'Ja');
    assert.equal(splitReply('Yes\n\n-----Original Message-----\nFrom: x\nhello').text, 'Yes');
    const block =
      '\n________________________________\nFrom: Bot <b@x.test>\nSent: Monday\nTo: Ann\nSubject: Hi\n\nold words';
    assert.equal(splitReply(`Yes${block}`).text, 'Yes');
    assert.equal(splitReply('Oui\n\nDe : Bot\nEnvoyé : lundi\nÀ : Ann\nObjet : Hi\n\nvieux').text, 'Oui');
  });
});

describe('HTML as text', () => {
  const cases: [string, string][] = [
    ['<p>a</p><p>b</p>', 'a\n\nb'],
    ['a<br>b<br/>c', 'a\nb\nc'],
    ['<div>a</div><div>b</div>', 'a\nb'],
    ['1 < 2 & 3 > 2', '1 < 2 & 3 > 2'],
    ['&lt;script&gt;&#x41;&#0;&eacute;&nonsense;', '<script>A é&nonsense;'],
    ['<a href="https://x.test">https://x.test</a>', 'https://x.test'],
    ['<a href="javascript:alert(1)">here</a>', 'here'],
    ['<blockquote>old<blockquote>older</blockquote></blockquote>new', '> old\n> > older\nnew'],
    ['x<script>alert("</p>")</script>y<style>p{}</style>z', 'xyz'],
    ['<div style="display:none">secret<div>rules</div></div>seen', 'seen'],
    ['<span hidden>secret</span>seen', 'seen'],
    ['<!-- <b>secret</b> -->seen', 'seen'],
    ['<img alt="a > b" src=x>after', '[a > b]after'],
    ['<p>open <b>never closed', 'open never closed'],
    ['<td>a</td><td>b</td>', 'a b'],
  ];
  for (const [html, text] of cases) test(html, () => assert.equal(htmlToText(html), text));
});

describe('Markdown as HTML', () => {
  const cases: [string, string][] = [
    ['a **b** *c* `d<e`', '<p>a <strong>b</strong> <em>c</em> <code>d&lt;e</code></p>'],
    ['<img src=x onerror=alert(1)>', '<p>&lt;img src=x onerror=alert(1)&gt;</p>'],
    ['[x](javascript:alert(1))', '<p>[x](javascript:alert(1))</p>'],
    ['[a"b](https://x.test/?a=1&b=2)', '<p><a href="https://x.test/?a=1&amp;b=2">a&quot;b</a></p>'],
    ['see https://x.test/a.', '<p>see <a href="https://x.test/a">https://x.test/a</a>.</p>'],
    ['# T\n- a\n- b\n\n1. c', '<h1>T</h1>\n<ul><li>a</li>\n<li>b</li></ul>\n<ol><li>c</li></ol>'],
    ['5 * 3 * 2', '<p>5 * 3 * 2</p>'],
  ];
  for (const [markdown, html] of cases) test(markdown, () => assert.equal(markdownToHtml(markdown), html));
  test('a block of code is as it was, ended or not', () => {
    assert.match(markdownToHtml('```js\na <b> **c**\n```\nx'), /<code>a &lt;b&gt; \*\*c\*\*<\/code><\/pre>\n<p>x<\/p>/);
    assert.match(markdownToHtml('```\nopen'), /<code>open<\/code>/);
  });
});

test('no text takes long', () => {
  const nasty = [
    '<',
    '<a ',
    '<a href="',
    '</',
    '<p>',
    '<blockquote>',
    '<!--',
    '&',
    '*',
    '**a',
    '`',
    '```\n',
    '[',
    '[a](',
    'https://',
    '> ',
    'On a',
    'On a\n',
    ' ',
    '\n',
    'From: x\n',
    '_',
    '-',
  ];
  for (const piece of nasty) {
    const text = piece.repeat(Math.ceil(400_000 / piece.length));
    for (const work of [htmlToText, markdownToHtml, splitReply]) {
      const begun = performance.now();
      work(text);
      const ms = performance.now() - begun;
      assert.ok(ms < 4_000, `${work.name} took ${Math.round(ms)} ms for ${JSON.stringify(piece)}`);
    }
  }
});

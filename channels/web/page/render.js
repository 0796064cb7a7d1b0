/** @import { Block, Inline } from './types.d.ts' */
import { element } from './dom.js';
import { parse } from './markdown.js';

/** What Markdown says, as elements. @param {string} text @returns {DocumentFragment} */
export function render(text) {
  return fragment(parse(text).map(block));
}

/** @param {Node[]} nodes */
function fragment(nodes) {
  const made = document.createDocumentFragment();
  made.append(...nodes);
  return made;
}

/** @param {Block} one @returns {Node} */
function block(one) {
  switch (one.type) {
    case 'p':
      return element('p', {}, ...one.children.map(inline));
    case 'heading':
      // Below the chat's own, so that the page keeps one outline.
      return element(one.level < 3 ? 'h2' : one.level < 5 ? 'h3' : 'h4', {}, ...one.children.map(inline));
    case 'code':
      return codeBlock(one.language, one.text);
    case 'quote':
      return element('blockquote', {}, ...one.children.map(block));
    case 'list': {
      const items = one.items.map((item) => element('li', {}, ...item.map(inItem)));
      return one.ordered ? element('ol', { start: one.start }, ...items) : element('ul', {}, ...items);
    }
    case 'table':
      return table(one.head, one.rows);
    case 'rule':
      return element('hr');
  }
}

/** @param {Block} one @returns {Node} */
function inItem(one) {
  return one.type === 'p' ? fragment(one.children.map(inline)) : block(one);
}

/** @param {Inline} one @returns {Node} */
function inline(one) {
  switch (one.type) {
    case 'text':
      return document.createTextNode(one.text);
    case 'code':
      return element('code', {}, one.text);
    case 'br':
      return element('br');
    case 'link':
      return element(
        'a',
        { href: one.href, target: '_blank', rel: 'noopener noreferrer nofollow' },
        ...one.children.map(inline),
      );
    default:
      return element(one.type, {}, ...one.children.map(inline));
  }
}

/** @param {Inline[][]} head @param {Inline[][][]} rows */
function table(head, rows) {
  const first = head.map((cell) => element('th', { scope: 'col' }, ...cell.map(inline)));
  const others = rows.map((row) => element('tr', {}, ...row.map((cell) => element('td', {}, ...cell.map(inline)))));
  const made = element('table', {}, element('thead', {}, element('tr', {}, ...first)), element('tbody', {}, ...others));
  return element('div', { class: 'wide', tabindex: 0, role: 'region', 'aria-label': 'Table' }, made);
}

/** @param {string} language @param {string} text */
function codeBlock(language, text) {
  const copy = element('button', { type: 'button', class: 'copy' }, 'Copy');
  copy.addEventListener('click', async () => {
    await navigator.clipboard.writeText(text).then(
      () => copy.replaceChildren('Copied'),
      () => copy.replaceChildren('Could not copy'),
    );
    setTimeout(() => copy.replaceChildren('Copy'), 2_000);
  });
  const label = language === '' ? 'Code' : `Code, ${language}`;
  const code = element('pre', { tabindex: 0, role: 'region', 'aria-label': label }, element('code', {}, text));
  return element('div', { class: 'code' }, copy, code);
}

/** Markdown as HTML that holds nothing but what is written here: text is escaped first, and links go to the web or to mail. */

export function markdownToHtml(markdown: string): string {
  const html: string[] = [];
  const lines = markdown.replace(/\r\n?/g, '\n').split('\n');
  let paragraph: string[] = [];
  let list: { tag: 'ul' | 'ol'; items: string[] } | undefined;
  const flush = () => {
    if (paragraph.length > 0) html.push(`<p>${paragraph.map(inline).join('<br>\n')}</p>`);
    if (list)
      html.push(`<${list.tag}>${list.items.map((item) => `<li>${inline(item)}</li>`).join('\n')}</${list.tag}>`);
    paragraph = [];
    list = undefined;
  };
  for (let i = 0; i < lines.length; i += 1) {
    const line = lines[i] ?? '';
    const fence = /^ {0,3}(```+|~~~+)/.exec(line)?.[1];
    if (fence) {
      flush();
      let last = i + 1;
      while (last < lines.length && !lines[last]?.trim().startsWith(fence)) last += 1;
      html.push(`<pre style="${PRE}"><code>${escapeHtml(lines.slice(i + 1, last).join('\n'))}</code></pre>`);
      i = last;
      continue;
    }
    const heading = /^ {0,3}(#{1,6}) (.*)$/.exec(line);
    const item = /^ {0,6}(?:([-*+])|\d{1,9}[.)]) (.*)$/.exec(line);
    if (line.trim() === '') flush();
    else if (heading) {
      flush();
      const level = heading[1]?.length ?? 1;
      html.push(`<h${level}>${inline(heading[2] ?? '')}</h${level}>`);
    } else if (/^ {0,3}([-*_])( *\1){2,} *$/.test(line)) {
      flush();
      html.push('<hr>');
    } else if (item) {
      const tag = item[1] ? 'ul' : 'ol';
      if (list?.tag !== tag) {
        flush();
        list = { tag, items: [] };
      }
      list.items.push(item[2] ?? '');
    } else if (/^ {0,3}> ?/.test(line)) {
      flush();
      html.push(`<blockquote style="${QUOTE}">${inline(line.replace(/^ {0,3}> ?/, ''))}</blockquote>`);
    } else if (list) list.items.push(`${list.items.pop() ?? ''} ${line.trim()}`);
    else paragraph.push(line);
  }
  flush();
  return html.join('\n');
}

const PRE = 'background:#f4f4f4;padding:8px;overflow:auto';
const QUOTE = 'margin:0;border-left:3px solid #ccc;padding-left:8px;color:#555';

export function escapeHtml(text: string): string {
  return text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;').replace(/"/g, '&quot;');
}

// Each alternative is bounded, so that no text takes more than a step or two a character.
const INLINE =
  /`([^`\n]{1,2000})`|\[([^\][\n]{1,500})\]\(((?:https?:\/\/|mailto:)[^\s()<>"]{1,2000})\)|(https?:\/\/[^\s<>"]{1,2000})|\*\*([^*\n]{1,2000})\*\*|(?<![\w*])\*([^*\s](?:[^*\n]{0,500}[^*\s])?)\*(?![\w*])/g;

function inline(text: string): string {
  let html = '';
  let at = 0;
  for (const found of text.matchAll(INLINE)) {
    html += escapeHtml(text.slice(at, found.index));
    const [whole, code, label, href, url, bold, italic] = found;
    at = found.index + whole.length;
    if (code !== undefined) html += `<code>${escapeHtml(code)}</code>`;
    else if (label !== undefined) html += `<a href="${escapeHtml(href ?? '')}">${escapeHtml(label)}</a>`;
    else if (url !== undefined) {
      const address = url.replace(/[.,;:!?)\]'*]+$/, '');
      html += `<a href="${escapeHtml(address)}">${escapeHtml(address)}</a>`;
      at = found.index + address.length;
      html += escapeHtml(url.slice(address.length));
      at = found.index + whole.length;
    } else if (bold !== undefined) html += `<strong>${escapeHtml(bold)}</strong>`;
    else html += `<em>${escapeHtml(italic ?? '')}</em>`;
  }
  return html + escapeHtml(text.slice(at));
}

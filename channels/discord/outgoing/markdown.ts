/** Discord's own Markdown: it knows neither tables, pictures nor small headings. Pure. */

const FENCE = /^ {0,3}(`{3,}|~{3,})/;
const ROW = /^\s*\|?.*\|.*$/;
const RULE = /^\s*\|?(?:\s*:?-+:?\s*\|)+(?:\s*:?-+:?\s*)?$/;

export function toDiscord(text: string): string {
  const lines = text.split('\n');
  const out: string[] = [];
  let fence: string | undefined;
  for (let at = 0; at < lines.length; at++) {
    const line = lines[at] ?? '';
    const [, marker] = FENCE.exec(line) ?? [];
    if (marker !== undefined && (fence === undefined || (marker.startsWith(fence) && line.trim() === marker))) {
      fence = fence === undefined ? marker : undefined;
    }
    const rows = fence === undefined && marker === undefined ? tableAt(lines, at) : [];
    if (rows.length === 0) {
      out.push(fence === undefined && marker === undefined ? plainer(line) : line);
      continue;
    }
    out.push('```', ...aligned(rows), '```');
    at += rows.length - 1;
  }
  return out.join('\n');
}

/** What isn't Markdown says itself, mark for mark. */
export function escapeMarkdown(text: string): string {
  return text.replaceAll(/[\\*_~`|[\]<]/g, '\\$&').replaceAll(/^(\s*)([#>-])/gm, '$1\\$2');
}

function plainer(line: string): string {
  return line.replace(/^#{4,6}\s+(.+?)\s*#*$/, '**$1**').replaceAll(/!(\[[^\]\n]*\]\()/g, '$1');
}

function tableAt(lines: readonly string[], at: number): readonly string[] {
  if (!ROW.test(lines[at] ?? '') || !RULE.test(lines[at + 1] ?? '')) return [];
  const end = lines.findIndex((line, index) => index > at + 1 && !(ROW.test(line) && line.trim() !== ''));
  return lines.slice(at, end === -1 ? lines.length : end);
}

function aligned(rows: readonly string[]): string[] {
  const cells = rows.map((row) =>
    row
      .trim()
      .replace(/^\||\|$/g, '')
      .split('|')
      .map((cell) => cell.trim()),
  );
  const widths = (cells[0] ?? []).map((_, column) =>
    Math.max(...cells.map((row) => (RULE.test(row.join('|')) ? 3 : (row[column] ?? '').length))),
  );
  return cells.map((row, index) =>
    index === 1
      ? widths.map((width) => '-'.repeat(width)).join('-|-')
      : widths
          .map((width, column) => (row[column] ?? '').padEnd(width))
          .join(' | ')
          .trimEnd(),
  );
}

/** The rows of the tables below a heading of a page, by column. Throws when there is none. */
export function tablesBelow(page: string, heading: string): Record<string, string>[][] {
  const start = page.indexOf(`## ${heading}`);
  if (start === -1) throw new Error(`There is no heading ${heading}.`);
  const section = page.slice(start).split(/\n## /)[0] ?? '';
  const blocks = section.match(/(?:^\|.*\n?)+/gm) ?? [];
  if (blocks.length === 0) throw new Error(`There is no table below ${heading}.`);
  return blocks.map((block) => {
    const [head = [], , ...rows] = block.trim().split('\n').map(cellsOf);
    return rows.map((cells) => Object.fromEntries(head.map((name, at) => [name, cells[at] ?? ''])));
  });
}

function cellsOf(line: string): string[] {
  return line
    .trim()
    .replace(/^\||\|$/g, '')
    .split(/(?<!\\)\|/)
    .map((cell) => cell.trim().replaceAll('\\|', '|'));
}

import type { Headers } from './mail.ts';

const ID = /<[^<>\s\p{Cc}]{1,250}>/gu;

export function headersOf(lines: readonly { key: string; line: string }[]): Headers {
  const byName = new Map<string, string[]>();
  for (const { key, line } of lines) {
    const value = line
      .slice(line.indexOf(':') + 1)
      .replace(/\r?\n/g, ' ')
      .trim();
    const known = byName.get(key.toLowerCase());
    if (known) known.push(value);
    else byName.set(key.toLowerCase(), [value]);
  }
  const all = (name: string): readonly string[] => byName.get(name) ?? [];
  return { all, first: (name) => all(name)[0] };
}

/** `<…>`, and nothing that isn't one. Long chains keep their root and their newest. */
export function messageIds(value: string): string[] {
  const ids = value.slice(0, 100_000).match(ID) ?? [];
  return ids.length > 50 ? [...ids.slice(0, 1), ...ids.slice(-49)] : ids;
}

/** What was most likely meant by a command that there isn't. Pure. */

const MOST = 2;

/** The name that is nearest to the first words; undefined when none is near. */
export function meant(words: readonly string[], names: readonly string[]): string | undefined {
  const near = names.flatMap((name) => {
    const parts = name.split(' ');
    const apart = parts.map((part, index) => distance(part, words[index] ?? ''));
    // A word of three letters is near to any other of them.
    const isNear = parts.every((part, index) => (apart[index] ?? 0) <= Math.min(MOST, Math.floor(part.length / 3)));
    return isNear ? [{ name, apart: apart.reduce((sum, one) => sum + one, 0), words: parts.length }] : [];
  });
  return near.sort((a, b) => b.words - a.words || a.apart - b.apart)[0]?.name;
}

/** How many letters are left out, added, exchanged, or swapped with their neighbour. */
function distance(a: string, b: string): number {
  if (Math.abs(a.length - b.length) > MOST) return MOST + 1;
  const rows: number[][] = [Array.from({ length: b.length + 1 }, (_, index) => index)];
  const at = (row: number, column: number) => rows[row]?.[column] ?? Number.POSITIVE_INFINITY;
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    rows.push(row);
    for (let j = 1; j <= b.length; j++) {
      const isSame = a[i - 1] === b[j - 1];
      const isSwapped = a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      const changed = at(i - 1, j - 1) + (isSame ? 0 : 1);
      const swapped = isSwapped ? at(i - 2, j - 2) + 1 : Number.POSITIVE_INFINITY;
      row.push(Math.min(at(i - 1, j) + 1, at(i, j - 1) + 1, changed, swapped));
    }
  }
  return at(a.length, b.length);
}

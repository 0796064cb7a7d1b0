/** Which of a chat's agents a text calls by `@name`. Pure. */

/** As names are compared: without regard to case, width or composition. */
function folded(text: string): string {
  return text.normalize('NFKC').toLocaleLowerCase('en');
}

/** The names, of those given, that stand in the text as `@name`: not inside a word, an address or a longer name. */
export function namesCalled(text: string, names: readonly string[]): ReadonlySet<string> {
  const where = folded(text);
  // The longest first: `@Anna Maria` doesn't call Anna.
  const sorted = [...names].filter((name) => name.trim() !== '').sort((a, b) => b.length - a.length);
  const called = new Set<string>();
  for (let at = where.indexOf('@'); at !== -1; at = where.indexOf('@', at + 1)) {
    if (at > 0 && isWord(where.slice(0, at).at(-1))) continue;
    const rest = where.slice(at + 1);
    const name = sorted.find((one) => rest.startsWith(folded(one)) && !isWord(charAt(rest, folded(one).length)));
    for (const one of names) if (name !== undefined && folded(one) === folded(name)) called.add(one);
  }
  return called;
}

function isWord(char: string | undefined): boolean {
  return char !== undefined && /[\p{L}\p{M}\p{N}_]/u.test(char);
}

function charAt(text: string, index: number): string | undefined {
  const code = text.codePointAt(index);
  return code === undefined ? undefined : String.fromCodePoint(code);
}

const RENAME = /^(?:@\S+[,:]?\s+)?(?:please\s+)?call yourself\s+["“'«]?(.{1,64}?)["”'»]?\s*[.!]?$/iu;

/** The name in "call yourself Bob". Undefined when the text says something else. */
export function newNameIn(text: string): string | undefined {
  return RENAME.exec(text.trim())?.[1]?.trim();
}

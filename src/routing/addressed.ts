/** Which of a chat's agents a text calls by `@name`. Pure. */

/** As names are compared: without regard to case, width, composition, or what shows nothing. */
export function folded(text: string): string {
  return text
    .normalize('NFKC')
    .replace(/\p{Default_Ignorable_Code_Point}/gu, '')
    .toLocaleLowerCase('en');
}

/** The names, of those given, that stand in the text as `@name`: not inside a word, an address, a longer name, code or a quote. */
export function namesCalled(text: string, names: readonly string[]): ReadonlySet<string> {
  const where = text.includes('@') || text.includes('＠') ? folded(spoken(text)) : '';
  // The longest first: `@Anna Maria` doesn't call Anna.
  const known = [...new Set(names.map(folded))]
    .filter((name) => name.trim() !== '')
    .sort((a, b) => b.length - a.length);
  const called = new Set<string>();
  for (let at = where.indexOf('@'); at !== -1; at = where.indexOf('@', at + 1)) {
    if (at > 0 && isWord(where[at - 1])) continue;
    const name = known.find((one) => where.startsWith(one, at + 1) && !goesOn(where, at + 1 + one.length));
    if (name !== undefined) called.add(name);
  }
  return new Set(names.filter((name) => called.has(folded(name))));
}

/** Without code and lines that quote somebody. A fence that is never closed goes to the end, as platforms show it. */
function spoken(text: string): string {
  let inFence = false;
  const kept = text.split('\n').filter((line) => {
    const isFence = /^\s*```/.test(line) && !/^\s*```.*```/.test(line);
    const isKept = !inFence && !isFence && !/^\s*>/.test(line);
    if (isFence) inFence = !inFence;
    return isKept;
  });
  return kept.join('\n').replace(/`[^`\n]*`/g, ' ');
}

/** The word is longer than the name, or an address: `@andy.org`. */
function goesOn(text: string, end: number): boolean {
  return isWord(charAt(text, end)) || (text[end] === '.' && isWord(charAt(text, end + 1)));
}

function isWord(char: string | undefined): boolean {
  return char !== undefined && /[\p{L}\p{M}\p{N}_]/u.test(char);
}

function charAt(text: string, index: number): string | undefined {
  const code = text.codePointAt(index);
  return code === undefined ? undefined : String.fromCodePoint(code);
}

const RENAME = /^(?:@\S+[,:]?\s+)?(?:please\s+)?call yourself\s+["“'«]?(.{1,64}?)["”'»]?\s*[.!]?$/iu;

/** What is longer says more than a name; and on it the pattern would take for ever. */
const LONGEST_RENAME = 200;

/** The name in "call yourself Bob". Undefined when the text says something else. */
export function newNameIn(text: string): string | undefined {
  const said = text.trim();
  return said.length > LONGEST_RENAME ? undefined : RENAME.exec(said)?.[1]?.trim();
}

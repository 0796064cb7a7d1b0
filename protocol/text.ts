/**
 * Text that every part below can hold: no NUL (SQLite's C interface ends a text there) and no unpaired surrogate
 * (it has no UTF-8). Both become U+FFFD, so that a reader sees that something was there.
 */
export function cleanText(text: string): string {
  return text.toWellFormed().replaceAll('\0', '\uFFFD');
}

/** Length in UTF-8 bytes. */
export function byteLength(text: string): number {
  return Buffer.byteLength(text, 'utf8');
}

/** The longest beginning of `text` that fits into `bytes` of UTF-8, cut between characters. */
export function truncateBytes(text: string, bytes: number): string {
  if (byteLength(text) <= bytes) return text;
  const encoded = Buffer.from(text, 'utf8');
  let end = bytes;
  // 10xxxxxx goes on with a character that has begun before.
  while (((encoded[end] ?? 0) & 0xc0) === 0x80) end--;
  return encoded.toString('utf8', 0, end);
}

/** Everything from outside that goes into a prompt's XML: text and attribute values alike. */
export function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}

/** Keys by how they usually begin, what is called a password or a token, and long words that no language has. */
const SECRET = new RegExp(
  [
    String.raw`sk-\w+-|gh[pousr]_|github_pat_|glpat-|npm_|xox[a-z]-|xapp-|AKIA|AIza|eyJ|-----BEGIN|://[^/\s]+@`,
    String.raw`(secret|token|key|login)\S*\s*[:=]\s*\S|(bearer|basic)\s+\S{8}|pass(word|wd|phrase|code)|\bpin\W*\d`,
    String.raw`(?=[\w+/=]*\d)(?=[\w+/=]*[a-z])[\w+/=]{24}|[0-9a-f]{8}-[0-9a-f]{4}-`,
  ].join('|'),
  'i',
);

/** Rather once too often: for text that may as well be left out. */
export function looksSecret(text: string): boolean {
  return SECRET.test(text);
}

/**
 * What has to be said of a text that has grown from `before`, of which `said` characters were said: nothing twice, and no
 * half word unless it is whole.
 * @param {string} before @param {number} said @param {string} now @param {boolean} isWhole
 * @returns {{ text: string, said: number }}
 */
export function added(before, said, now, isWhole) {
  const from = wordStart(now, Math.min(said, common(before, now)));
  const end = isWhole || /[.!?:;…)\]]\s*$/.test(now) ? now.length : wordStart(now, now.length);
  return { text: now.slice(from, Math.max(from, end)), said: Math.max(from, end) };
}

/** @param {string} one @param {string} other */
function common(one, other) {
  let length = 0;
  while (length < one.length && length < other.length && one[length] === other[length]) length += 1;
  return length;
}

/** Where the word begins that ends there, or goes on. @param {string} text @param {number} at */
function wordStart(text, at) {
  let start = at;
  // Between two words there is nothing to go back to.
  if (at < text.length && /\s/.test(text.charAt(at))) return at;
  while (start > 0 && !/\s/.test(text.charAt(start - 1))) start -= 1;
  return start;
}

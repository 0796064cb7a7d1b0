/** An opening tag counts even when it is cut off before its `>`. */
const TAG = /<(\/?)internal(?![\w-])(?:[^<>]*?(\/?)>)?/gi;

/**
 * Takes out `<internal>…</internal>`, wherever it stands: in code, in message bodies, one in another. What isn't closed
 * hides everything after it. Hiding too much is the safe side, so nothing here looks at what is around the tags.
 */
export function stripInternal(text: string): string {
  let stripped = stripOnce(text);
  // What was on both sides of a removed part may form a tag together.
  for (let round = 0; round < 8 && stripped.search(TAG) >= 0; round++) stripped = stripOnce(stripped);
  const left = stripped.search(TAG);
  return left < 0 ? stripped : stripped.slice(0, left);
}

function stripOnce(text: string): string {
  const shown: string[] = [];
  let depth = 0;
  let from = 0;
  for (const tag of text.matchAll(TAG)) {
    if (depth === 0) shown.push(text.slice(from, tag.index));
    from = tag.index + tag[0].length;
    if (tag[1]) depth = Math.max(0, depth - (tag[0].endsWith('>') ? 1 : 0));
    else if (!tag[2]) depth++;
  }
  if (depth === 0) shown.push(text.slice(from));
  return shown.join('');
}

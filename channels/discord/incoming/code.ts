/** The text without what stands in code: nobody is called there. As long as before, with blanks in its place. Pure. */
export function withoutCode(text: string): string {
  return text.replaceAll(/(`{3,})[\s\S]*?(?:\1|$)|(`{1,2})(?!`)[^\n]*?(?<!`)\2(?!`)/g, (code) =>
    ' '.repeat(code.length),
  );
}

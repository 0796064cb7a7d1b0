/** Parts of docs/performance.md that are made by runs of their own, or by hand: what makes the rest of the page anew leaves them as they are. */

const pattern = (name: string) => new RegExp(`<!-- ${name} -->[\\s\\S]*<!-- /${name} -->\\n`);

export function withPart(page: string, name: string, part: string): string {
  return pattern(name).test(page) ? page.replace(pattern(name), () => part) : `${page.trimEnd()}\n\n${part}`;
}

/** `page`, with the parts of the one before. */
export function withPartsOf(before: string, page: string): string {
  return ['causes', 'soak', 'history', 'drivers'].reduce((made, name) => {
    const part = pattern(name).exec(before)?.[0];
    return part === undefined ? made : withPart(made, name, part);
  }, page);
}

/** The head of a SKILL.md: what the skill is called, what it is for, and for which channels. Pure. */

export interface FrontMatter {
  name: string;
  description: string;
  /** Empty: for any. */
  channels: string[];
}

/** Lines between two of `---`, at the front. Of YAML as much as is asked for here: the harness reads the rest. */
const HEAD = /^\uFEFF?---[ \t]*\r?\n([\s\S]*?)\r?\n---[ \t]*(?:\r?\n|$)/;

/** Undefined without a head that names the skill and says what it is for. */
export function readFrontMatter(text: string): FrontMatter | undefined {
  const [, head] = HEAD.exec(text) ?? [];
  if (head === undefined) return undefined;
  const values = new Map<string, string>();
  let key = '';
  for (const line of head.split(/\r?\n/)) {
    const [, name, value = ''] = /^([A-Za-z][\w-]*):(?:[ \t]+(.*))?$/.exec(line) ?? [];
    if (name !== undefined) {
      key = name.toLowerCase();
      // The mark of a text that begins below it.
      values.set(key, plain(/^[|>][+-]?\d?$/.test(value.trim()) ? '' : value));
    } else if (/^[ \t]+\S/.test(line) && key !== '') {
      values.set(key, `${values.get(key) ?? ''} ${line.trim()}`.trim());
    }
  }
  const [name, description] = [values.get('name') ?? '', values.get('description') ?? ''];
  if (name === '' || description === '') return undefined;
  const channels = (values.get('channels') ?? '').split(/[\s,[\]]+/).filter((channel) => channel !== '');
  return { name, description, channels };
}

function plain(value: string): string {
  const [, , quoted] = /^(["'])(.*)\1$/.exec(value.trim()) ?? [];
  return quoted ?? value.trim();
}

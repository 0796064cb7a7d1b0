import { looksSecret } from '@nanoclaw/protocol';
import type { Tool } from '../../src/activity.ts';
import { MODEL_TOOL } from '../../src/host-sweep.ts';

/** What is said of work that goes on. Whatever it is called was written in a sandbox: short, plain and without secrets it is shown, or not at all. */

const MOST = 60;
const OWN = 'mcp__nanoclaw__';

/** Of the tools of the harness, before what they are at; and where that isn't known. */
const DOING: Readonly<Record<string, readonly [string, string]>> = {
  Bash: ['running', 'running a command'],
  Read: ['reading', 'reading a file'],
  Write: ['writing', 'writing a file'],
  Edit: ['editing', 'editing a file'],
  NotebookEdit: ['editing', 'editing a notebook'],
  Glob: ['searching through', 'searching through files'],
  Grep: ['searching through', 'searching through files'],
  WebFetch: ['looking at', 'looking at a page'],
  WebSearch: ['searching the web for', 'searching the web'],
  Agent: ['a helper is looking into', 'a helper is at work'],
  Task: ['a helper is looking into', 'a helper is at work'],
  Skill: ['using the skill', 'using a skill'],
};

export function lineText(tools: Iterable<Tool>, sinceMs: number, redact: (text: string) => string): string {
  const minutes = Math.max(1, Math.floor(sinceMs / 60_000));
  return `⏳ Still at it (${minutes} min): ${doing(tools, redact)}.`;
}

/** What becomes of a line: what was sent can only be changed. */
export function workedText(line: string): string {
  return `Worked on it for ${/\d+/.exec(line)?.[0] ?? '1'} min.`;
}

/** The tool that began last. */
function doing(tools: Iterable<Tool>, redact: (text: string) => string): string {
  const newest = [...tools]
    .filter(({ name }) => name !== MODEL_TOOL)
    .toSorted((a, b) => a.since - b.since)
    .at(-1);
  if (!newest) return 'thinking';
  const subject = plain(newest.subject, redact);
  const known = Object.hasOwn(DOING, newest.name) ? DOING[newest.name] : undefined;
  if (known) return subject === '' ? known[1] : `${known[0]} \`${subject}\``;
  const name = plain(newest.name.startsWith(OWN) ? newest.name.slice(OWN.length) : newest.name, redact);
  return name === '' ? 'using a tool' : `using \`${name}\``;
}

/** Nothing in it calls anybody, turns the reading direction or ends the quotation that it stands in. */
export function plain(text: string, redact: (text: string) => string): string {
  if (looksSecret(text) || redact(text) !== text) return '';
  const clean = text.replaceAll(/[\p{C}\p{Z}\s`@<>|]+/gu, ' ').trim();
  const characters = [...clean];
  return characters.length > MOST ? `${characters.slice(0, MOST - 1).join('')}…` : clean;
}

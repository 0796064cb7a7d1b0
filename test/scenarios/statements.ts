import { FAILURES, type Failure, LISTENING, type Place, POLICIES, type StepBody } from './scenario.ts';
import { readClock, readSpan } from './times.ts';

/** Every kind of line that there is: what it looks like, and what it means. */

export type Groups = Readonly<Record<string, string | undefined>>;
/** `text`: what follows the colon, with the indented lines below it. Throws a sentence. */
export type Meaning = (groups: Groups, text: string) => StepBody;

const NAME = '[A-Z][a-z]+';
const CHAT = '[a-z][a-z0-9-]*';
const PLACE = `(?<place>${NAME}|${CHAT})(?:/(?<thread>[a-z0-9-]+))?(?<second> on terminal-2)?`;
const WHO = `(?<who>${NAME})`;
const OF = `(?: of (?<agent>${NAME}))?`;
const TERMS = '(?: \\((?<terms>[^)]+)\\))?';
const NUMBER = '(?<count>\\d+|an?|once|twice)';

export const STATEMENTS: readonly (readonly [form: string, meaning: Meaning])[] = [
  // Who and where.
  [
    `a group: (?<name>${CHAT})(?<second> on terminal-2)?${TERMS}`,
    (g) => ({ do: 'group', name: must(g.name), second: g.second !== undefined, terms: terms(g) }),
  ],
  [`alone with ${WHO}${TERMS}`, (g) => ({ do: 'alone', who: must(g.who), terms: terms(g) })],
  [
    `another agent: (?<name>${NAME}) in (?<chat>${CHAT})${TERMS}`,
    (g) => ({ do: 'agent', name: must(g.name), chat: must(g.chat), terms: terms(g) }),
  ],
  ['strangers?:', (_, text) => ({ do: 'strangers', names: commas(text) })],
  [`an admin: ${WHO}`, (g) => ({ do: 'admin', who: must(g.who) })],
  ['the clock (?:says|goes to):', (_, text) => ({ do: 'clock', to: readClock(text) })],
  [
    `${NUMBER} (?<unit>seconds?|minutes?|hours?|days?) pass(?:es)?`,
    (g) => ({ do: 'pass', ms: readSpan(String(count(g.count)), must(g.unit)) }),
  ],
  ['to send, (?<name>[\\w.-]+):', (g, text) => ({ do: 'to-send', name: must(g.name), text })],
  ['a file (?<name>[\\w./-]+):', (g, text) => ({ do: 'file', name: must(g.name), text })],
  [
    `${NUMBER} messages earlier ${WHO} said:`,
    (g, text) => ({ do: 'earlier', count: count(g.count), who: must(g.who), text }),
  ],
  // What people do.
  [
    `${WHO}(?: in ${PLACE})?(?: with (?<files>[\\w., -]+))?(?:, answering “(?<answers>[^”]*)”)?(?<again>, once more)?:`,
    said,
  ],
  [
    `${WHO} presses \\[(?<button>[^\\]]+)\\](?: of (?<on>${NAME}))?(?: in ${PLACE})?:`,
    (g, text) => ({
      do: 'press',
      who: must(g.who),
      button: must(g.button),
      place: placeOf(g),
      ...(g.on !== undefined && { on: g.on }),
      pattern: text,
    }),
  ],
  [
    'it is (?<status>refused|held|answered|accepted|duplicate)(?:: (?<why>.*))?',
    (g) => ({ do: 'status', status: statusOf(g.status), pattern: g.why ?? '…' }),
  ],
  ['it ends: (?<outcome>reply|silence|notice|stopped)', (g) => ({ do: 'ends', outcome: must(g.outcome) })],
  // What the model does, and what it was told.
  [`model${OF} says:`, (g, text) => ({ do: 'model', step: { agent: g.agent, does: 'say', text } })],
  [
    `model${OF} says \\((?<tokens>\\d+) tokens\\):`,
    (g, text) => ({ do: 'model', step: { agent: g.agent, does: 'say', text, tokens: Number(g.tokens) } }),
  ],
  [`model${OF} begins:`, (g, text) => ({ do: 'model', step: { agent: g.agent, does: 'begin', text } })],
  [
    `model${OF} keeps failing: (?<failure>[a-z-]+)`,
    (g) => ({ do: 'model', step: { agent: g.agent, does: 'keep-failing', failure: failureOf(g.failure) } }),
  ],
  [`model${OF} recovers`, (g) => ({ do: 'recover', agent: g.agent })],
  ['model goes on:', (_, text) => ({ do: 'go-on', text })],
  [
    `model${OF} calls (?<tool>\\w+)`,
    (g, text) => ({
      do: 'model',
      step: { agent: g.agent, does: 'call', calls: [{ tool: must(g.tool), input: inputs(text) }] },
    }),
  ],
  [
    `model${OF} fails: (?<failure>[a-z-]+)(?: ${NUMBER} times)?`,
    (g) => ({
      do: 'model',
      step: {
        agent: g.agent,
        does: 'fail',
        failure: failureOf(g.failure),
        times: g.count === undefined ? 1 : count(g.count),
      },
    }),
  ],
  [`model${OF} reads:`, (g, text) => ({ do: 'read', agent: g.agent, text, never: false })],
  [`model${OF} never reads:`, (g, text) => ({ do: 'read', agent: g.agent, text, never: true })],
  [`the model was asked ${NUMBER}(?: times)?`, (g) => ({ do: 'asked', times: count(g.count) })],
  // What is to be seen.
  [`nobody hears:`, (_, text) => ({ do: 'never', place: undefined, text })],
  [`${PLACE} never hears:`, (g, text) => ({ do: 'never', place: placeOf(g), text })],
  [`${PLACE} hears:`, (g, text) => ({ do: 'hear', place: placeOf(g), pattern: text })],
  [
    `${PLACE} gets the file (?<name>[\\w.-]+):`,
    (g, text) => ({ do: 'hear-file', place: placeOf(g), name: must(g.name), pattern: text }),
  ],
  [
    `${PLACE} sees (?<buttons>(?:\\[[^\\]]+\\] ?)+):`,
    (g, text) => ({
      do: 'card',
      place: placeOf(g),
      buttons: Array.from(must(g.buttons).matchAll(/\[([^\]]+)\]/g), ([, one = '']) => one),
      pattern: text,
    }),
  ],
  [`${PLACE} sees it change:`, (g, text) => ({ do: 'edited', place: placeOf(g), pattern: text })],
  ['the file (?<name>[\\w./-]+) holds:', (g, text) => ({ do: 'holds', name: must(g.name), pattern: text })],
  // At this machine, and what happens at its time.
  ['run: ncl (?<words>.+)', (g) => ({ do: 'run', words: words(must(g.words)) })],
  ['it prints:', (_, text) => ({ do: 'printed', pattern: text, failed: false })],
  ['it fails:', (_, text) => ({ do: 'printed', pattern: text, failed: true })],
  [
    `task “(?<task>[^”]+)” runs(?: ${NUMBER} times)?`,
    (g) => ({ do: 'fire', task: must(g.task), times: g.count === undefined ? 1 : count(g.count) }),
  ],
  ['task “(?<task>[^”]+)” has run:', (g, text) => ({ do: 'ran', task: must(g.task), statuses: commas(text) })],
];

function said(groups: Groups, text: string): StepBody {
  const { answers, files, again } = groups;
  return {
    do: 'say',
    who: must(groups.who),
    place: placeOf(groups),
    text,
    ...(answers !== undefined && { answers }),
    ...(files !== undefined && { files: commas(files) }),
    ...(again !== undefined && { again: true }),
  };
}

/** Without a place: one's own chat with the agent. */
function placeOf({ place, who, thread, second }: Groups): Place {
  return {
    name: must(place ?? who),
    ...(thread !== undefined && { thread }),
    ...(second !== undefined && { second: true }),
  };
}

function terms({ terms = '' }: Groups): string[] {
  const wrong = commas(terms).find((term) => !LISTENING.has(term) && !POLICIES.has(term));
  if (wrong === undefined) return commas(terms);
  throw new Error(`“${wrong}” is none of: ${[...LISTENING.keys(), ...POLICIES.keys()].join(', ')}.`);
}

function failureOf(given: string | undefined): Failure {
  const found = FAILURES.find((failure) => failure === given);
  if (found) return found;
  throw new Error(`“${given}” is none of: ${FAILURES.join(', ')}.`);
}

function statusOf(given: string | undefined) {
  const found = (['refused', 'held', 'answered', 'accepted', 'duplicate'] as const).find((status) => status === given);
  if (found) return found;
  throw new Error(`There is no status ${given}.`);
}

/** A line each, `name: value`; a line that begins with `|` goes on with the one before. */
function inputs(text: string): Record<string, unknown> {
  const found: Record<string, string> = {};
  let last = '';
  for (const line of text.split('\n').filter((each) => each.trim() !== '')) {
    const [, more] = /^\| ?(.*)$/.exec(line) ?? [];
    const [, name = '', value = ''] = /^([a-z_]+): ?(.*)$/.exec(line) ?? [];
    if (more === undefined && name === '') throw new Error(`“${line}” is no “name: value”.`);
    if (more === undefined) last = name;
    found[last] = more === undefined ? value : `${found[last] ?? ''}\n${more}`;
  }
  return Object.fromEntries(Object.entries(found).map(([name, value]) => [name, readValue(value)]));
}

function readValue(text: string): unknown {
  const listed = /^\[(.*)\]$/.exec(text)?.[1];
  if (listed !== undefined) return commas(listed);
  if (text === 'true' || text === 'false') return text === 'true';
  return /^\d+$/.test(text) ? Number(text) : text;
}

/** As a shell would cut them: `'…'` holds spaces. */
function words(line: string): string[] {
  return Array.from(line.matchAll(/'([^']*)'|(\S+?)'([^']*)'|(\S+)/g), ([, quoted, before, inside, plain]) =>
    before === undefined ? (quoted ?? plain ?? '') : `${before}${inside}`,
  );
}

function count(given: string | undefined): number {
  return given === 'twice' ? 2 : /^\d/.test(given ?? '') ? Number(given) : 1;
}

const commas = (listed: string): string[] => listed.split(',').flatMap((word) => word.trim() || []);

function must(value: string | undefined): string {
  if (value === undefined) throw new Error('A word is missing.');
  return value;
}

import type { Scenario, Step, StepBody } from './scenario.ts';
import { STATEMENTS } from './statements.ts';

/** A scenario's text as steps. A line that is none is refused, with its number. */

const FORMS = STATEMENTS.map(([form, meaning]) => ({
  // What ends in a colon has a text after it.
  pattern: new RegExp(form.endsWith(':') ? `^${form}(?: (?<text>.*))?$` : `^${form}$`, 'u'),
  meaning,
}));
/** More of the same: a second call in one breath. */
const ALSO = /^also calls \w+$/;

export function parseScenario(file: string, source: string): Scenario {
  const refuse = (line: number, why: string) => new Error(`${file}:${line}: ${why}`);
  const [title = '', ...rest] = source.split('\n');
  if (!/^# \S/.test(title)) throw refuse(1, 'The first line is the title: # and a sentence.');
  const steps: Step[] = [];
  for (const { line, text, below } of statementsOf(rest)) {
    if (text.startsWith('  ')) throw refuse(line, 'An indented line goes on with one above it, and there is none.');
    try {
      const last = steps.at(-1);
      if (ALSO.test(text) && last?.do === 'model' && last.step.does === 'call') {
        const more = read(`model ${text.slice('also '.length)}`, below);
        if (more.do === 'model' && more.step.does === 'call') last.step.calls.push(...more.step.calls);
      } else steps.push({ ...read(text, below), line });
    } catch (error) {
      throw refuse(line, error instanceof Error ? error.message : String(error));
    }
  }
  if (steps.length === 0) throw refuse(1, 'Nothing happens.');
  const clock = steps.find((step) => step.do === 'clock');
  const timed = steps.find((step) => step.do === 'pass');
  if (timed && !clock) throw refuse(timed.line, 'Time passes by itself: “the clock says: …” makes it pass at once.');
  const unknown = unknownChat(steps);
  if (unknown) throw refuse(unknown.line, `There is no chat “${unknown.name}”: “a group: ${unknown.name}” makes it.`);
  return { file, title: title.slice(2).trim(), clock: clock?.do === 'clock' ? clock.to : undefined, steps };
}

function read(text: string, below: readonly string[]): StepBody {
  for (const { pattern, meaning } of FORMS) {
    const found = pattern.exec(text);
    if (found) return meaning(found.groups ?? {}, [found.groups?.text ?? '', ...below].join('\n').trim());
  }
  throw new Error(`“${text}” is no line of a scenario.`);
}

/** Each with the indented lines below it, two spaces taken off; empty lines and remarks (`//`) are left out. */
function statementsOf(lines: readonly string[]) {
  const found: { line: number; text: string; below: string[] }[] = [];
  for (const [index, text] of lines.entries()) {
    const last = found.at(-1);
    if (text.startsWith('  ') && last) last.below.push(text.slice(2).trimEnd());
    else if (text.trim() !== '' && !text.startsWith('//'))
      found.push({ line: index + 2, text: text.trimEnd(), below: [] });
  }
  return found;
}

/** The chat that is always there, and one's own, need no making. */
function unknownChat(steps: readonly Step[]): { line: number; name: string } | undefined {
  const known = new Set(['family']);
  for (const step of steps) {
    if (step.do === 'group') known.add(step.name);
    const name = 'place' in step ? step.place?.name : undefined;
    if (name !== undefined && /^[a-z]/.test(name) && !known.has(name)) return { line: step.line, name };
  }
  return undefined;
}

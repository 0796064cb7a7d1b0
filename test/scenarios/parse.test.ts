import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { patternOf } from './hearing.ts';
import { parseScenario } from './parse.ts';
import { STATEMENTS } from './statements.ts';

/** Scenario files are read as they are meant, and refused with their line where they aren't. */

const parse = (...lines: string[]) => parseScenario('x.txt', ['# A title', ...lines].join('\n'));

test('each line is a step; what is indented belongs to the line above it', () => {
  const { title, steps, clock } = parse(
    '// a remark',
    '',
    'a group: board (hears mentions, open to all)',
    'Ann in board/trip with a.png, b.txt: first',
    '  second',
    '',
    'model calls schedule_task',
    '  when: 0 9 * * 1-5',
    '  options: [a film, a game]',
    '  count: 3',
    '  script: one',
    '  | two',
    'also calls Bash',
    '  command: ls',
    'model of Bea keeps failing: overloaded',
    'board/trip sees [a film] [a game]: …',
  );
  assert.equal(title, 'A title');
  assert.equal(clock, undefined);
  assert.deepEqual(steps, [
    { line: 4, do: 'group', name: 'board', second: false, terms: ['hears mentions', 'open to all'] },
    {
      line: 5,
      do: 'say',
      who: 'Ann',
      place: { name: 'board', thread: 'trip' },
      text: 'first\nsecond',
      files: ['a.png', 'b.txt'],
    },
    {
      line: 8,
      do: 'model',
      step: {
        agent: undefined,
        does: 'call',
        calls: [
          {
            tool: 'schedule_task',
            input: { when: '0 9 * * 1-5', options: ['a film', 'a game'], count: 3, script: 'one\ntwo' },
          },
          { tool: 'Bash', input: { command: 'ls' } },
        ],
      },
    },
    { line: 16, do: 'model', step: { agent: 'Bea', does: 'keep-failing', failure: 'overloaded' } },
    { line: 17, do: 'card', place: { name: 'board', thread: 'trip' }, buttons: ['a film', 'a game'], pattern: '…' },
  ]);
});

test('a clock is read in its zone, and only a scenario that has one lets time pass', () => {
  const { clock, steps } = parse('the clock says: 2027-03-28 01:30 in Europe/Berlin', '20 minutes pass');
  assert.equal(clock, Date.parse('2027-03-28T00:30Z'));
  assert.deepEqual(steps.at(-1), { line: 3, do: 'pass', ms: 20 * 60_000 });
});

test('words for ncl are cut as a shell would', () => {
  const [step] = parse("run: ncl tasks create Andy --when '0 9 * * *' --name=Tea").steps;
  assert.deepEqual(step?.do === 'run' && step.words, ['tasks', 'create', 'Andy', '--when', '0 9 * * *', '--name=Tea']);
});

const wrong: readonly (readonly [name: string, lines: readonly string[], why: RegExp])[] = [
  ['no line of ours', ['Ann: hello', 'Ann sings'], /^x\.txt:3: “Ann sings” is no line of a scenario\.$/],
  ['a chat that nobody made', ['Ann in board: hello'], /^x\.txt:2: There is no chat “board”/],
  [
    'terms that are none',
    ['a group: board (hears nothing)'],
    /^x\.txt:2: “hears nothing” is none of: hears everything/,
  ],
  ['a failure that is none', ['model fails: badly'], /^x\.txt:2: “badly” is none of: overloaded/],
  ['an input without a name', ['model calls Bash', '  ls -l'], /^x\.txt:2: “ls -l” is no “name: value”/],
  ['a time that is none', ['the clock says: tomorrow'], /^x\.txt:2: /],
  ['time that passes by itself', ['Ann: hello', '2 hours pass'], /^x\.txt:3: Time passes by itself/],
  ['an indented first line', ['  Ann: hello'], /^x\.txt:2: An indented line/],
  ['nothing at all', [], /^x\.txt:1: Nothing happens/],
];

for (const [name, lines, why] of wrong) {
  test(`refused with its line: ${name}`, () => {
    assert.throws(
      () => parse(...lines),
      (error) => error instanceof Error && why.test(error.message),
    );
  });
}

test('a file without a title is refused', () => {
  assert.throws(() => parseScenario('x.txt', 'Ann: hello'), /^Error: x\.txt:1: The first line is the title/);
});

test('in what is expected, … stands for anything, and nothing else does', () => {
  assert.ok(patternOf('It is …, and 1+1 (two).').test('It is late\nalready, and 1+1 (two).'));
  assert.ok(!patternOf('It is.').test('It is!'));
  assert.ok(!patternOf('It is').test('It is so'));
});

test('there are a hundred scenarios or more, each with a title of its own, and every kind of line is used by one', () => {
  const files = globSync('*/*.txt', { cwd: import.meta.dirname });
  const sources = files.map((file) => readFileSync(join(import.meta.dirname, file), 'utf8'));
  const titles = sources.map((source, index) => parseScenario(files[index] ?? '', source).title);
  assert.ok(files.length >= 100, `${files.length}`);
  assert.equal(new Set(titles).size, titles.length);
  const lines = sources.flatMap((source) => source.split('\n'));
  const unused = STATEMENTS.filter(([form]) => !lines.some((line) => new RegExp(`^${form}`, 'u').test(line)));
  assert.deepEqual(
    unused.map(([form]) => form),
    [],
  );
});

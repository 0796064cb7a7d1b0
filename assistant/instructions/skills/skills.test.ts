import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { readFrontMatter } from './front-matter.ts';
import { chooseSkills, placeSkills, type SkillPlaces, skillNames, skillPlaces } from './index.ts';
import { cleanSelection, selectionProblem } from './selection.ts';

const CODE = join(import.meta.dirname, '../../..');

let root: string;
let places: SkillPlaces;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'nanoclaw-skills-'));
  places = { shipped: join(root, 'shipped'), own: join(root, 'own') };
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function add(
  where: 'shipped' | 'own',
  name: string,
  more: { channels?: string; files?: Record<string, string> } = {},
): string {
  const folder = join(places[where], name);
  mkdirSync(folder, { recursive: true });
  const channels = more.channels === undefined ? '' : `channels: ${more.channels}\n`;
  writeFileSync(join(folder, 'SKILL.md'), `---\nname: ${name}\ndescription: ${where}.\n${channels}---\n\nText.\n`);
  for (const [path, text] of Object.entries(more.files ?? {})) {
    mkdirSync(join(folder, path, '..'), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  return folder;
}
function chosen(selection: string, channels: string[] = []) {
  const { skills, leftOut } = chooseSkills(places, selection, new Set(channels));
  return { names: skills.map(({ name }) => name), leftOut };
}

describe('which skills an agent has', () => {
  const cases: [selection: string, channels: string[], names: string[]][] = [
    ['automatic', [], ['general', 'mine']],
    ['automatic', ['telegram'], ['general', 'mine', 'telegram-formatting']],
    ['all', [], ['chat', 'general', 'mine', 'telegram-formatting']],
    ['none', ['telegram'], []],
    ['chat,mine', [], ['chat', 'mine']],
  ];
  for (const [selection, channels, names] of cases) {
    test(`${selection}, on ${channels.join() || 'no channel'}`, () => {
      add('own', 'mine');
      add('shipped', 'telegram-formatting', { channels: 'telegram' });
      add('shipped', 'general');
      add('shipped', 'chat', { channels: '[slack, discord]' });
      assert.deepEqual(chosen(selection, channels), { names, leftOut: [] });
    });
  }

  test("the owner's stands in for a shipped one of the same name, also where it can't be used", () => {
    add('shipped', 'welcome');
    const folder = add('own', 'welcome');
    assert.equal(chooseSkills(places, 'all', new Set()).skills[0]?.description, 'own.');
    rmSync(join(folder, 'SKILL.md'));
    assert.deepEqual(chosen('all'), { names: [], leftOut: [{ name: 'welcome', sentence: 'it has no SKILL.md.' }] });
  });

  test('one whose folder is called otherwise is not passed over in silence; hidden folders and files are', () => {
    for (const name of ['Invoices', 'my \u001b[2Jskill', '.git'])
      mkdirSync(join(places.own, name), { recursive: true });
    writeFileSync(join(places.own, 'README.txt'), '');
    const sentence = 'its folder may be called by small letters, digits and dashes alone.';
    const leftOut = [
      { name: 'Invoices', sentence },
      { name: 'my \uFFFD[2Jskill', sentence },
    ];
    for (const selection of ['automatic', 'all']) assert.deepEqual(chosen(selection), { names: [], leftOut });
    assert.deepEqual(chosen('none').leftOut, []);
  });

  test('one that was chosen and is gone', () => {
    assert.deepEqual(chosen('gone'), { names: [], leftOut: [{ name: 'gone', sentence: 'it is not there any more.' }] });
  });
});

describe('a choice', () => {
  const known = ['chat', 'mine'];
  test('is kept in one form', () => assert.equal(cleanSelection(' mine,chat  mine '), 'chat,mine'));
  test('that is empty is automatic', () => assert.equal(cleanSelection(' , '), 'automatic'));
  for (const word of ['automatic', 'all', 'none', 'chat,mine']) {
    test(`${word} is one`, () => assert.equal(selectionProblem(word, known), undefined));
  }
  for (const text of ['chat,other', '../chat', 'all,chat']) {
    test(`${text} is refused, with those that there are`, () =>
      assert.match(
        selectionProblem(text, known) ?? '',
        /^There is no skill ".*"\. There are chat, mine; or automatic/,
      ));
  }
});

/** Each is left out with a sentence; the others are there all the same. */
const hostile: [what: string, make: (folder: string) => void, sentence: RegExp][] = [
  [
    'a link to a file outside',
    (folder) => symlinkSync('/etc/passwd', join(folder, 'more.md')),
    /holds a link \("more\.md"\)/,
  ],
  ['a link to a folder outside', (folder) => symlinkSync('/etc', join(folder, 'more')), /holds a link/],
  [
    'a SKILL.md that is a link',
    (folder) => {
      rmSync(join(folder, 'SKILL.md'));
      symlinkSync('/etc/passwd', join(folder, 'SKILL.md'));
    },
    /holds a link \("SKILL\.md"\)/,
  ],
  ['a pipe', (folder) => execFileSync('mkfifo', [join(folder, 'pipe')]), /holds a pipe or a device \("pipe"\)/],
  [
    '1 GB',
    (folder) => {
      writeFileSync(join(folder, 'large'), '');
      truncateSync(join(folder, 'large'), 1024 ** 3);
    },
    /larger than 4 MB/,
  ],
  [
    'more files than are read',
    (folder) => {
      for (let at = 0; at < 300; at += 1) writeFileSync(join(folder, `f${at}`), '');
    },
    /more than 200 files/,
  ],
  [
    'folders without end',
    (folder) => mkdirSync(join(folder, ...Array(100).fill('d')), { recursive: true }),
    /more than 50 folders/,
  ],
  ['no SKILL.md', (folder) => rmSync(join(folder, 'SKILL.md')), /has no SKILL\.md/],
  ['no front matter', (folder) => writeFileSync(join(folder, 'SKILL.md'), '# Text'), /does not begin with its name/],
  [
    'no description',
    (folder) => writeFileSync(join(folder, 'SKILL.md'), '---\nname: bad\n---\n'),
    /does not begin with/,
  ],
  [
    'another name',
    (folder) => writeFileSync(join(folder, 'SKILL.md'), '---\nname: good\ndescription: x\n---\n'),
    /calls it "good"/,
  ],
  [
    'long instructions',
    (folder) => writeFileSync(join(folder, 'instructions.md'), 'x'.repeat(4001)),
    /longer than 4000 bytes/,
  ],
];
describe('a folder that', () => {
  for (const [what, make, sentence] of hostile) {
    test(`holds ${what}`, () => {
      add('own', 'good');
      make(add('own', 'bad'));
      const { names, leftOut } = chosen('all');
      assert.deepEqual(names, ['good']);
      assert.equal(leftOut.length, 1);
      assert.match(leftOut[0]?.sentence ?? '', sentence);
    });
  }

  test('is itself a link, or a file', () => {
    mkdirSync(places.own);
    symlinkSync(add('shipped', 'elsewhere'), join(places.own, 'linked'));
    writeFileSync(join(places.own, 'file'), '');
    assert.deepEqual(chosen('file,linked').leftOut, [
      { name: 'file', sentence: 'it is no folder.' },
      { name: 'linked', sentence: 'it is no folder.' },
    ]);
  });
});

test('where data/skills is no folder, the shipped ones are there', () => {
  add('shipped', 'good');
  writeFileSync(places.own, '');
  assert.deepEqual(chosen('all'), {
    names: ['good'],
    leftOut: [{ name: 'data/skills', sentence: "it can't be read (ENOTDIR)." }],
  });
});

test('what does not fit is left out, and the next one that does is there', () => {
  for (const at of ['a', 'b', 'c', 'd']) add('own', at, { files: { 'instructions.md': 'x'.repeat(3_900) } });
  add('own', 'e', { files: { 'instructions.md': 'x'.repeat(3_900) } });
  add('own', 'f', { files: { 'instructions.md': 'short' } });
  assert.deepEqual(chosen('all'), {
    names: ['a', 'b', 'c', 'd', 'f'],
    leftOut: [{ name: 'e', sentence: 'with it, the skills are more than fit.' }],
  });
});

test('what is placed replaces what was there, can be read by others, and keeps what may be run', () => {
  const folder = join(root, 'group');
  const script = join(add('own', 'tools', { files: { 'bin/run.sh': 'echo', 'notes.md': 'notes' } }), 'bin/run.sh');
  chmodSync(script, 0o700);
  const umask = process.umask(0o077);
  try {
    placeSkills(folder, chooseSkills(places, 'all', new Set()).skills);
    assert.equal(statSync(join(folder, 'tools/bin')).mode & 0o777, 0o755);
    assert.equal(statSync(join(folder, 'tools/bin/run.sh')).mode & 0o777, 0o755);
    assert.equal(statSync(join(folder, 'tools/notes.md')).mode & 0o777, 0o644);
    assert.equal(readFileSync(join(folder, 'tools/notes.md'), 'utf8'), 'notes');
    placeSkills(folder, []);
    assert.deepEqual(readdirSync(folder), []);
  } finally {
    process.umask(umask);
  }
});

describe('the head of a SKILL.md', () => {
  const cases: [text: string, expected: object | undefined][] = [
    ['---\nname: a\ndescription: b\n---\ntext', { name: 'a', description: 'b', channels: [] }],
    ['\uFEFF---\r\nname: "a"\r\ndescription: \'b: c\'\r\n---\r\n', { name: 'a', description: 'b: c', channels: [] }],
    ['---\nname: a\ndescription: >-\n  one\n  two\n---\n', { name: 'a', description: 'one two', channels: [] }],
    [
      '---\nname: a\ndescription: b\nchannels:\n  slack, web\n---\n',
      { name: 'a', description: 'b', channels: ['slack', 'web'] },
    ],
    ['---\nname: a\ndescription: b\n', undefined],
    ['text\n---\nname: a\ndescription: b\n---\n', undefined],
    ['---\nname: a\ndescription:\n---\n', undefined],
  ];
  for (const [text, expected] of cases) {
    test(JSON.stringify(text), () => assert.deepEqual(readFrontMatter(text), expected));
  }
});

test('every skill that is shipped can be used, and says for whom it is', () => {
  const shipped = skillPlaces(CODE, root);
  assert.ok(!existsSync(shipped.own));
  const { skills, leftOut } = chooseSkills(shipped, 'all', new Set());
  assert.deepEqual(leftOut, []);
  assert.deepEqual(
    skills.map(({ name }) => name),
    skillNames(shipped),
  );
  const families = Object.fromEntries(skills.map(({ name, channels }) => [name, channels.join()]));
  assert.deepEqual(families, {
    'agent-browser': '',
    'discord-formatting': 'discord',
    'email-formatting': 'email',
    'self-customize': '',
    'slack-formatting': 'slack',
    'telegram-formatting': 'telegram',
    'terminal-formatting': 'terminal',
    'web-formatting': 'web',
    'webhook-formatting': 'webhook',
    welcome: '',
  });
});

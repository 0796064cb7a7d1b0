import assert from 'node:assert/strict';
import { test } from 'node:test';
import { subjectOf } from './subject.ts';

const TOKEN = `ghp_${'a1B2'.repeat(9)}`;

const CASES: [string, string, unknown, string | undefined][] = [
  [
    'a command is called what it says of itself',
    'Bash',
    { command: 'npm test', description: 'Run the tests' },
    'Run the tests',
  ],
  ['or by its first word', 'Bash', { command: 'npm test -- --token=abc' }, 'npm'],
  [
    'nothing of what is set before a command',
    'Bash',
    { command: 'PASSPHRASE="correct horse" /usr/bin/curl x' },
    undefined,
  ],
  ['a password in plain words', 'Bash', { command: ' ssh x', description: 'Log in with the password hunter2' }, 'ssh'],
  ['a key with hyphens', 'WebSearch', { query: 'what is 3f2a9c1e-8d4b-4c77-9e12-0a1b2c3d4e5f' }, undefined],
  ['a number that opens something', 'WebSearch', { query: 'is PIN 4711 safe' }, undefined],
  ['a file that is called by a password', 'Read', { file_path: '/a/password-hunter2.txt' }, undefined],
  [
    'what only speaks of them',
    'WebSearch',
    { query: 'how many tokens does a novel have' },
    'how many tokens does a novel have',
  ],
  ['nothing but assignments', 'Bash', { command: 'PASSWORD=hunter2' }, undefined],
  [
    'a description with a secret in it is not shown',
    'Bash',
    { command: 'gh auth', description: `Log in with ${TOKEN}` },
    'gh',
  ],
  ['a first word that is a secret', 'Bash', { command: TOKEN }, undefined],
  ['a file without its path', 'Read', { file_path: '/home/node/private/report.pdf' }, 'report.pdf'],
  ['a notebook', 'NotebookEdit', { notebook_path: '/a/b.ipynb' }, 'b.ipynb'],
  ['of an address the host', 'WebFetch', { url: 'https://user:pass@example.com:8080/a?key=1' }, 'example.com'],
  ['no address', 'WebFetch', { url: 'what?' }, undefined],
  ['what is searched for', 'WebSearch', { query: 'trains\n\u202eto  Lyon' }, 'trains to Lyon'],
  ['a search for a key', 'WebSearch', { query: `who owns ${TOKEN}` }, undefined],
  ['a helper', 'Agent', { description: 'Find the thing', prompt: 'long' }, 'Find the thing'],
  ['too long', 'Agent', { description: '😀'.repeat(100) }, `${'😀'.repeat(59)}…`],
  ['a megabyte', 'WebSearch', { query: 'a'.repeat(1024 * 1024) }, `${'a'.repeat(59)}…`],
  ['an unknown tool', 'toString', { description: 'x' }, undefined],
  ['no input at all', 'Bash', 7, undefined],
];

for (const [name, tool, input, expected] of CASES) {
  test(`a subject: ${name}`, () => assert.equal(subjectOf(tool, input), expected));
}

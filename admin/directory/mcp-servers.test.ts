import assert from 'node:assert/strict';
import { test } from 'node:test';
import { McpServers } from '@nanoclaw/protocol';
import { serverSections } from '../../assistant/instructions/text.ts';
import { mcpServerProblem } from './mcp-servers.ts';

const plain = { command: 'bun', args: ['x.ts', '--level', '3'], env: { LEVEL: '3', TOKEN: 'placeholder' } };
const problem = (name: string, more: Partial<typeof plain & { instructions: string }> = {}) =>
  mcpServerProblem(name, { ...plain, ...more });

for (const name of ['notes', 'Notes-2', 'a_b', '7', 'constructor', 'nanoclaw2', 'x'.repeat(64)]) {
  test(`${name.slice(0, 20)} is a name, and one that a runner can read`, () => {
    assert.equal(problem(name), undefined);
    assert.deepEqual(McpServers.parse({ [name]: plain })[name], plain);
  });
}

for (const name of ['', 'nanoclaw', 'NanoClaw', 'a__b', '_a', 'a_', '__proto__', 'a b', 'a/b', 'ä', 'x'.repeat(65)]) {
  test(`${JSON.stringify(name.slice(0, 20))} is none`, () => assert.match(problem(name) ?? '', /^A server has a name/));
}

const refused: [what: string, more: Parameters<typeof problem>[1], sentence: RegExp][] = [
  ['no command', { command: ' ' }, /command is empty/],
  ['a NUL', { args: ['a\0b'] }, /no NUL/],
  ['20,000 characters', { args: ['x'.repeat(20_000)] }, /16,000/],
  ['no name of a variable', { env: Object.fromEntries([['a=b', '']]) as typeof plain.env }, /no name of a variable/],
  ['a key in a variable', { env: { ...plain.env, TOKEN: `ghp_${'a1'.repeat(18)}` } }, /looks like a key/],
  ['a key in an argument', { args: ['--key', `sk-ant-api03-${'b2'.repeat(20)}`] }, /looks like a key/],
  ['a key in the instructions', { instructions: `Send Bearer ${'c3'.repeat(20)}` }, /looks like a key/],
];
for (const [what, more, sentence] of refused) {
  test(`${what} is refused in a sentence`, () => assert.match(problem('notes', more) ?? '', sentence));
}

test('what its tools are for stands in the instructions, where that is said', () => {
  const sections = serverSections(
    McpServers.parse({ notes: { ...plain, instructions: ' Keep notes.\n' }, mute: plain }),
  );
  assert.deepEqual(sections, ['## Tools named mcp__notes__…\n\nKeep notes.']);
});

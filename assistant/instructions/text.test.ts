import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { McpServers } from '@nanoclaw/protocol';
import { type InstructionParts, instructionText, PART_LIMITS } from './text.ts';

const SHIPPED = join(import.meta.dirname, '../../container');
const shipped = (path: string) => readFileSync(join(SHIPPED, path), 'utf8');
const bare: InstructionParts = {
  base: '# Base\n',
  tools: [],
  own: '',
  shared: [],
  leftOut: [],
  servers: {},
  skills: [],
};
const server = (instructions: string) => ({ command: 'x', instructions });

const full: InstructionParts = {
  base: '# Base\n',
  tools: ['## ncl\n\nText.\n'],
  own: ' Say moin.\n',
  shared: [
    { name: 'notes', mount: { mode: 'rw' } },
    { name: 'archive', mount: { mode: 'ro' } },
  ],
  leftOut: [{ name: 'lost', path: '/lost', sentence: 'it is not there.' }],
  servers: McpServers.parse({ stamps: server('Stamp.'), mute: { command: 'y' }, mail: server('Send.') }),
  skills: [
    { name: 'welcome', instructions: '' },
    { name: 'invoices', instructions: 'Number them.' },
  ],
};

test('every part has its place, and what is empty has none', () => {
  assert.equal(instructionText(bare), '# Base\n');
  assert.equal(
    instructionText(full),
    `# Base

## ncl

Text.

## From those who look after you

Say moin.

## Folders of your owner

- \`/workspace/extra/archive\`: read-only
- \`/workspace/extra/notes\`: you may change what is in it
- \`lost\` is not there for now: it is not there.

## Tools named mcp__mail__…

Send.

## Tools named mcp__stamps__…

Stamp.

## The skill invoices

Number them.
`,
  );
});

test('it is the same text for the same settings, in whatever order they are kept', () => {
  const servers = Object.fromEntries(Object.entries(full.servers).reverse());
  const turned = { ...full, servers, shared: full.shared.toReversed(), skills: full.skills.toReversed() };
  assert.equal(instructionText(turned), instructionText(full));
  assert.equal(instructionText(full), instructionText(full));
});

test('with every part as large as it may be, a runner still reads it to its end', () => {
  const own = 'x'.repeat(PART_LIMITS.own);
  const servers = McpServers.parse({ a: server('y'.repeat(PART_LIMITS.servers)) });
  const skills = Array.from({ length: 4 }, (_, at) => ({ name: `s${at}`, instructions: 'z'.repeat(4_000) }));
  const shared = Array.from({ length: 500 }, (_, at) => ({ name: `folder-${at}`, mount: { mode: 'ro' as const } }));
  const tools = ['ncl.md', 'tasks.md'].map((name) => shipped(join('instructions', name)));
  const text = instructionText({ base: shipped('CLAUDE.md'), tools, own, servers, skills, shared, leftOut: [] });
  assert.ok(Buffer.byteLength(text) <= 64 * 1024, `${Buffer.byteLength(text)} bytes`);
  assert.match(text, /- and more: `ls \/workspace\/extra` shows them/);
});

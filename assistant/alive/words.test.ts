import assert from 'node:assert/strict';
import { test } from 'node:test';
import { lineText, workedText } from './words.ts';

/** What an agent may have in a line. */

const redact = (text: string) => text.replaceAll('the-secret-of-this-install', '[redacted]');

function line(tool: string, sinceMs = 60_000): string {
  const [name = '', ...subject] = tool.split(' ');
  return lineText([{ name, subject: subject.join(' '), since: 0, declaredTimeoutMs: null }], sinceMs, redact);
}

test('an agent cannot call anybody, end the quotation or show a secret by what it calls its work', () => {
  const hostile: [string, string][] = [
    ['Bash @everyone `rm` <!channel> <@U1>', 'running `everyone rm !channel U1`'],
    ['Bash the-secret-of-this-install', 'running a command'],
    [`Bash ghp_${'a1B2'.repeat(9)}`, 'running a command'],
    [`Read ${'a'.repeat(200)}`, `reading \`${'a'.repeat(59)}…\``],
    ['WebFetch \u202e\u0007\nx', 'looking at `x`'],
    ['mcp__nanoclaw__send_file', 'using `send_file`'],
    ['constructor x', 'using `constructor`'],
    ['', 'using a tool'],
    ['model', 'thinking'],
  ];
  for (const [tool, expected] of hostile) assert.equal(line(tool), `⏳ Still at it (1 min): ${expected}.`, tool);
});

test('what becomes of a line says for how long it was, whatever the work was called', () => {
  assert.equal(workedText(line('Bash 99 bottles (7 min)', 185_000)), 'Worked on it for 3 min.');
  assert.equal(workedText(''), 'Worked on it for 1 min.');
});

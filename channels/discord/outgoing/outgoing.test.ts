import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Lost } from '../../http/lost.ts';
import { Refusal } from '../rest/api.ts';
import { createLimits, routeOf } from '../rest/limits.ts';
import { outcomeOf } from '../rest/outcome.ts';
import { rowsOf } from './components.ts';
import { escapeMarkdown, toDiscord } from './markdown.ts';
import { nonceOf } from './sendings.ts';

/** What is made of an answer, and of a failure. */

test('tables, pictures and small headings become what Discord knows; code stays as it is', () => {
  const table = 'Prices:\n\n| what | how much |\n|---|--:|\n| shelf | 40 |\n| lamp | 120 |\n\nAll in euros.';
  const shown = 'Prices:\n\n```\nwhat  | how much\n------|---------\nshelf | 40\nlamp  | 120\n```\n\nAll in euros.';
  assert.equal(toDiscord(table), shown);
  assert.equal(toDiscord(`\`\`\`\n${table}\n\`\`\``), `\`\`\`\n${table}\n\`\`\``);
  assert.equal(toDiscord('#### Small\n## Large\n![a](https://x)'), '**Small**\n## Large\n[a](https://x)');
  for (const same of ['a | b', '**open `tick', '```\nno end', '> quote\n- item', ''])
    assert.equal(toDiscord(same), same);
  assert.equal(toDiscord('| a | b |\n|---'), '| a | b |\n|---');
});

test('what a card says is said mark for mark', () => {
  assert.equal(escapeMarkdown('# rm *.ts `x` <@1> [a](b)'), '\\# rm \\*.ts \\`x\\` \\<@1> \\[a\\](b)');
});

test('buttons stand in rows of five; too many of them are no buttons', () => {
  const buttons = (count: number) => Array.from({ length: count }, (_, at) => ({ data: `b${at}`, label: `B ${at}` }));
  assert.deepEqual(
    rowsOf({ title: '', body: '', buttons: buttons(7) })?.map(
      (row) => 'components' in row && (row.components as []).length,
    ),
    [5, 2],
  );
  assert.equal(rowsOf({ title: '', body: '', buttons: buttons(26) }), undefined);
  assert.equal(rowsOf({ title: '', body: '', buttons: [...buttons(1), ...buttons(1)] }), undefined);
  const [row] = rowsOf({ title: '', body: '', buttons: [{ data: 'x', label: 'y'.repeat(90) }] }) ?? [];
  assert.match(JSON.stringify(row), /"label":"y{79}…"/);
});

test('each class of failure has its consequence', () => {
  const cases: [unknown, boolean, object][] = [
    [
      new Refusal(429, 0, 'slow', 1_500),
      true,
      { status: 'failed', retryable: true, retryAfterMs: 1_500, account: false },
    ],
    [new Refusal(429, 0, 'slow', 1_500, true), true, { account: true }],
    [new Refusal(401, 0, 'x'), true, { retryable: true, offline: true }],
    [
      new Refusal(403, 50_013, 'x'),
      true,
      {
        retryable: false,
        error:
          'The bot lacks a permission there: Send Messages, Send Messages in Threads, Attach Files or Add Reactions.',
      },
    ],
    [
      new Refusal(400, 50_035, 'Invalid Form Body'),
      true,
      { retryable: false, error: 'Discord refuses: Invalid Form Body' },
    ],
    [new Refusal(503, 0, 'x'), true, { status: 'failed', retryable: true }],
    [new Refusal(502, 0, 'x'), true, { status: 'unknown' }],
    [new Lost('x', true), true, { status: 'failed', retryable: true }],
    [new Lost('x', true), false, { offline: true }],
    [new Lost('x', false), true, { status: 'unknown' }],
    [new Error('no such file'), true, { status: 'failed', retryable: true }],
  ];
  for (const [error, isConnected, expected] of cases)
    assert.partialDeepStrictEqual(outcomeOf(error, isConnected), expected);
  assert.equal(outcomeOf(new Lost('x', false), true, true).status, 'failed', 'an edit made twice is the same');
});

test('limits are kept for each route, and for all of them', () => {
  let now = 0;
  const limits = createLimits(() => now);
  const route = routeOf('PATCH', '/channels/1/messages/22?x=1');
  assert.equal(route, routeOf('PATCH', '/channels/1/messages/33'));
  assert.notEqual(route, routeOf('PATCH', '/channels/2/messages/22'));
  limits.note(route, new Headers({ 'x-ratelimit-remaining': '0', 'x-ratelimit-reset-after': '1.5' }));
  assert.deepEqual([limits.wait(route), limits.wait('POST /channels/1/messages')], [1_500, 0]);
  limits.rest('POST /channels/9/messages', 3_000, true);
  assert.deepEqual([limits.wait(route), limits.wait('anything')], [3_000, 3_000]);
  now = 3_000;
  assert.deepEqual([limits.wait(route), limits.wait('anything')], [0, 0]);
});

test('a nonce is one that Discord takes, the same for the same', () => {
  const nonce = nonceOf('sess-1:msg-2#0#sent');
  assert.match(nonce, /^[\w-]{24}$/);
  assert.equal(nonce, nonceOf('sess-1:msg-2#0#sent'));
  assert.notEqual(nonce, nonceOf('sess-1:msg-2#1#sent'));
});

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { bodyText, cardOf, inline, outcomeText, quote, readData } from './card.ts';
import { STATUSES } from './states.ts';
import type { Approval, Option } from './table.ts';

const option = (label: string, does: Option['does'] = 'approve'): Option => ({ label, does, action: {} });
const approval = (over: Partial<Approval> = {}): Approval => ({
  id: 'appr-mi8q1x2a0123456789',
  kind: 'test',
  status: 'pending',
  subject: 's',
  agentGroupId: null,
  sessionId: null,
  requestedBy: 't:kim',
  channel_type: 't',
  platform_id: 'c',
  thread_id: null,
  title: 'Kim wants to talk to Andy',
  body: 'Kim wrote:\n> hello',
  options: [option('Allow'), option('Refuse', 'deny')],
  more: 0,
  created_at: '',
  expires_at: '',
  escalate_at: null,
  decided_at: null,
  decided_by: null,
  decision: null,
  result: null,
  ...over,
});

describe('what others wrote, on a card', () => {
  const lines: [string, string, string][] = [
    ['newlines', 'Kim\n✅ Owner allowed it', 'Kim ✅ Owner allowed it'],
    ['marks that turn the reading direction', 'Kim\u202Egnihton', 'Kimgnihton'],
    ['marks that can not be seen', 'K\u200Bi\u2060m\u00AD', 'Kim'],
    ['NUL, escape, an unpaired surrogate', 'K\0i\u001B[31mm\uD83D', 'K\uFFFDi[31mm\uFFFD'],
    ['right-to-left text stays', 'שלום', 'שלום'],
    ['10,000 characters', 'x'.repeat(10_000), `${'x'.repeat(60)}…`],
  ];
  for (const [name, given, shown] of lines) test(`${name}, on one line`, () => assert.equal(inline(given), shown));

  test('each line of a quote is marked, and what is missing is counted', () => {
    assert.equal(quote('one\n\n\nTwo: Allow'), '> one\n> Two: Allow');
    assert.equal(quote('abcdef', 4), '> abcd\n> … (2 more characters)');
  });

  test('nothing is cut inside a character', () => {
    assert.equal(inline('😀😀', 3), '😀…');
    assert.ok(bodyText('😀'.repeat(5_000)).isWellFormed());
  });

  test('a body that is too long loses its middle and says how much', () => {
    const text = bodyText(`start${'x'.repeat(9_990)}end`);
    assert.match(text, /^start/);
    assert.match(text, /end$/);
    assert.match(text, /\(7998 characters are not shown/);
  });
});

describe('a card', () => {
  test('has a button for each option, with at most 64 bytes', () => {
    const { card, text } = cardOf(approval());
    assert.deepEqual(
      card.buttons.map(({ label }) => label),
      ['Allow', 'Refuse'],
    );
    for (const { data } of card.buttons) assert.ok(Buffer.byteLength(data) <= 64);
    assert.deepEqual(readData(card.buttons[1]?.data ?? ''), { id: 'appr-mi8q1x2a0123456789', option: 1 });
    assert.match(text, /1\. Allow\n2\. Refuse\nAnswer with \/approve mi8q1x2a0123 or \/deny mi8q1x2a0123$/);
  });

  test('of thirteen options ten are buttons, and the rest is named with how to choose it', () => {
    const { card } = cardOf(
      approval({ options: Array.from({ length: 13 }, (_, index) => option(`Agent ${index + 1}`)) }),
    );
    assert.equal(card.buttons.length, 10);
    assert.match(card.body, /11\. Agent 11\n12\. Agent 12\n13\. Agent 13\n.*<number>/);
  });

  test('has a sentence for each way in which it can end', () => {
    const texts = STATUSES.map((status) => outcomeText(approval({ status, decision: 0, result: 'Done.' }), 'Ann'));
    assert.equal(new Set(texts).size, STATUSES.length);
  });

  for (const data of [
    '',
    'a:',
    'a:appr-x',
    'a:appr-x:',
    'a:appr-x:-1',
    'a:appr-x:1:2',
    'b:appr-x:1',
    'a:note-x:1',
    'a:appr-X:1',
  ]) {
    test(`${JSON.stringify(data)} is no button of ours`, () => assert.equal(readData(data), undefined));
  }
});

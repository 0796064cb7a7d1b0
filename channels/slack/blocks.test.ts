import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { blocksOf as accepted, calledBy } from '../../test/fakes/slack/checks.ts';
import { blocksOf } from './blocks.ts';

test('a card is a text and a row of buttons, with what each gives', () => {
  const buttons = [
    { data: 'yes-1', label: 'Allow' },
    { data: 'no-1', label: 'Refuse' },
  ];
  assert.deepEqual(blocksOf({ title: 'May <I>?', body: 'All & more', buttons }), [
    { type: 'section', text: { type: 'mrkdwn', text: '*May &lt;I&gt;?*\n\nAll &amp; more', verbatim: true } },
    {
      type: 'actions',
      elements: [
        {
          type: 'button',
          action_id: 'answer-0',
          text: { type: 'plain_text', text: 'Allow', emoji: true },
          value: 'yes-1',
        },
        {
          type: 'button',
          action_id: 'answer-1',
          text: { type: 'plain_text', text: 'Refuse', emoji: true },
          value: 'no-1',
        },
      ],
    },
  ]);
});

test('Slack takes every card, and none calls anybody', () => {
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.constantFrom('<!channel>', '&'.repeat(4_000), 'x y '.repeat(2_000)),
  );
  const button = fc.record({ data: fc.string({ minLength: 1, maxLength: 64 }), label: fc.string({ maxLength: 200 }) });
  const card = fc.record({ title: text, body: text, buttons: fc.array(button, { maxLength: 30 }) });
  fc.assert(
    fc.property(card, (one) => {
      const blocks = accepted(JSON.stringify(blocksOf(one)));
      assert.ok(Array.isArray(blocks), JSON.stringify(blocks));
      for (const block of blocks) if (block.type === 'section') assert.deepEqual(calledBy(block.text.text), []);
    }),
  );
});

import assert from 'node:assert/strict';
import { split } from '../../../channels/text/split.ts';
import { until } from '../../support/until.ts';
import { type ContractCase, PATIENCE_MS, type Stage } from './stage.ts';

/** What is said stands there: whole, once, and nothing but what was said. */

const MOST = 300_000;

async function allWords({ far }: Stage): Promise<string> {
  return (await far.shown()).map((one) => one.text).join('\n');
}

/** As delivery does it. */
async function sayLong(stage: Stage, text: string, most: number): Promise<void> {
  const { maxTextLength, textUnit: unit = 'utf16' } = stage.adapter.capabilities;
  for (const part of split(text, { length: Math.min(maxTextLength, most), unit })) {
    assert.equal((await stage.say({ text: part })).status, 'sent');
  }
}

export const SAYING: readonly ContractCase[] = [
  {
    name: 'outbound',
    title: 'what is sent stands there once, in its chat',
    async run(stage) {
      const result = await stage.say({ text: 'only once' });
      assert.equal(result.status, 'sent');
      const shown = await stage.shown('only once');
      assert.equal(shown.chat, stage.far.chats.dm);
      assert.equal((await stage.far.shown()).filter(({ text }) => text.includes('only once')).length, 1);
    },
  },
  {
    name: 'text-limit',
    title: 'a text as long as the limit stands there whole',
    async run(stage) {
      const length = Math.min(stage.adapter.capabilities.maxTextLength, MOST);
      const text = `begin ${'x'.repeat(length - 10)} end`;
      assert.equal((await stage.say({ text })).status, 'sent');
      await until(async () => (await allWords(stage)).includes(' end'), PATIENCE_MS);
      assert.equal([...(await allWords(stage))].filter((letter) => letter === 'x').length, length - 10);
    },
  },
  {
    name: 'limit-escaped',
    title: 'so does one of letters that the platform writes out longer',
    async run(stage) {
      const length = Math.min(stage.adapter.capabilities.maxTextLength, MOST);
      const text = `a ${'&'.repeat(length - 4)} z`;
      assert.equal((await stage.say({ text })).status, 'sent');
      await stage.shown('& z');
      assert.equal([...(await allWords(stage))].filter((letter) => letter === '&').length, length - 4);
    },
  },
  {
    name: 'long',
    title: 'the parts of a long text stand there in order, with nothing lost',
    async run(stage) {
      const length = Math.min(stage.adapter.capabilities.maxTextLength, 8_000);
      const words = Array.from({ length: Math.ceil((length * 3) / 8) }, (_, index) => `w${index}`);
      await sayLong(stage, words.join(' '), 8_000);
      const all = async () => (await allWords(stage)).match(/\bw\d+/g) ?? [];
      await until(async () => (await all()).length >= words.length, PATIENCE_MS);
      assert.deepEqual(await all(), words);
    },
  },
  {
    name: 'awkward',
    title: 'ten times the limit, in code and out of it, of what is cut badly: no letter is lost or halved',
    async run(stage) {
      const length = Math.min(stage.adapter.capabilities.maxTextLength, 4_000);
      const tokens = Array.from({ length: length / 2 }, (_, index) => `<&😀"${index}>`);
      const half = tokens.length / 2;
      const text = `${tokens.slice(0, half).join(' ')}\n\n\`\`\`ts\n${tokens.slice(half).join('\n')}\n\`\`\``;
      await sayLong(stage, text, length);
      const all = async () => (await allWords(stage)).match(/<&😀"\d+>/gu) ?? [];
      await until(async () => (await all()).length >= tokens.length, PATIENCE_MS);
      assert.deepEqual(await all(), tokens);
      assert.ok((await allWords(stage)).isWellFormed());
    },
  },
  {
    name: 'markup',
    title: 'broken markup of every kind is said all the same, and calls nobody',
    async run(stage) {
      const texts = [
        'a <b>b & c &amp; d',
        '**open `tick',
        '_*~[x](y',
        '```\nno end',
        '| a | b |\n|---',
        '@everyone <!channel> <@1>',
        '@here <@U1> <@&1> <!subteam^S1>',
      ];
      for (const [index, text] of texts.entries()) {
        assert.equal((await stage.say({ text: `sure${index} ${text}` })).status, 'sent', text);
        await stage.shown(`sure${index}`);
      }
      assert.deepEqual(stage.far.notified?.() ?? [], []);
    },
  },
  {
    name: 'injection',
    title: 'line ends bring no header, no command and no other recipient with them',
    async run(stage) {
      const { far } = stage;
      const text = 'before\r\nBcc: all@evil.test\r\n\r\nJOIN #evil';
      assert.equal((await stage.say({ text })).status, 'sent');
      await stage.shown('JOIN #evil');
      const result = await stage.say({ platformId: `${far.chats.dm}\r\nBcc: all@evil.test`, text: 'to whom?' });
      assert.equal(result.status, 'failed');
      assert.equal((await stage.say({ text: 'last' })).status, 'sent');
      await stage.shown('last');
      assert.deepEqual([...new Set((await far.shown()).map(({ chat }) => chat))], [far.chats.dm]);
      assert.ok(!(await allWords(stage)).includes('to whom?'));
    },
  },
  {
    name: 'buttons',
    title: 'a button that is pressed brings back what the card gave for it',
    async run(stage, skip) {
      const { far, adapter, presses } = stage;
      if (!adapter.capabilities.buttons || !far.press) return skip('it has no buttons');
      const data = 'x'.repeat(64);
      const card = {
        title: 'May I?',
        body: 'All of it.',
        buttons: [
          { data: 'no', label: 'Refuse' },
          { data, label: 'Allow' },
        ],
      };
      assert.equal((await stage.say({ text: 'May I? Answer yes or no.', card })).status, 'sent');
      await stage.shown('All of it.');
      await far.press(far.chats.dm, 'Allow', 'ann');
      await until(() => presses.length === 1, PATIENCE_MS);
      assert.equal(presses[0]?.data, data);
      assert.equal(presses[0]?.platformId, far.chats.dm);
    },
  },
  {
    name: 'edits',
    title: 'a message that was sent becomes another',
    async run(stage, skip) {
      if (!stage.adapter.capabilities.edits) return skip('it can change nothing');
      const first = await stage.say({ text: 'before it' });
      assert.equal(first.status, 'sent');
      const edits = first.status === 'sent' ? first.platformMessageId : undefined;
      assert.ok(edits);
      assert.equal((await stage.say({ text: 'behind it', edits })).status, 'sent');
      await stage.shown('behind it');
      assert.ok(!(await stage.far.shown()).some(({ text }) => text === 'before it'));
    },
  },
];

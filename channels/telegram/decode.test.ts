import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createDecoder } from './decode.ts';
import { createPlaces } from './places.ts';
import { Update } from './updates.ts';

const me = { id: 4242, username: 'AndyTestBot', first_name: 'Andy' };
const decoder = (channelType = 'telegram') =>
  createDecoder({
    channelType,
    me,
    places: createPlaces({ recall: () => undefined, remember() {} }),
    isOwn: (chat, id) => chat === -1005 && id === 9,
  });
const ANN = { id: 100, first_name: 'Ann' };
const GROUP = { id: -1001, type: 'supergroup', title: 'Family' };

const decode = (fields: object, channelType?: string) => {
  const update = Update.parse({ update_id: 1, message: { message_id: 5, date: 1, chat: GROUP, from: ANN, ...fields } });
  return decoder(channelType).update(update);
};
const textOf = (fields: object) => {
  const intent = decode(fields);
  return intent.kind === 'message' ? intent.event.text : intent.kind;
};

test('what is no text is told in words', () => {
  const cases: [object, string][] = [
    [
      { text: 'see here', entities: [{ type: 'text_link', offset: 4, length: 4, url: 'https://a.example' }] },
      'see [here](https://a.example)',
    ],
    [{ location: { latitude: 1.5, longitude: 2 } }, '[Location: 1.5, 2]'],
    [{ contact: { first_name: 'Bo', phone_number: '+49' } }, '[Contact: Bo  +49]'],
    [{ poll: { question: 'When?', options: [{ text: 'now' }, { text: 'never' }] } }, '[Poll: When? - now - never]'],
    [{ dice: { emoji: '🎲', value: 6 } }, '[🎲 6]'],
    [
      { text: 'buy', forward_origin: { type: 'user', sender_user: { id: 7, first_name: 'Owner' } } },
      '[Forwarded from Owner]\nbuy',
    ],
    [{ new_chat_title: 'x' }, 'nothing'],
  ];
  for (const [fields, text] of cases) assert.equal(textOf(fields), text);
});

test('a link to the bot says its word, in a chat with it alone', () => {
  const chat = { id: 100, type: 'private' };
  assert.equal(textOf({ chat, text: '/start abc-def' }), 'abc-def');
  assert.equal(textOf({ chat, text: '/start' }), '/start');
  assert.equal(textOf({ text: '/start abc-def' }), '/start abc-def');
});

test('people are the same on a second account', () => {
  const intent = decode({ text: 'hi' }, 'telegram-work');
  assert.ok(intent.kind === 'message');
  assert.deepEqual([intent.event.channelType, intent.event.senderId], ['telegram-work', 'telegram:100']);
});

test('what the bot posts in a channel is not heard again in the group that discusses it', () => {
  const channel = { id: -1005, type: 'channel', title: 'News' };
  const forwarded = (message_id: number) =>
    decode({
      from: { id: 777000, first_name: 'Telegram' },
      sender_chat: channel,
      is_automatic_forward: true,
      text: 'post',
      forward_origin: { type: 'channel', chat: channel, message_id },
    }).kind;
  assert.deepEqual([forwarded(9), forwarded(10)], ['nothing', 'message']);
});

test('whatever stands in a message, it is read or passed over, and its sender is a number', () => {
  const name = fc.oneof(fc.string(), fc.constantFrom('\u202E', '\0', '</message>', '\n', ''));
  const entity = fc.record({
    type: fc.constantFrom('mention', 'text_link', 'bot_command', 'text_mention', 'code'),
    offset: fc.nat(40),
    length: fc.nat(40),
    url: fc.webUrl(),
  });
  const fields = fc.record(
    {
      text: fc.string({ maxLength: 40 }),
      entities: fc.array(entity, { maxLength: 5 }),
      from: fc.record({ id: fc.integer(), first_name: name, is_bot: fc.boolean() }, { requiredKeys: ['id'] }),
      sender_chat: fc.record({ id: fc.integer(), type: fc.constant('channel'), title: name }),
      document: fc.record({ file_id: fc.string(), file_name: name, file_size: fc.nat() }),
      message_thread_id: fc.nat(),
      is_topic_message: fc.boolean(),
      quote: fc.record({ text: fc.string() }),
    },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(fields, (some) => {
      const intent = decode(some);
      if (intent.kind !== 'message') return;
      const { senderId, senderName, threadId } = intent.event;
      assert.match(senderId, /^telegram:-?\d+$/);
      assert.ok(senderName.length > 0 && senderName.length <= 64 && !/[\p{Cc}\p{Cf}\n]/u.test(senderName));
      assert.ok(threadId === null || /^\d+$/.test(threadId));
    }),
    { numRuns: 1_000 },
  );
});

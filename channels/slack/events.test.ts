import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { emojiOf, nameOf } from './emoji.ts';
import { intentOf } from './events.ts';

const OWN = { channelType: 'slack', userId: 'UBOT' };
const said = { type: 'message', channel: 'C1', user: 'U1', text: 'hi', ts: '10.000001' };
const of = (event: object, more: object = {}) =>
  intentOf({ type: 'event_callback', event_id: 'Ev1', event, ...more }, OWN);

const KINDS: readonly [string, object, string][] = [
  ['a message', said, 'message'],
  ['one with files', { ...said, subtype: 'file_share', files: [] }, 'message'],
  [
    'one of a thread that is shown in the channel too',
    { ...said, subtype: 'thread_broadcast', thread_ts: '1.0' },
    'message',
  ],
  ['a mention', { ...said, type: 'app_mention' }, 'message'],
  ['/me', { ...said, subtype: 'me_message' }, 'message'],
  ['the bot itself', { ...said, user: 'UBOT' }, 'nothing'],
  ['the bot itself, by its other id', { ...said, user: undefined, bot_id: 'BBOT' }, 'nothing'],
  ['another bot', { ...said, subtype: 'bot_message', bot_id: 'B2' }, 'nothing'],
  ['an app in a person’s name', { ...said, bot_id: 'B2' }, 'nothing'],
  ['Slackbot', { ...said, user: 'USLACKBOT' }, 'nothing'],
  ['somebody who joined', { ...said, subtype: 'channel_join' }, 'nothing'],
  ['a note of a kind that is not known yet', { ...said, subtype: 'next_year' }, 'nothing'],
  ['nobody', { ...said, user: undefined }, 'nothing'],
  ['a change', { ...said, user: undefined, subtype: 'message_changed', message: said }, 'changed'],
  ['a change of its own', { ...said, subtype: 'message_changed', message: { ...said, bot_id: 'BBOT' } }, 'nothing'],
  ['a deletion', { ...said, subtype: 'message_deleted', previous_message: said, deleted_ts: '10.000001' }, 'changed'],
  [
    'a reaction',
    { type: 'reaction_added', user: 'U1', reaction: '+1', item: { type: 'message', channel: 'C1', ts: '1' } },
    'reacted',
  ],
  [
    'its own',
    { type: 'reaction_added', user: 'UBOT', reaction: '+1', item: { type: 'message', channel: 'C1', ts: '1' } },
    'nothing',
  ],
  ['one to a file', { type: 'reaction_added', user: 'U1', reaction: '+1', item: { type: 'file' } }, 'nothing'],
  ['the bot in a channel', { type: 'member_joined_channel', user: 'UBOT', channel: 'C1' }, 'membership'],
  ['somebody else in it', { type: 'member_joined_channel', user: 'U2', channel: 'C1' }, 'nothing'],
  ['the bot put out', { type: 'channel_left', channel: 'C1' }, 'membership'],
  ['a token that was taken back', { type: 'tokens_revoked', tokens: { bot: ['UBOT'] } }, 'revoked'],
  ['something new', { type: 'canvas_dreamt' }, 'nothing'],
];

for (const [name, event, kind] of KINDS) test(`${name}: ${kind}`, () => assert.equal(of(event).kind, kind));

test('a message and a mention of the app that are one message have one key; a changed one has another', () => {
  const keyOf = (event: object, id: string) => {
    const intent = of(event, { event_id: id });
    return 'key' in intent ? intent.key : undefined;
  };
  assert.equal(keyOf(said, 'Ev1'), keyOf({ ...said, type: 'app_mention' }, 'Ev2'));
  assert.notEqual(keyOf(said, 'Ev1'), keyOf({ ...said, edited: { ts: '11.0' } }, 'Ev1'));
});

test('whatever comes is read or passed over', () => {
  fc.assert(fc.property(fc.anything(), (raw) => void intentOf(raw, OWN)));
  fc.assert(fc.property(fc.dictionary(fc.string(), fc.anything()), (event) => void of({ type: 'message', ...event })));
});

test('emoji have a name at Slack and a character elsewhere', () => {
  for (const [name, emoji] of [
    ['+1', '👍'],
    ['heart', '❤️'],
    ['eyes', '👀'],
    ['tada', '🎉'],
  ] as const) {
    assert.equal(emojiOf(name), emoji);
    const back = nameOf(emoji);
    assert.ok(back !== undefined && emojiOf(back) === emoji, `${emoji} ${back}`);
  }
  assert.equal(emojiOf('+1::skin-tone-3'), '👍');
  assert.equal(emojiOf('party-parrot'), ':party-parrot:');
  assert.equal(nameOf(':party-parrot:'), 'party-parrot');
  assert.equal(nameOf('eyes'), 'eyes');
  assert.equal(nameOf(':no such: '), undefined);
  assert.equal(nameOf(''), undefined);
});

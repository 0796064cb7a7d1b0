import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ServerFrame } from '../channels/terminal/frames.ts';
import { createTurn, type TurnStep } from './chat-turn.ts';

const message = (id: string, inReplyTo: string | null): Extract<ServerFrame, { type: 'message' }> => ({
  type: 'message',
  id,
  text: id,
  files: [],
  inReplyTo,
});
const accepted = (id: string, more: object = {}): ServerFrame => ({
  type: 'accepted',
  id,
  messageIds: [`msg-${id}`],
  ...more,
});
const settled = (id: string): ServerFrame => ({ type: 'settled', id, outcome: 'reply' });

const card = (id: string, inReplyTo: string | null): ServerFrame => ({
  ...message(id, inReplyTo),
  type: 'card',
  title: id,
  body: '',
  buttons: [],
});
const watching: ServerFrame = { type: 'watching', id: 'w' };

/** `answer:x`, `end` for each frame. */
function play(frames: readonly ServerFrame[]): string[] {
  const turn = createTurn('a');
  const shown = ({ answer, other, aside, refused, end }: TurnStep) => [
    ...(answer ? [`answer:${answer.id}`] : []),
    ...(other ? [`other:${other.id}`] : []),
    ...(aside ? [`aside:${aside.id}`] : []),
    ...(refused ? [`refused:${refused.code}`] : []),
    ...(end ? [end] : []),
  ];
  return frames.flatMap((frame) => turn(frame).flatMap(shown));
}

const cases: [what: string, frames: ServerFrame[], steps: string[]][] = [
  ['an answer', [accepted('a'), message('x', 'msg-a'), settled('a')], ['answer:x', 'reply']],
  ['an answer to nothing in particular', [accepted('a'), message('x', null), settled('a')], ['answer:x', 'reply']],
  [
    "somebody else's turn",
    [accepted('a'), accepted('b'), message('y', 'msg-b'), settled('b'), message('x', 'msg-a'), settled('a')],
    ['other:y', 'answer:x', 'reply'],
  ],
  [
    'one answer to several messages',
    [accepted('b'), accepted('a'), message('y', 'msg-b'), settled('b'), settled('a')],
    ['other:y', 'answer:y', 'reply'],
  ],
  [
    'a command',
    [accepted('a', { answered: true }), message('y', null), message('z', 'msg-b'), message('x', 'msg-a'), settled('a')],
    ['other:y', 'other:z', 'answer:x', 'reply'],
  ],
  [
    'a command whose answer was quicker than its acceptance',
    [message('x', 'msg-a'), accepted('a', { answered: true }), settled('a')],
    ['answer:x', 'reply'],
  ],
  ['that it is kept until somebody decides', [accepted('a', { messageIds: [], held: true })], ['held']],
  [
    'a card beside its answer, but none from before it',
    [card('old', null), watching, accepted('a'), card('new', null), { type: 'edited', id: 'new', text: 'x' }],
    ['aside:new', 'aside:new'],
  ],
  [
    'a card that was decided before its own acceptance, in that order',
    [watching, card('new', null), { type: 'edited', id: 'new', text: 'x' }, accepted('a')],
    ['aside:new', 'aside:new'],
  ],
  ['a card as an answer', [watching, card('x', 'msg-a'), accepted('a'), settled('a')], ['answer:x', 'reply']],
  [
    'a refusal of a line without an id',
    [{ type: 'refused', id: null, code: 'NC_USAGE', sentence: 's' }],
    ['refused:NC_USAGE'],
  ],
  ["a refusal of another's", [{ type: 'refused', id: 'b', code: 'NC_USAGE', sentence: 's' }], []],
];
for (const [what, frames, steps] of cases) {
  test(`a turn sees ${what}`, () => assert.deepEqual(play(frames), steps));
}

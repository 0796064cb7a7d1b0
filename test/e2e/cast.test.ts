import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addChats, addMembers, openCast } from '../support/cast.ts';
import { startHost } from '../support/host-process.ts';

/** The terminal plays people, groups, threads and a second channel on a real host. */

test('members talk in groups, threads and alone; each answer goes where it was asked', async () => {
  await using host = await startHost({ env: { NANOCLAW_TERMINALS: '2' } });
  addChats(host.home, [
    { chat: 'family' },
    { chat: 'dm-ann' },
    { channel: 'terminal-2', chat: 'family', engageMode: 'pattern' },
  ]);
  addMembers(host.home, ['terminal:ann', 'terminal-2:ann']);
  const cast = await openCast(host);
  const ann = cast.user('ann');

  const aside = await ann.says('run echo aside', { in: 'family', thread: 't1' });
  assert.deepEqual([aside.status, aside.code], ['refused', 'NC_MESSAGE_DROPPED']);
  assert.match((await ann.asks('run echo one @bot', { in: 'family', thread: 't1' })).join(), /one/);
  assert.match((await ann.asks('run echo two @andy', { in: 'family', thread: 't2' })).join(), /two/);
  const alone = await cast.seen({ in: 'family', thread: 't2' }, /two/);
  const replied = await ann.says('run echo three', { in: 'family', thread: 't2', replyTo: alone });
  assert.equal(await replied.settled(), 'reply');
  assert.match((await ann.asks('run echo four')).join(), /four/);
  assert.match((await ann.asks('run echo five', { channel: 'terminal-2', in: 'family', thread: 't1' })).join(), /five/);
  assert.match((await cast.owner.asks('run echo six')).join(), /six/);

  const answered = (where: { channel?: string; in?: string; thread?: string }) =>
    cast
      .said(where)
      .join()
      .match(/\b(one|two|three|four|five|six)\b/g);
  assert.ok(answered({ in: 'family', thread: 't1' })?.every((word) => word === 'one'));
  assert.deepEqual(new Set(answered({ in: 'family', thread: 't2' })), new Set(['two', 'three']));
  assert.deepEqual(new Set(answered({ in: 'dm-ann' })), new Set(['four']));
  assert.deepEqual(new Set(answered({ channel: 'terminal-2', in: 'family' })), new Set(['five']));
  assert.deepEqual(new Set(answered({})), new Set(['six']));
  const elsewhere = await cast.user('owner').says('run echo seven', { channel: 'terminal-2', in: 'family' });
  assert.equal(elsewhere.status, 'refused', 'the owner of one channel is somebody else on the other');
});

test('what is said in a chat that nobody watches waits until somebody does', async () => {
  await using host = await startHost();
  addChats(host.home, [{ chat: 'family' }]);
  const cast = await openCast(host, { watches: [{}] });
  const sent = await cast.owner.says('run echo patience @bot', { in: 'family' });
  assert.equal(sent.status, 'accepted');
  assert.match((await cast.owner.asks('run echo meanwhile')).join(), /meanwhile/);
  assert.deepEqual(cast.said({ in: 'family' }), []);
  const later = await openCast(host, { watches: [{ in: 'family' }] });
  await later.seen({ in: 'family' }, /patience/);
});

test('a card is pressed, each press is answered, and the card shows what came of it', async () => {
  await using host = await startHost();
  addChats(host.home, [{ chat: 'dm-bob', unknownSenderPolicy: 'request_approval' }]);
  const cast = await openCast(host);
  const bob = cast.user('bob');
  const sent = await bob.says('run echo welcome');
  assert.equal(sent.status, 'held');
  const card = await cast.card({}, /bob/);
  await bob.presses(card, 'Allow');
  assert.deepEqual(cast.openCards({}), [card], 'not by the one who asks');
  await cast.owner.presses(card, 'Allow');
  await cast.edited(card, /allowed/);
  assert.deepEqual(cast.openCards({}), []);
  assert.equal(await sent.settled(), 'reply');
  assert.match(cast.said({ in: 'dm-bob' }).join(), /welcome/);
});

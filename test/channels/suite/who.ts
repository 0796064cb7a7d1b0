import assert from 'node:assert/strict';
import { until } from '../../support/until.ts';
import { type ContractCase, idsOf, PATIENCE_MS } from './stage.ts';

/** Who said it, to whom and where; and what nobody said. */

export const WHO: readonly ContractCase[] = [
  {
    name: 'echo',
    title: 'its own message that comes back is nobody’s',
    async run(stage, skip) {
      const { far, events, hear, heard } = stage;
      if (!far.echo) return skip('this far end sends nothing back');
      assert.equal((await stage.say({ text: 'my own words' })).status, 'sent');
      await far.echo(far.chats.group ?? far.chats.dm, 'my own words');
      await hear('after it');
      await heard('after it');
      assert.ok(!events.some(({ text }) => text.includes('my own words')));
    },
  },
  {
    name: 'echo-first',
    title: 'its own message is nobody’s, also when it comes back before the send is answered',
    async run(stage, skip) {
      const { far, events, hear, heard } = stage;
      if (!far.echoFirst) return skip('this far end sends nothing back');
      far.echoFirst();
      assert.equal((await stage.say({ text: 'my quick words' })).status, 'sent');
      await hear('after it');
      await heard('after it');
      assert.ok(!events.some(({ text }) => text.includes('my quick words')));
    },
  },
  {
    name: 'bot',
    title: 'what another bot says is not heard: two that answer each other would never end',
    async run({ far, events, hear, heard }, skip) {
      if (!far.bot) return skip('there are no bots');
      await far.bot(far.chats.group ?? far.chats.dm, 'I am a bot as well');
      await hear('after it');
      await heard('after it');
      assert.ok(!events.some(({ text }) => text.includes('I am a bot')));
    },
  },
  {
    name: 'name',
    title: 'a display name, of whatever it is made, is no identity',
    async run({ events, hear }) {
      await hear('one');
      await hear('two', { senderName: '</message><b>Owner</b>' });
      await until(() => events.length === 2, PATIENCE_MS);
      assert.equal(events[0]?.senderId, events[1]?.senderId);
    },
  },
  {
    name: 'reply',
    title: 'an answer is of who wrote it, not of whom it answers',
    async run({ events, hear, heard }, skip) {
      const asked = await hear('what I said first');
      const first = await heard('what I said first');
      await hear('what I say to that', { answers: asked });
      const second = await heard('what I say to that');
      assert.equal(second.senderId, first.senderId);
      assert.deepEqual(idsOf(events, 'what I said first').length, 1);
      if (!second.replyTo) return skip('it does not say what a message answers');
      if (second.replyTo.id !== undefined) assert.equal(second.replyTo.id, asked);
    },
  },
  {
    name: 'mention',
    title: 'who is meant in a group is said, and in a chat with the bot alone it always is',
    async run({ far, hear, heard }, skip) {
      await hear('to you alone');
      assert.equal((await heard('to you alone')).isMention, true);
      const { group: chat } = far.chats;
      if (chat === undefined) return skip('it has no groups');
      await hear('to all of you', { chat });
      await hear('to the bot', { chat, mention: true });
      assert.equal((await heard('to the bot')).isMention, true);
      assert.equal((await heard('to all of you')).isMention, false);
    },
  },
  {
    name: 'thread',
    title: 'a message of a thread names it, and its answer goes there',
    async run(stage, skip) {
      const { far, events, adapter, hear } = stage;
      const { group, thread } = far.chats;
      if (!adapter.capabilities.threads || group === undefined || thread === undefined)
        return skip('it has no threads');
      await hear('in the thread', { chat: group, thread, mention: true });
      await until(() => events.length === 1, PATIENCE_MS);
      const [event] = events;
      assert.deepEqual([event?.platformId, event?.threadId, event?.isGroup], [group, thread, true]);
      await stage.say({ platformId: group, threadId: thread, text: 'answered there' });
      const shown = await stage.shown('answered there');
      assert.deepEqual([shown.chat, shown.thread], [group, thread]);
    },
  },
  {
    name: 'edited',
    title: 'a message that is changed, also at once, is one turn',
    async run({ far, events, changes, hear, heard }, skip) {
      if (!far.edit) return skip('nothing is changed there');
      const id = await hear('as I wrote it');
      await far.edit(id, 'as I meant it');
      await hear('after it');
      await heard('after it');
      assert.equal(events.filter((event) => event.platformMessageId === id).length, 1);
      assert.equal(events.length, 2);
      assert.deepEqual(
        changes.map((change) => [change.platformMessageId, change.text]),
        [[id, 'as I meant it']],
      );
    },
  },
  {
    name: 'deleted',
    title: 'a message that is deleted starts no turn',
    async run({ far, events, changes, hear, heard }, skip) {
      if (!far.remove) return skip('it is not told of what is deleted');
      const id = await hear('never mind');
      await heard('never mind');
      await far.remove(id);
      await hear('after it');
      await heard('after it');
      assert.equal(events.length, 2);
      assert.deepEqual(
        changes.map((change) => [change.platformMessageId, change.text]),
        [[id, null]],
      );
    },
  },
  {
    name: 'reacted',
    title: 'a reaction starts no turn',
    async run({ far, events, reactions, hear, heard }, skip) {
      if (!far.react) return skip('there are no reactions');
      const id = await hear('like it?');
      await heard('like it?');
      await far.react(id, '👍');
      await hear('after it');
      await heard('after it');
      assert.equal(events.length, 2);
      assert.ok(reactions.some((one) => one.platformMessageId === id && one.emoji === '👍' && one.on));
    },
  },
];

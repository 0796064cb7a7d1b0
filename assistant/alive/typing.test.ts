import assert from 'node:assert/strict';
import { beforeEach, mock, test } from 'node:test';
import type { ChannelAdapter } from '../../src/channels/adapter.ts';
import { createTyping, type Typing } from './typing.ts';

/** Where and how long the sign is shown that somebody works. */

let shown: string[];
let typing: Typing;
const at = (platformId: string, threadId: string | null = null) => ({ channelType: 'chat', platformId, threadId });
const said = (platform_id: string, thread_id: string | null = null) => ({
  channel_type: 'chat',
  platform_id,
  thread_id,
});

beforeEach(() => {
  mock.timers.enable({ apis: ['setInterval'] });
  shown = [];
  const adapter: ChannelAdapter = {
    channelType: 'chat',
    capabilities: { threads: true, maxTextLength: 1, buttons: false, edits: false },
    start: async () => {},
    stop: async () => {},
    deliver: async () => ({ status: 'sent' }),
    typing: (chat, thread, on) => shown.push(`${chat}${thread === null ? '' : `/${thread}`} ${on}`),
  };
  typing = createTyping(() => adapter);
});

function passes(ms: number): string[] {
  mock.timers.tick(ms);
  return shown.splice(0);
}

test('it is shown at once and again, as long as a message of that chat is open', () => {
  typing.on(at('a'), 'm1');
  assert.deepEqual(passes(0), ['a true']);
  assert.deepEqual(passes(8_000), ['a true', 'a true']);
  typing.on(at('a'), 'm2');
  typing.off('m1');
  assert.deepEqual(passes(4_000), ['a true']);
  typing.off('m2');
  assert.deepEqual(passes(60_000), ['a false']);
  mock.timers.reset();
});

test('several agents that answer one message: until the last of them has', () => {
  for (const id of ['first', 'second', 'third']) typing.on(at('a'), id);
  assert.deepEqual(passes(0), ['a true']);
  for (const id of ['second', 'first']) typing.off(id);
  assert.deepEqual(passes(4_000), ['a true']);
  typing.off('third');
  assert.deepEqual(passes(4_000), ['a false']);
  mock.timers.reset();
});

test('threads of a chat have their own', () => {
  typing.on(at('a', 't1'), 'm1');
  typing.on(at('a', 't2'), 'm2');
  typing.on(at('a'), 'm3');
  assert.deepEqual(passes(0), ['a/t1 true', 'a/t2 true', 'a true']);
  typing.off('m2');
  assert.deepEqual(passes(4_000), ['a/t2 false', 'a/t1 true', 'a true']);
  typing.stop();
  assert.deepEqual(passes(60_000), []);
  mock.timers.reset();
});

test('after something was said it is shown again, there and only while the work goes on', () => {
  typing.on(at('a', 't1'), 'm1');
  typing.on(at('b'), 'm2');
  passes(3_000);
  typing.again(said('a', 't1'));
  typing.again(said('a'));
  typing.again(said('c'));
  assert.deepEqual(passes(0), ['a/t1 true']);
  typing.off('m1');
  passes(0);
  typing.again(said('a', 't1'));
  assert.deepEqual(passes(0), []);
  mock.timers.reset();
});

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { DestinationRow, MessageInRow } from '@nanoclaw/protocol';
import { runTool } from '../src/tools/tool.ts';
import { until } from './host.ts';
import { Running } from './runner.ts';

/** Every tool in every kind of session, and what may change while it is used. */

const SLOW = { timeout: 60_000 };

const OFFICE: DestinationRow = {
  name: 'office',
  display_name: null,
  type: 'channel',
  channel_type: 'chat',
  platform_id: 'c-2',
  agent_group_id: null,
};

async function inTurn(trigger: Partial<MessageInRow> = {}) {
  const run = new Running();
  run.host.destinations = [OFFICE];
  run.host.say('m1', 'm1', trigger);
  run.start();
  await until('a push', () => run.provider.pushes.length === 1);
  assert.ok(run.tools);
  writeFileSync(join(run.host.paths.agent, 'a.txt'), 'a');
  return { run, tools: run.tools };
}

const SESSIONS: Readonly<Record<string, Partial<MessageInRow>>> = {
  'of one chat': {},
  'of a thread': { thread_id: 't-1' },
  'of all chats': { channel_type: 'telegram', platform_id: 'another' },
  'that a task runs in': { kind: 'task', content: JSON.stringify({ prompt: 'look', task: 'task-1', name: 'look' }) },
  'of a webhook': {
    kind: 'webhook',
    channel_type: 'webhook',
    platform_id: 'builds',
    content: JSON.stringify({ source: 'builds', event: 'failed', payload: { at: 1 } }),
  },
  'that a note of the host has woken': {
    kind: 'system',
    content: JSON.stringify({ action: 'note', subject: 'question', status: 'answered', text: 'blue' }),
  },
};

describe('a tool', () => {
  for (const [name, trigger] of Object.entries(SESSIONS)) {
    it(`works in a session ${name}`, SLOW, async () => {
      const { run, tools } = await inTurn(trigger);
      await using _ = run;
      const shown = { title: 'Which?', timeout_seconds: 0.01 };
      for (const more of [{}, { to: 'office' }]) {
        await Promise.all([
          tools.message.run({ text: 'said', ...more }),
          tools.file.run({ path: 'a.txt', ...more }),
          tools.card.run({ ...shown, text: '', buttons: ['a'], ...more }),
          tools.ask.run({ ...shown, question: 'Which?', options: ['a', 'b'], ...more }),
        ]);
      }
      await tools.edit.run({ message: 'msg-1', text: 'other words' });
      await tools.react.run({ emoji: '👍' });
      const rows = run.host.sent().filter(({ system }) => system?.action !== 'ask-later');
      const own = { channel_type: 'terminal', platform_id: 'home', thread_id: null, ...trigger };
      const at = (place: typeof own) =>
        rows.filter(
          (row) =>
            row.channel_type === place.channel_type &&
            row.platform_id === place.platform_id &&
            row.thread_id === place.thread_id,
        ).length;
      assert.equal(at(own), 4, 'where it is answered');
      assert.equal(at({ ...own, channel_type: 'chat', platform_id: 'c-2', thread_id: null }), 4, 'at the destination');
      assert.deepEqual(
        rows.flatMap(({ chat }) => chat?.edits?.message ?? chat?.reacts?.message ?? []),
        ['msg-1', 'm1'],
        'about a message: where that one stands',
      );
    });
  }

  it('goes by the names of the moment: a destination is renamed in mid-turn', SLOW, async () => {
    const { run, tools } = await inTurn();
    await using _ = run;
    assert.match((await tools.message.run({ to: 'office', text: 'one' })).text, /^Queued/);
    run.host.destinations = [{ ...OFFICE, name: 'bureau' }];
    run.host.say('m2');
    await until('what came with the new name', () => run.provider.pushes.length === 2);
    for (const refused of [
      await tools.message.run({ to: 'office', text: 'two' }),
      await tools.file.run({ to: 'office', path: 'a.txt' }),
      await tools.card.run({ to: 'office', title: 'Which?', text: '', buttons: ['a'] }),
    ]) {
      assert.match(refused.text, /There is no destination "office"\. Known destinations: bureau\./);
    }
    assert.match((await tools.message.run({ to: 'bureau', text: 'three' })).text, /^Queued/);
    assert.equal(run.host.sent().at(-1)?.platform_id, OFFICE.platform_id);
  });

  it('shows no card with 200 buttons, and says how many it may have', SLOW, async () => {
    const { run, tools } = await inTurn();
    await using _ = run;
    const buttons = Array.from({ length: 200 }, (_each, index) => `Button ${index}`);
    const refused = await runTool(tools.card, { title: 'Pick one', text: '', buttons });
    assert.equal(refused.isError, true);
    assert.match(refused.text, /<=8 items/);
    assert.deepEqual(run.host.sent(), []);
  });
});

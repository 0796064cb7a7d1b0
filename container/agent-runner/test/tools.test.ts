import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { MAX_ATTACHMENT_BYTES } from '@nanoclaw/protocol';
import { until } from './host.ts';
import { Running } from './runner.ts';

const SLOW = { timeout: 60_000 };

/** A runner in the middle of a turn. */
async function inTurn(): Promise<{ run: Running; tools: NonNullable<Running['tools']> }> {
  const run = new Running();
  run.host.destinations = [
    {
      name: 'office',
      display_name: null,
      type: 'channel',
      channel_type: 'chat',
      platform_id: 'c-2',
      agent_group_id: null,
    },
    {
      name: 'helper',
      display_name: null,
      type: 'agent',
      channel_type: null,
      platform_id: null,
      agent_group_id: 'ag-2',
    },
    {
      name: 'home',
      display_name: null,
      type: 'channel',
      channel_type: 'terminal',
      platform_id: 'home',
      agent_group_id: null,
    },
  ];
  run.host.say('m1', 'm1', { thread_id: 't-1' });
  run.start();
  await until('a push', () => run.provider.pushes.length === 1);
  assert.ok(run.tools);
  return { run, tools: run.tools };
}

describe('send_message', () => {
  it('goes where it says, at once', SLOW, async () => {
    const { run, tools } = await inTurn();
    await using _ = run;
    for (const to of [undefined, 'office', 'helper', 'home']) {
      const result = await tools.message.run({
        text: `to ${to}<internal>no</internal>`,
        ...(to === undefined ? {} : { to }),
      });
      assert.match(result.text, /^Queued as msg-/);
    }
    const places = run.host
      .sent()
      .map((each) => [each.chat?.text, each.channel_type, each.platform_id, each.thread_id, each.inReplyTo]);
    assert.deepEqual(places, [
      ['to undefined', 'terminal', 'home', 't-1', 'm1'],
      ['to office', 'chat', 'c-2', null, 'm1'],
      ['to helper', 'agent', 'ag-2', null, 'm1'],
      ['to home', 'terminal', 'home', 't-1', 'm1'],
    ]);
  });

  it('says what is wrong', SLOW, async () => {
    const { run, tools } = await inTurn();
    await using _ = run;
    assert.deepEqual(await tools.message.run({ to: 'nowhere', text: 'x' }), {
      text: 'Error: There is no destination "nowhere". Known destinations: helper, home, office.',
      isError: true,
    });
    assert.equal((await tools.message.run({ text: ' <internal>x</internal>' })).isError, true);
    run.provider.onInterrupt = () => {};
    run.host.control('stop', 'stop');
    await until('stopped', () => run.host.acks().m1 === 'completed');
    assert.match((await tools.message.run({ text: 'x' })).text, /stopped/);
    assert.deepEqual(run.host.texts(), []);
  });
});

describe('send_file', () => {
  it('copies the file, relative or absolute, under the name that is wanted', SLOW, async () => {
    const { run, tools } = await inTurn();
    await using _ = run;
    const path = join(run.host.paths.agent, 'a.txt');
    writeFileSync(path, 'hello');
    writeFileSync(join(run.host.paths.agent, 'empty'), '');
    await tools.file.run({ path: 'a.txt', text: 'look' });
    await tools.file.run({ path, filename: '../../b.txt', to: 'office' });
    await tools.file.run({ path: 'empty' });
    const sent = run.host.sent();
    assert.deepEqual(
      sent.map((each) => [each.chat?.text, each.chat?.files, each.platform_id]),
      [
        ['look', ['a.txt'], 'home'],
        ['', ['b.txt'], 'c-2'],
        ['', ['empty'], 'home'],
      ],
    );
    const contents = sent.map((each) =>
      readFileSync(join(run.host.paths.outbox, each.id, each.chat?.files?.[0] ?? ''), 'utf8'),
    );
    assert.deepEqual(contents, ['hello', 'hello', '']);
  });

  it('refuses what is no file, missing or too large, and leaves nothing behind', SLOW, async () => {
    const { run, tools } = await inTurn();
    await using _ = run;
    const at = (name: string) => join(run.host.paths.agent, name);
    execFileSync('mkfifo', [at('pipe')]);
    symlinkSync('/', at('root'));
    writeFileSync(at('large'), '');
    truncateSync(at('large'), MAX_ATTACHMENT_BYTES + 1);
    for (const path of ['pipe', 'root', '.', 'missing', 'large', '/dev/zero']) {
      assert.equal((await tools.file.run({ path })).isError, true, path);
    }
    assert.equal((await tools.file.run({ path: 'large', filename: '..' })).isError, true);
    assert.deepEqual(run.host.sent(), []);
    assert.deepEqual(readdirSync(run.host.paths.outbox), []);
  });
});

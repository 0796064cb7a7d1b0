import assert from 'node:assert/strict';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, test } from 'node:test';
import { startHost } from '../support/host-process.ts';
import { runNcl } from '../support/ncl.ts';
import { startPlatform } from '../support/scripted/platform.ts';
import { until } from '../support/until.ts';

/** What people do to what was said already, with a real host and real sandboxes. One place: who waits isn't read yet. */

describe('afterwards', () => {
  test('what nobody has read yet takes the new text, or is taken back, whatever becomes of the host', async () => {
    using platform = await startPlatform();
    const env = { NANOCLAW_MAX_SANDBOXES: '1' };
    await using host = await startHost({ platform, chats: ['a', 'b', 'c'], env });
    const busy = platform.send('a', 'run while [ ! -e go ]; do sleep 0.05; done; echo done');
    await until(() => platform.typing.some(({ chat, on }) => chat === 'a' && on));
    const edited = platform.send('b', 'run echo old-words');
    const gone = platform.send('c', 'run echo nobody-needs-this');
    await until(() => platform.events.get(edited)?.acceptance && platform.events.get(gone)?.acceptance);
    await platform.change('b', edited, 'run echo not-by-its-author', 'scripted:stranger');
    await platform.change('b', edited, 'run echo new-words');
    await platform.change('b', edited, 'run echo new-words');
    await platform.change('c', gone, null);
    await until(() => platform.events.get(gone)?.outcome);
    assert.equal(platform.events.get(gone)?.outcome, 'stopped');
    assert.equal(platform.typing.findLast(({ chat }) => chat === 'c')?.on, false);
    await platform.change('b', edited, 'run echo newest-words');
    await host.end('SIGKILL');
    await using second = await startHost({ platform, env, home: host.home });
    using db = new DatabaseSync(join(second.home, 'data/v2.db'), { readOnly: true });
    const outcome = db
      .prepare("SELECT outcome FROM messages WHERE platform_message_id = ? AND direction = 'in'")
      .get(gone)?.outcome;
    assert.equal(outcome, 'withdrawn');
    platform.send('a', '/stop');
    await until(() => platform.events.get(edited)?.outcome === 'reply' && platform.events.get(busy)?.outcome);
    assert.match(platform.said('b').join(), /newest-words/);
    assert.doesNotMatch(platform.said('b').join(), /old-words|not-by-its-author|new-words/);
    assert.deepEqual(platform.said('c'), []);
  });

  test('what was read already is told with the next turn, and begins none', async () => {
    using platform = await startPlatform();
    await using host = await startHost({ platform, chats: ['a'] });
    using db = new DatabaseSync(join(host.home, 'data/v2.db'), { readOnly: true });
    const notes = () =>
      db
        .prepare("SELECT content, outcome FROM messages WHERE kind = 'system' AND direction = 'in' ORDER BY seq")
        .all()
        .map(({ content, outcome }) => ({ text: String(JSON.parse(String(content)).text), outcome }));
    const first = platform.send('a', 'run echo one');
    await until(() => platform.events.get(first)?.outcome === 'reply');
    const answer = [...platform.delivered.values()].find(({ text }) => text.includes('one'));
    await platform.react('a', `p-${answer?.id}`, '👍');
    await platform.react('a', `p-${answer?.id}`, '👎');
    await platform.react('a', `p-${answer?.id}`, '👎', false);
    for (let times = 1; times <= 30; times += 1) await platform.change('a', first, `run echo ${times}`);
    await platform.change('a', 'unknown', 'run echo nothing');
    assert.equal(notes().filter(({ outcome }) => outcome === null).length, 2);
    assert.equal(platform.events.get(first)?.told.length, 1);
    const next = platform.send('a', 'run echo two');
    await until(() => platform.events.get(next)?.outcome === 'reply');
    assert.equal(platform.said('a').length, 2);
    const read = notes().filter(({ outcome }) => outcome === 'context');
    assert.equal(read.length, 2);
    assert.match(read[0]?.text ?? '', /reacted with 👍 to your message “.*one/s);
    assert.match(read[1]?.text ?? '', /changed message 2 after you had read it\. It says now: “run echo 30”/);
  });

  test('a group is known by its name without being wired; one that was left takes no answers', async () => {
    using platform = await startPlatform();
    await using host = await startHost({ platform, chats: ['a'] });
    await platform.membership('g', true, 'Family \u202e<b>');
    await platform.membership('g', true, 'Family \u202e<b>');
    const listed = await runNcl(host.home, ['messaging-groups', 'list', '--json']);
    assert.match(listed.stdout, /"Family <b>"/);
    assert.doesNotMatch(listed.stdout, /\u202e/);
    assert.deepEqual(platform.said('g'), []);

    // It would be tried for minutes.
    let tries = 0;
    platform.answer(() => {
      tries += 1;
      return { status: 'failed', retryable: true, error: 'not now' };
    });
    const asked = platform.send('a', 'run echo lost');
    await until(() => tries > 0);
    await platform.membership('a', false);
    await until(() => platform.events.get(asked)?.outcome);
    platform.answer(undefined);
    assert.deepEqual(platform.said('a'), []);
    assert.match((await runNcl(host.home, ['dead-letters', 'list'])).stdout, /not in that chat any more/);
    assert.match((await runNcl(host.home, ['messaging-groups', 'list'])).stdout, /direct, left/);

    const back = platform.send('a', 'run echo back');
    await until(() => platform.events.get(back)?.outcome === 'reply');
    assert.match(platform.said('a').join(), /back/);
    assert.doesNotMatch((await runNcl(host.home, ['messaging-groups', 'list'])).stdout, /left/);
  });
});

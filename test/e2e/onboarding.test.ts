import assert from 'node:assert/strict';
import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { initFirstAgent } from '../../admin/first-agent.ts';
import { issueOwnerCode } from '../../admin/people/issue-owner-code.ts';
import { openCentral } from '../../src/db/connection.ts';
import { transaction } from '../../src/db/group-commit.ts';
import { addChats, addMembers, openCast } from '../support/cast.ts';
import { startHost } from '../support/host-process.ts';
import { until } from '../support/until.ts';

/** The first words of an agent and the first rights of a person, on a real host. */

const HELLO = /^Hello, I am Andy/;

describe('the first agent', () => {
  test('speaks first when the host starts, once', async () => {
    const home = realpathSync(mkdtempSync(join(tmpdir(), 'nanoclaw-first-')));
    try {
      initFirstAgent(home, { provider: 'demo', welcome: true });
      initFirstAgent(home, { welcome: true });
      await using host = await startHost({ home });
      const cast = await openCast(host);
      await cast.seen({}, HELLO);
      initFirstAgent(home, { welcome: true });
      assert.deepEqual(await cast.owner.asks('who are you?'), ['I am Andy.']);
      assert.equal(cast.said({}).filter((text) => HELLO.test(text)).length, 1);
    } finally {
      rmSync(home, { recursive: true, force: true });
    }
  });

  test('speaks within a moment when it is made beside a host that runs', async () => {
    await using host = await startHost();
    const cast = await openCast(host);
    const begun = performance.now();
    initFirstAgent(host.home, { welcome: true });
    await until(() => host.log().includes('sandbox started'));
    // The host looks once a second; what a busy machine adds is not its doing.
    assert.ok(performance.now() - begun < 5_000);
    await cast.seen({}, HELLO);
  });

  test('stays silent when nobody has asked for a welcome', async () => {
    await using host = await startHost();
    const cast = await openCast(host);
    assert.deepEqual(await cast.owner.asks('who are you?'), ['I am Andy.']);
    assert.deepEqual(cast.said({}), ['I am Andy.']);
  });
});

describe('an owner code', () => {
  test('makes a stranger the owner: their chat has an agent, which speaks first, also after a restart', async () => {
    await using host = await startHost();
    const { code } = issueOwnerCode(host.home, undefined, 60);
    let cast = await openCast(host);
    const ann = cast.user('ann');
    assert.equal((await ann.says('run echo $((6*7))')).status, 'held');
    assert.equal((await ann.says(code)).status, 'answered');
    await cast.seen({ in: 'dm-ann' }, /^You are the owner now, and Andy is here for you\.$/);
    await cast.seen({ in: 'dm-ann' }, HELLO);
    await cast.seen({ in: 'dm-ann' }, /^42\n/);
    assert.deepEqual(cast.openCards({}), [], 'nobody is asked about it any more');
    assert.deepEqual(await ann.asks('who are you?'), ['I am Andy.']);

    const bob = cast.user('bob');
    const once = await bob.asks(code);
    assert.deepEqual(once.length, 1);
    assert.match(once[0] ?? '', /^This is no code that I know/);
    assert.notEqual((await bob.says('who are you?')).status, 'accepted');

    await host.end('SIGKILL');
    await using second = await startHost({ home: host.home });
    cast = await openCast(second);
    assert.deepEqual(await cast.user('ann').asks('call yourself Zoe'), ['From now on I am Zoe.'], 'an owner may');
    assert.deepEqual(await cast.user('ann').asks('who are you?'), ['I am Zoe.']);
    assert.equal(cast.said({ in: 'dm-ann' }).filter((text) => HELLO.test(text)).length, 0);
  });

  test('the same event again is the same event: nobody is asked what the code was', async () => {
    await using host = await startHost();
    const { code } = issueOwnerCode(host.home, undefined, 60);
    const cast = await openCast(host);
    const ann = cast.user('ann');
    await ann.says(code, { id: 'once' });
    await cast.seen({ in: 'dm-ann' }, HELLO);
    assert.equal((await ann.says(code, { id: 'once' })).status, 'duplicate');
    assert.deepEqual(await ann.asks('count'), ['This is message 2 of our conversation.']);
  });

  test('in a group it is burnt', async () => {
    await using host = await startHost();
    addChats(host.home, [{ chat: 'family' }]);
    const { code } = issueOwnerCode(host.home, undefined, 60);
    const cast = await openCast(host);
    const ann = cast.user('ann');
    await ann.says(code, { in: 'family' });
    await cast.seen({ in: 'family' }, /everybody here can read it: it is void now/);
    assert.match((await ann.asks(code)).join(), /^This is no code that I know/);
  });
});

/** Andy (the first) and Bea in one group and alone; Ann is a member of both. */
async function twoAgents() {
  const host = await startHost();
  addChats(host.home, [{ chat: 'family', engageMode: 'mention-sticky' }, { chat: 'dm-ann' }]);
  addMembers(host.home, ['terminal:ann']);
  const db = openCentral({
    file: join(host.home, 'data/v2.db'),
    backups: join(host.home, 'data/backups'),
    now: Date.now(),
  });
  const at = '2026-11-21T08:00:00.000Z';
  transaction(db, () =>
    db.exec(`INSERT INTO agent_groups (id, name, folder, uid_ordinal, created_at) VALUES ('ag-bea', 'Bea', 'bea', 2, '${at}');
      INSERT INTO container_configs (agent_group_id, provider, assistant_name, timezone, updated_at)
        VALUES ('ag-bea', 'demo', 'Bea', 'UTC', '${at}');
      INSERT INTO messaging_group_agents (id, messaging_group_id, agent_group_id, engage_mode, created_at)
        VALUES ('mga-zz-bea', 'mg-terminal-family', 'ag-bea', 'mention', '${at}');
      INSERT INTO agent_group_members (user_id, agent_group_id, added_at) VALUES ('terminal:ann', 'ag-bea', '${at}')`),
  );
  db.close();
  return host;
}

test('commands: who may use which, and every one of theirs is answered', async () => {
  await using host = await twoAgents();
  const cast = await openCast(host);
  const [ann, bob, family] = [cast.user('ann'), cast.user('bob'), { in: 'family' }];

  const [help] = await ann.asks('/help', family);
  assert.match(help ?? '', /^Here I listen to my name: begin with @Andy or @Bea\./);
  assert.match((await ann.asks('/help'))[0] ?? '', /^Anything that you write here goes to Andy\./);
  assert.match(
    (await ann.asks('/status@bot', family))[0] ?? '',
    /^Andy \(demo\): nothing said here yet\.\nBea \(demo\): /,
  );
  assert.match((await ann.asks('/STATUS@bea', family))[0] ?? '', /^Bea \(demo\): nothing said here yet\.$/);
  assert.deepEqual(await ann.asks('/stop', family), [
    'Andy: Nothing was running here.\nBea: Nothing was running here.',
  ]);
  assert.deepEqual(await ann.asks('/stop'), ['Nothing was running here.']);

  const [refused] = await ann.asks('/clear', family);
  assert.equal(
    refused,
    'Andy: Others share this conversation: only admins of Andy may clear it.\nBea: Others share this conversation: only admins of Bea may clear it.',
  );
  assert.deepEqual(await cast.owner.asks('/clear @Bea', family), [
    'Bea: This conversation is forgotten; memory and files stay, and what was said can be searched.',
  ]);
  assert.deepEqual(await ann.asks('/clear'), [
    'This conversation is forgotten; memory and files stay, and what was said can be searched.',
  ]);

  for (const text of ['/help', '/status', '/stop', '/clear', '/leave']) {
    const sent = await bob.says(text, family);
    assert.deepEqual([sent.status, sent.code], ['refused', 'NC_MESSAGE_DROPPED'], text);
  }
  assert.equal((await ann.says('/help@other_bot', family)).status, 'refused', "another bot's");
});

test('with one session for all chats, nobody ends or forgets what is of another chat', async () => {
  await using host = await startHost();
  addChats(host.home, [{ chat: 'dm-ann' }]);
  addMembers(host.home, ['terminal:ann']);
  const db = openCentral({
    file: join(host.home, 'data/v2.db'),
    backups: join(host.home, 'data/backups'),
    now: Date.now(),
  });
  db.exec("UPDATE messaging_group_agents SET session_mode = 'agent-shared'");
  db.close();
  const cast = await openCast(host);
  const ann = cast.user('ann');
  const asked = await cast.owner.says('wait 1 seconds');
  await until(() => cast.frames.some((frame) => frame.type === 'progress'));
  assert.deepEqual(await ann.asks('/stop'), ['Nothing was running here.']);
  assert.deepEqual(await ann.asks('/clear'), ['Others share this conversation: only admins of Andy may clear it.']);
  assert.equal(await asked.settled(), 'reply');
  assert.deepEqual(cast.said({}), ['I waited for 1 seconds.']);
});

test('/leave: no word more until it is called again', async () => {
  await using host = await twoAgents();
  const cast = await openCast(host);
  const ann = cast.user('ann');
  const trip = { in: 'family', thread: 'trip' };
  assert.deepEqual(await ann.asks('/leave @Andy', trip), [
    "Andy: I wasn't following this conversation: I answer when I am called.",
  ]);
  assert.equal((await ann.says('@Andy hello', trip)).status, 'accepted');
  assert.equal((await ann.says('hello', trip)).status, 'accepted', 'it follows');
  assert.deepEqual(await ann.asks('/leave @Andy', trip), ['Andy: I leave this conversation until I am called again.']);
  assert.equal((await ann.says('hello', trip)).status, 'refused');
  assert.equal((await ann.says('@Andy hello', trip)).status, 'accepted');
  assert.deepEqual(await ann.asks('/leave'), [
    'I hear everything here: that is how this chat is set. An admin changes it with `ncl wirings update`.',
  ]);
});

test('a new name counts at once: for who calls it, and for the agent that runs', async () => {
  await using host = await twoAgents();
  const cast = await openCast(host);
  const ann = cast.user('ann');
  const family = { in: 'family', thread: 'names' };
  assert.deepEqual(await cast.owner.asks('who are you?'), ['I am Andy.']);
  assert.deepEqual(await ann.asks('call yourself Bob'), ['Only admins of Andy may give it another name.']);
  assert.deepEqual(await ann.asks('@Andy call yourself Bob', family), [
    'Only admins of Andy may give it another name.',
  ]);
  assert.deepEqual(await cast.owner.asks('@Andy call yourself bea', family), [
    'Another agent in one of its chats is called bea.',
  ]);
  assert.match((await cast.owner.asks(`call yourself ${'x'.repeat(33)}`)).join(), /at most 32 characters/);
  assert.match((await cast.owner.asks('call yourself Bob\u202eyob')).join(), /direction of writing/);
  assert.deepEqual(await cast.owner.asks('@bot call yourself Bob', family), [
    'Which of us do you mean? Begin with its name: “@… call yourself …”.',
  ]);
  assert.equal(
    (await cast.owner.says('call yourself Bob', { in: 'family', thread: 'other' })).status,
    'refused',
    'nobody was meant',
  );
  assert.deepEqual(await cast.owner.asks('@Andy, please call yourself “Bob”.', family), ['From now on I am Bob.']);
  assert.equal(
    (await ann.says('@Andy who are you?', { in: 'family', thread: 'later' })).status,
    'refused',
    'its name until now',
  );
  assert.deepEqual(await cast.owner.asks('who are you?'), ['I am Bob.'], 'the one that ran already');
  assert.match((await ann.asks('/status'))[0] ?? '', /^Bob \(demo\)/);
});

import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { isoTime } from '@nanoclaw/protocol';
import { transaction } from '../../src/db/group-commit.ts';
import { ensureUser } from '../../src/people/roles.ts';
import { createWorld, type World } from '../../test/support/directory.ts';
import type { Result } from '../view.ts';

const now = Date.now();

function must<T>(result: Result<T>): T {
  assert.ok(result.ok, JSON.stringify(result));
  return result.data;
}

/** A second agent, a group chat, somebody. */
function furnish({ directory, owner }: World) {
  const agent = must(directory.createAgentGroup({ name: 'Family' }, owner, now)).id;
  const chat = must(
    directory.createChat({ channelType: 'telegram', platformId: '-1', name: 'The Smiths', isGroup: true }, owner, now),
  ).id;
  must(directory.createUser('telegram:1', 'Ann', owner, now));
  return { agent, chat };
}

describe('an agent group', () => {
  test('is made with its row, config, uid and folder; the change is audited', async () => {
    await using world = createWorld();
    const { directory, owner, install } = world;
    const { id, folder } = must(directory.createAgentGroup({ name: 'Ölf & Co' }, owner, now));
    assert.equal(folder, 'o-lf-co');
    await directory.settled();
    assert.ok(existsSync(join(install.root, 'groups', folder, 'CLAUDE.local.md')));
    const row = world.lookup.get('group', id, null);
    assert.deepEqual(
      [row?.provider, row?.timezone, row?.cliScope, row?.assistantName],
      ['demo', 'Europe/Berlin', 'group', 'Ölf & Co'],
    );
    assert.equal(world.query('SELECT uid_ordinal FROM agent_groups WHERE id = ?', id)[0]?.uid_ordinal, 2);
    assert.deepEqual(world.audited(), [{ actor: 'terminal:owner', action: 'group.created', subject: id }]);
  });

  test('the uid of one that is gone is not given again', async () => {
    await using world = createWorld();
    const { directory, owner } = world;
    const first = must(directory.createAgentGroup({ name: 'One' }, owner, now));
    must(directory.deleteAgentGroup(first.id, owner, now));
    await directory.settled();
    const second = must(directory.createAgentGroup({ name: 'Two' }, owner, now));
    assert.equal(world.query('SELECT uid_ordinal FROM agent_groups WHERE id = ?', second.id)[0]?.uid_ordinal, 3);
  });

  test('a folder of nobody on the disk is not taken, whatever its case', async () => {
    await using world = createWorld();
    const { directory, owner, install } = world;
    mkdirSync(join(install.root, 'groups', 'Family'));
    assert.equal(must(directory.createAgentGroup({ name: 'Family' }, owner, now)).folder, 'family-2');
    const taken = directory.createAgentGroup({ name: 'Other', folder: 'FAMILY' }, owner, now);
    assert.equal(!taken.ok && taken.code, 'NC_EXISTS');
  });

  const long = 'x'.repeat(10_000);
  const bad: [what: string, input: { name: string; folder?: string; provider?: string; timezone?: string }][] = [
    ['no name', { name: '  ' }],
    ['a name of two lines', { name: 'a\nb' }],
    ['a name that turns the direction of writing', { name: 'a\u202eb' }],
    ['a name of 10,000 characters', { name: long }],
    ['a folder that escapes', { name: 'x', folder: '../x' }],
    ['a folder with a slash', { name: 'x', folder: 'a/b' }],
    ['a hidden folder', { name: 'x', folder: '.x' }],
    ['a folder of 10,000 characters', { name: 'x', folder: long }],
    ['a folder that differs by case', { name: 'x', folder: 'ANDY' }],
    ['a name that is taken, in another case', { name: 'ANDY' }],
    ['a provider that is a path', { name: 'x', provider: '../x' }],
    ['no time zone', { name: 'x', timezone: 'Mars/Base' }],
  ];
  for (const [what, input] of bad) {
    test(`${what} is refused in a sentence, and nothing is made`, async () => {
      await using world = createWorld();
      const before = readdirSync(join(world.install.root, 'groups'));
      const made = world.directory.createAgentGroup(input, world.owner, now);
      assert.ok(!made.ok);
      assert.match(made.detail ?? '', /^[^\n]{10,300}[.]$/u);
      await world.directory.settled();
      assert.equal(world.query('SELECT count(*) AS n FROM agent_groups')[0]?.n, 1);
      assert.deepEqual(readdirSync(join(world.install.root, 'groups')), before);
      assert.deepEqual(world.audited(), []);
    });
  }

  test('quotes and emoji are fine in a name', async () => {
    await using world = createWorld();
    must(world.directory.createAgentGroup({ name: `"O'Neil"; DROP TABLE users -- 🦀` }, world.owner, now));
    assert.equal(world.query('SELECT count(*) AS n FROM users')[0]?.n, 1);
  });

  test('goes with all that hangs on it, and leaves no row, folder or sandbox', async () => {
    await using world = createWorld();
    const { directory, owner, install, query } = world;
    const { agent, chat } = furnish(world);
    await directory.settled();
    must(directory.wire({ messagingGroupId: chat, agentGroupId: agent }, owner, now));
    must(directory.addMember('telegram:1', agent, owner, now));
    must(directory.grantRole({ userId: 'telegram:1', role: 'admin', agentGroupId: agent }, owner, now));
    must(directory.addDestination(install.agentId, 'fam', agent, owner, now));
    const session = transaction(install.db, () => install.sessions.ensure(agent, chat, null, now));
    transaction(install.db, () => {
      install.messages.addInbound(
        {
          id: 'msg-1',
          sessionId: session.id,
          kind: 'chat',
          timestamp: isoTime(now),
          trigger: true,
          content: { text: 'hello' },
          channel_type: 'telegram',
          platform_id: '-1',
          thread_id: null,
        },
        now,
      );
      install.db.exec(
        `INSERT INTO usage (agent_group_id, session_id, provider, input_tokens, output_tokens, day, at)
         VALUES ('${agent}', '${session.id}', 'demo', 1, 1, '', '');
         INSERT INTO budgets VALUES ('${agent}', 'day', 'usd', 1, 'terminal:owner', '')`,
      );
    });
    const folder = join(install.root, 'data/v2-sessions', agent, session.id);
    mkdirSync(join(folder, 'box', 'deep'), { recursive: true });
    writeFileSync(join(folder, 'box', 'deep', 'x'), '');
    world.running.set(session.id, agent);

    const { approvals: _, ...hanging } = { approvals: 0, ...directory.hanging('group', agent) };
    assert.deepEqual(hanging, {
      sessions: 1,
      messages: 1,
      wirings: 1,
      members: 1,
      roles: 1,
      destinations: 2,
      files: 2,
    });
    must(directory.deleteAgentGroup(agent, owner, now));
    await directory.settled();
    assert.deepEqual(world.stopped, [session.id]);
    assert.deepEqual([existsSync(folder), existsSync(join(install.root, 'groups/family'))], [false, false]);
    for (const { name } of query("SELECT name FROM sqlite_schema WHERE type = 'table' AND name <> 'audit_log'")) {
      for (const row of query(`SELECT * FROM ${name}`)) {
        assert.ok(!JSON.stringify(row).includes(agent), `${name}: ${JSON.stringify(row)}`);
      }
    }
    assert.deepEqual(query('PRAGMA foreign_key_check'), []);
    const [effects] = world.performed;
    assert.equal(effects?.settled[0]?.outcome, 'stopped');
    const said = query('SELECT content FROM messages WHERE id = ?', effects?.deliver[0] ?? '');
    assert.match(String(said[0]?.content), /I was removed from here/);
  });

  test('what is refused, or only rehearsed, changes nothing and leads to nothing', async () => {
    await using world = createWorld();
    const { directory, owner } = world;
    const { agent } = furnish(world);
    await directory.settled();
    const before = world.audited().length;
    assert.ok(directory.rehearse(() => directory.deleteAgentGroup(agent, owner, now)).ok);
    await directory.settled();
    assert.ok(existsSync(join(world.install.root, 'groups/family')));
    assert.ok(world.lookup.get('group', agent, null));
    assert.equal(world.audited().length, before);
  });

  test('a change inside a transaction that is undone leads to nothing', async () => {
    await using world = createWorld();
    const { directory, owner, install } = world;
    const folder = join(install.root, 'groups/andy');
    world.running.set(install.newSession().id, install.agentId);
    assert.throws(() =>
      transaction(install.db, () => {
        must(directory.createAgentGroup({ name: 'Family' }, owner, now));
        must(directory.deleteAgentGroup(install.agentId, owner, now));
        throw new Error('undone');
      }),
    );
    await directory.settled();
    assert.equal(existsSync(join(install.root, 'groups/family')), false);
    assert.deepEqual([existsSync(folder), world.stopped], [true, []]);
  });
});

test('folders of sessions that are gone, as a host leaves them that ends in between, go at the next start', async () => {
  await using world = createWorld();
  const { directory, install } = world;
  const session = install.newSession();
  const folders = [session.id, 'sess-gone'].map((id) => join(install.root, 'data/v2-sessions', install.agentId, id));
  const foreign = join(install.root, 'data/v2-sessions', 'ag-gone', 'sess-1');
  for (const folder of [...folders, foreign]) mkdirSync(join(folder, 'box'), { recursive: true });
  directory.resume();
  await directory.settled();
  assert.deepEqual(
    folders.map((folder) => existsSync(folder)),
    [true, false],
  );
  assert.equal(existsSync(join(install.root, 'data/v2-sessions', 'ag-gone')), false);
});

describe('a config', () => {
  test('what concerns the machine is not for agents', async () => {
    await using world = createWorld();
    const { directory, install, scoped, query } = world;
    const id = install.agentId;
    const { agent } = furnish(world);
    const own = scoped(id);
    const codes = [
      directory.updateConfig(id, { cliScope: 'global' }, own, now),
      directory.updateConfig(id, { egress: 'public' }, own, now),
      directory.updateConfig(id, { egressAllow: ['10.0.0.1'] }, own, now),
      directory.updateConfig(id, { provider: 'claude' }, own, now),
      directory.updateConfig(id, { cliScope: 'global' }, { ...own, scope: null }, now),
      directory.renameAgentGroup(id, 'Family', own, now),
      directory.updateConfig(agent, { model: 'x' }, own, now),
      directory.updateConfig('ag-nope', { model: 'x' }, own, now),
    ].map((result) => (result.ok ? 'ok' : result.code));
    assert.deepEqual(codes, [...Array(6).fill('NC_FORBIDDEN'), 'NC_NOT_FOUND', 'NC_NOT_FOUND']);
    must(directory.updateConfig(id, { model: 'm' }, own, now));
    assert.equal(query('SELECT model FROM container_configs WHERE agent_group_id = ?', id)[0]?.model, 'm');
  });

  test('a tool server is added once, removed once, and audited without the values of its environment', async () => {
    await using world = createWorld();
    const { directory, owner, install, query } = world;
    const id = install.agentId;
    const server = { command: 'node', args: ['x.mjs'], env: { LEVEL: 'secret-value' } };
    must(directory.addMcpServer(id, 'files', server, owner, now));
    assert.deepEqual(world.lookup.get('group', id, null)?.mcpServers, { files: server });
    assert.ok(!directory.addMcpServer(id, 'files', server, owner, now).ok);
    for (const name of ['', 'a b', 'nanoclaw', '../x'])
      assert.ok(!directory.addMcpServer(id, name, server, owner, now).ok, name);
    assert.ok(!directory.addMcpServer(id, 'x', { ...server, command: ' ' }, owner, now).ok);
    assert.ok(!directory.addMcpServer(id, 'x', { ...server, env: { 'A=B': '' } }, owner, now).ok);
    assert.ok(!directory.addMcpServer(id, 'x', { ...server, args: ['x'.repeat(20_000)] }, owner, now).ok);
    must(directory.removeMcpServer(id, 'files', owner, now));
    assert.ok(!directory.removeMcpServer(id, 'files', owner, now).ok);
    assert.ok(!JSON.stringify(query('SELECT detail FROM audit_log')).includes('secret-value'));
  });
});

describe('a wiring', () => {
  test('has the terms of its kind of chat, and makes a destination', async () => {
    await using world = createWorld();
    const { directory, owner, query } = world;
    const { agent } = furnish(world);
    const kinds: [channelType: string, isGroup: boolean, mode: string, pattern: string | null][] = [
      ['plain', false, 'pattern', '.'],
      ['plain', true, 'mention', null],
      ['threaded', true, 'mention-sticky', null],
      ['threaded', false, 'pattern', '.'],
    ];
    const names = kinds.map(([channelType, isGroup, mode, pattern], at) => {
      const input = { channelType, platformId: `c${at}`, name: 'Our House', isGroup };
      const { id: messagingGroupId } = must(directory.createChat(input, owner, now));
      const { id, destination } = must(directory.wire({ messagingGroupId, agentGroupId: agent }, owner, now));
      const [row] = query('SELECT * FROM messaging_group_agents WHERE id = ?', id);
      assert.deepEqual([row?.engage_mode, row?.engage_pattern, row?.session_mode], [mode, pattern, 'shared']);
      return destination;
    });
    assert.deepEqual(names, ['our-house', 'our-house-2', 'our-house-3', 'our-house-4']);
  });

  test('twice is refused; a pattern that is none, or never ends, is refused', async () => {
    await using world = createWorld();
    const { directory, owner } = world;
    const { agent, chat } = furnish(world);
    const input = { messagingGroupId: chat, agentGroupId: agent };
    const refused = [
      { ...input, engagePattern: '(' },
      { ...input, engagePattern: '(x+)+y' },
      { ...input, engagePattern: 'x', engageMode: 'mention' as const },
      { ...input, priority: 1.5 },
      { ...input, priority: Number.NaN },
    ].map((one) => directory.wire(one, owner, now));
    assert.deepEqual(
      refused.map((one) => (one.ok ? 'ok' : one.code)),
      Array(5).fill('NC_USAGE'),
    );
    const { id } = must(directory.wire({ ...input, engagePattern: '^deploy' }, owner, now));
    const again = directory.wire(input, owner, now);
    assert.equal(!again.ok && again.code, 'NC_EXISTS');
    assert.deepEqual(
      [world.lookup.get('wiring', id, null)?.engageMode, world.lookup.list('destination', {}, agent).total],
      ['pattern', 1],
    );
    must(directory.updateWiring(id, { engageMode: 'mention' }, owner, now));
    assert.equal(world.lookup.get('wiring', id, null)?.engagePattern, null);
    assert.ok(!directory.updateWiring(id, {}, owner, now).ok);
  });

  test('wiring a chat that was refused takes that back; unwiring takes its destination and backlog, not its sessions', async () => {
    await using world = createWorld();
    const { directory, owner, install, query } = world;
    const { agent, chat } = furnish(world);
    must(directory.updateChat(chat, { denied: true }, owner, now));
    const { id } = must(directory.wire({ messagingGroupId: chat, agentGroupId: agent }, owner, now));
    assert.equal(world.lookup.get('chat', chat, null)?.deniedAt, null);
    transaction(install.db, () => install.sessions.ensure(agent, chat, null, now));
    query(
      `INSERT INTO backlog (wiring_id, thread_id, platform_message_id, user_id, content, timestamp) VALUES ('${id}', '', 'p', 'u', '{}', '')`,
    );
    assert.deepEqual(must(directory.unwire(id, owner, now)), { 'kept messages': 1, destinations: 1 });
    assert.equal(world.lookup.list('session', {}, agent).total, 1);
  });

  test('two agents of one name do not listen in one chat', async () => {
    await using world = createWorld();
    const { directory, owner, install } = world;
    const { agent, chat } = furnish(world);
    must(directory.updateConfig(agent, { assistantName: 'Andy' }, owner, now));
    must(directory.wire({ messagingGroupId: chat, agentGroupId: agent }, owner, now));
    const second = directory.wire({ messagingGroupId: chat, agentGroupId: install.agentId }, owner, now);
    assert.match((!second.ok && second.detail) || '', /is called Andy/);
  });
});

describe('people', () => {
  test('a role for nobody, of nothing, twice, or of an owner somewhere is refused', async () => {
    await using world = createWorld();
    const { directory, owner } = world;
    const { agent } = furnish(world);
    const grant = (userId: string, role: 'owner' | 'admin', agentGroupId: string | null) => {
      const result = directory.grantRole({ userId, role, agentGroupId }, owner, now);
      return result.ok ? 'ok' : result.code;
    };
    assert.equal(grant('telegram:nobody', 'admin', null), 'NC_NOT_FOUND');
    assert.equal(grant('telegram:1', 'admin', 'ag-nope'), 'NC_NOT_FOUND');
    assert.equal(grant('telegram:1', 'owner', agent), 'NC_USAGE');
    assert.equal(grant('telegram:1', 'admin', null), 'ok');
    assert.equal(grant('telegram:1', 'admin', null), 'NC_EXISTS');
    assert.equal(grant('telegram:1', 'admin', agent), 'ok');
  });

  test('there is always an owner, and none is made by an agent', async () => {
    await using world = createWorld();
    const { directory, owner } = world;
    furnish(world);
    const own = { userId: 'terminal:owner', role: 'owner', agentGroupId: null } as const;
    const code = (result: Result<unknown>) => (result.ok ? 'ok' : result.code);
    const agent = { actor: 'agent:x', scope: null, speakers: ['terminal:owner'] };
    assert.equal(code(directory.revokeRole(own, owner, now)), 'NC_FORBIDDEN');
    assert.equal(code(directory.grantRole({ ...own, userId: 'telegram:1' }, agent, now)), 'NC_FORBIDDEN');
    must(directory.grantRole({ ...own, userId: 'telegram:1' }, owner, now));
    assert.equal(code(directory.revokeRole({ ...own, userId: 'telegram:1' }, agent, now)), 'NC_FORBIDDEN');
    assert.equal(code(directory.deleteUser('telegram:1', agent, now)), 'NC_FORBIDDEN');
    must(directory.revokeRole(own, owner, now));
    assert.equal(code(directory.deleteUser('telegram:1', owner, now)), 'NC_FORBIDDEN');
    assert.equal(code(directory.deleteUser('terminal:owner', owner, now)), 'NC_FORBIDDEN');
  });

  test('a denial ends a membership, and a membership a denial; nobody with a role is denied', async () => {
    await using world = createWorld();
    const { directory, owner, query } = world;
    const { agent } = furnish(world);
    must(directory.addMember('telegram:1', agent, owner, now));
    must(directory.denySender('telegram:1', agent, owner, now));
    assert.equal(query('SELECT count(*) AS n FROM agent_group_members')[0]?.n, 0);
    must(directory.addMember('telegram:1', agent, owner, now));
    assert.equal(query('SELECT count(*) AS n FROM denied_senders')[0]?.n, 0);
    assert.ok(!directory.denySender('terminal:owner', agent, owner, now).ok);
    must(directory.removeMember('telegram:1', agent, owner, now));
    assert.ok(!directory.removeMember('telegram:1', agent, owner, now).ok);
  });

  test('somebody who is forgotten leaves what they said', async () => {
    await using world = createWorld();
    const { directory, owner, install, query } = world;
    const { agent } = furnish(world);
    must(directory.grantRole({ userId: 'telegram:1', role: 'admin', agentGroupId: null }, owner, now));
    ensureUser(install.db, 'telegram:2', 'Bo', now);
    must(directory.addMember('telegram:2', agent, { ...owner, actor: 'telegram:1' }, now));
    must(
      directory.grantRole(
        { userId: 'telegram:2', role: 'admin', agentGroupId: agent },
        { ...owner, actor: 'telegram:1' },
        now,
      ),
    );
    must(directory.deleteUser('telegram:1', owner, now));
    assert.deepEqual(query('PRAGMA foreign_key_check'), []);
    assert.equal(query("SELECT count(*) AS n FROM users WHERE id = 'telegram:1'")[0]?.n, 0);
    assert.equal(query("SELECT count(*) AS n FROM agent_group_members WHERE user_id = 'telegram:2'")[0]?.n, 1);
  });

  for (const id of [
    '',
    'ann',
    ':1',
    'Telegram:1',
    'telegram:',
    'telegram:a b',
    'telegram:a\nb',
    `telegram:${'1'.repeat(10_000)}`,
  ]) {
    test(`${JSON.stringify(id.slice(0, 20))} is nobody's id`, async () => {
      await using world = createWorld();
      const made = world.directory.createUser(id, null, world.owner, now);
      assert.equal(!made.ok && made.code, 'NC_USAGE');
    });
  }
});

describe('what a name stands for', () => {
  test('an id, a name that one has, the beginning of an id; otherwise nothing, or which it may be', async () => {
    await using world = createWorld();
    const { directory, install, owner } = world;
    const { agent, chat } = furnish(world);
    const found = (given: string, kind: 'group' | 'chat' | 'user' | 'target' = 'group') => {
      const result = world.lookup.resolve(kind, given, null);
      return result.ok ? result.data : result.code;
    };
    assert.deepEqual([found(agent), found('Family'), found('FAMILY'), found('family')], Array(4).fill(agent));
    assert.equal(found(install.agentId.slice(0, -3)), install.agentId);
    assert.equal(found('telegram/-1', 'chat'), chat);
    assert.equal(found('The Smiths', 'target'), chat);
    assert.equal(found('Family', 'target'), agent);
    assert.equal(found('Ann', 'user'), 'telegram:1');
    assert.deepEqual(
      [found('ag-'), found(''), found('nope'), found('%'), found("' OR 1=1 --")],
      ['NC_AMBIGUOUS', 'NC_NOT_FOUND', 'NC_NOT_FOUND', 'NC_NOT_FOUND', 'NC_NOT_FOUND'],
    );
    must(directory.createUser('telegram:2', 'Ann', owner, now));
    assert.equal(found('Ann', 'user'), 'NC_AMBIGUOUS');
  });

  test('whoever was refused is found without being known, an approval by what its card shows of its id', async () => {
    await using world = createWorld();
    const { directory, install, owner } = world;
    const { agent } = furnish(world);
    for (const from of [agent, install.agentId]) must(directory.denySender('telegram:stranger', from, owner, now));
    assert.deepEqual(world.lookup.resolve('denial', 'telegram:stranger', null), {
      ok: true,
      data: 'telegram:stranger',
    });
    assert.equal(world.lookup.resolve('denial', 'telegram:1', null).ok, false);
    install.db.exec(
      `INSERT INTO approvals (id, kind, status, subject, title, body, options, created_at, expires_at)
       VALUES ('appr-m1x', 'test', 'pending', 's', 't', 'b', '[]', '2026-01-01', '2026-01-02')`,
    );
    for (const given of ['m1x', 'm1', 'appr-m1', 'appr-m1x'])
      assert.deepEqual(world.lookup.resolve('approval', given, null), { ok: true, data: 'appr-m1x' });
  });

  test('shortened ids still name one only', async () => {
    await using world = createWorld();
    const { directory, owner, query } = world;
    for (let count = 0; count < 50; count += 1) must(directory.createAgentGroup({ name: `A${count}` }, owner, now));
    const ids = query('SELECT id FROM agent_groups').map((row) => String(row.id));
    const short = world.lookup.shorten('group', ids);
    assert.equal(new Set(short).size, ids.length);
    for (const [at, one] of short.entries()) {
      assert.deepEqual(world.lookup.resolve('group', one, null), { ok: true, data: ids[at] });
    }
  });
});

describe('a scope', () => {
  test('shows its own rows alone, in every list', async () => {
    await using world = createWorld();
    const { directory, owner, install } = world;
    const { agent, chat } = furnish(world);
    must(directory.wire({ messagingGroupId: chat, agentGroupId: agent }, owner, now));
    must(directory.addMember('telegram:1', agent, owner, now));
    must(directory.grantRole({ userId: 'telegram:1', role: 'admin', agentGroupId: agent }, owner, now));
    transaction(install.db, () => install.sessions.ensure(agent, chat, null, now));
    const kinds = ['group', 'chat', 'wiring', 'user', 'role', 'member', 'destination', 'session'] as const;
    for (const kind of kinds) {
      const all = world.lookup.list(kind, {}, null);
      assert.ok(JSON.stringify(all.rows).includes(kind === 'user' ? 'telegram:1' : agent) || kind === 'chat', kind);
      const foreign = world.lookup.list(kind, {}, install.agentId);
      assert.doesNotMatch(JSON.stringify(foreign.rows), new RegExp(`${agent}|${chat}|telegram|Family|Smiths`), kind);
    }
    for (const [kind, given] of [
      ['group', agent],
      ['group', 'Family'],
      ['chat', chat],
      ['user', 'telegram:1'],
    ] as const) {
      const foreign = world.lookup.resolve(kind, given, install.agentId);
      const nothing = world.lookup.resolve(kind, 'nope', install.agentId);
      const words = (result: Result<string>) => JSON.stringify(result).replace(given, '').replace('nope', '');
      assert.equal(words(foreign), words(nothing));
    }
  });

  test('changes nothing outside, and gets the same words as for what does not exist', async () => {
    await using world = createWorld();
    const { directory, owner, install, scoped, query } = world;
    const { agent, chat } = furnish(world);
    const { id: wiring } = must(directory.wire({ messagingGroupId: chat, agentGroupId: agent }, owner, now));
    const session = transaction(install.db, () => install.sessions.ensure(agent, chat, null, now));
    const by = scoped(install.agentId);
    const own = install.agentId;
    const attempts: [foreign: Result<unknown>, nothing: Result<unknown>][] = [
      [
        directory.updateWiring(wiring, { priority: 1 }, by, now),
        directory.updateWiring('mga-0', { priority: 1 }, by, now),
      ],
      [directory.unwire(wiring, by, now), directory.unwire('mga-0', by, now)],
      [
        directory.wire({ messagingGroupId: chat, agentGroupId: own }, by, now),
        directory.wire({ messagingGroupId: 'mg-0', agentGroupId: own }, by, now),
      ],
      [directory.addDestination(own, 'x', chat, by, now), directory.addDestination(own, 'x', 'mg-0', by, now)],
      [directory.addDestination(own, 'x', agent, by, now), directory.addDestination(own, 'x', 'ag-0', by, now)],
      [directory.addMember('telegram:1', own, by, now), directory.addMember('telegram:0', own, by, now)],
      [directory.addMember('telegram:1', agent, by, now), directory.addMember('telegram:1', 'ag-0', by, now)],
      [
        directory.removeDestination(agent, 'the-smiths', by, now),
        directory.removeDestination('ag-0', 'the-smiths', by, now),
      ],
      [directory.stopSession(session.id, by, now), directory.stopSession('sess-0', by, now)],
      [directory.resetSession(session.id, by, now), directory.resetSession('sess-0', by, now)],
      [directory.restartAgentGroup(agent, {}, by, now), directory.restartAgentGroup('ag-0', {}, by, now)],
      [directory.removeMcpServer(agent, 'x', by, now), directory.removeMcpServer('ag-0', 'x', by, now)],
      [directory.deleteAgentGroup(agent, by, now), directory.deleteAgentGroup('ag-0', by, now)],
      [directory.deleteChat(chat, by, now), directory.deleteChat('mg-0', by, now)],
      [directory.updateChat(chat, { name: 'x' }, by, now), directory.updateChat('mg-0', { name: 'x' }, by, now)],
      [directory.deleteUser('telegram:1', by, now), directory.deleteUser('telegram:0', by, now)],
      [directory.renameUser('telegram:1', 'x', by, now), directory.renameUser('telegram:0', 'x', by, now)],
      [directory.createUser('telegram:1', 'x', by, now), directory.createUser('telegram:0', 'x', by, now)],
      [
        directory.createChat({ channelType: 'telegram', platformId: '-1' }, by, now),
        directory.createChat({ channelType: 'telegram', platformId: '-2' }, by, now),
      ],
      [directory.createAgentGroup({ name: 'Family' }, by, now), directory.createAgentGroup({ name: 'New' }, by, now)],
      [
        directory.grantRole({ userId: 'telegram:1', role: 'admin', agentGroupId: own }, by, now),
        directory.grantRole({ userId: 'telegram:0', role: 'admin', agentGroupId: own }, by, now),
      ],
    ];
    const before = JSON.stringify(query('SELECT count(*) AS n, max(seq) AS s FROM audit_log'));
    for (const [at, [foreign, nothing]] of attempts.entries()) {
      assert.ok(!foreign.ok && !nothing.ok, `${at}`);
      assert.equal(foreign.code, nothing.code, `${at}`);
      const words = (text = '') => text.replaceAll(/"[^"]*"/g, '""');
      assert.equal(words(foreign.detail), words(nothing.detail), `${at}`);
    }
    assert.equal(JSON.stringify(query('SELECT count(*) AS n, max(seq) AS s FROM audit_log')), before);
  });

  test('whom it talks to it may name', async () => {
    await using world = createWorld();
    furnish(world);
    const { directory, install, scoped } = world;
    must(directory.addMember('telegram:1', install.agentId, scoped(install.agentId, ['telegram:1']), now));
  });
});

describe('a session', () => {
  test('reset: closed, what is open is ended and told, its folder is gone, and the next message begins a new one', async () => {
    await using world = createWorld();
    const { directory, owner, install } = world;
    const session = install.newSession();
    const folder = join(install.root, 'data/v2-sessions', install.agentId, session.id);
    mkdirSync(join(folder, 'box'), { recursive: true });
    world.running.set(session.id, install.agentId);
    assert.equal(world.lookup.get('session', session.id, null)?.state, 'warm');
    assert.equal(world.lookup.list('session', { where: { state: 'warm' } }, null).total, 1);
    must(directory.resetSession(session.id, owner, now));
    await directory.settled();
    assert.deepEqual([world.stopped, existsSync(folder)], [[session.id], false]);
    assert.ok(!directory.resetSession(session.id, owner, now).ok);
    assert.notEqual(install.newSession().id, session.id);
  });

  test('restart: of one agent, or one session of it; the message wakes it where it was last asked', async () => {
    await using world = createWorld();
    const { directory, owner, install, query } = world;
    const { agent } = furnish(world);
    const session = install.newSession();
    world.running.set(session.id, install.agentId);
    world.running.set('sess-other', agent);
    const only = { sessionId: session.id, message: 'look again' };
    assert.deepEqual(must(directory.restartAgentGroup(install.agentId, only, owner, now)), { sessions: 1 });
    await directory.settled();
    assert.deepEqual(world.stopped, [session.id]);
    assert.match(
      String(query('SELECT content FROM messages WHERE session_id = ?', session.id)[0]?.content),
      /look again/,
    );
  });
});

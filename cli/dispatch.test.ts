import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { AgentCaller } from '../admin/agent-door/callers.ts';
import type { Said } from '../admin/agent-door/index.ts';
import type { Directory } from '../admin/directory/index.ts';
import type { HostView } from '../admin/view.ts';
import { transaction } from '../src/db/group-commit.ts';
import { createWorld, type World } from '../test/support/directory.ts';
import { performFrozen } from './dispatch.ts';
import { createAgentCommands } from './for-agents.ts';

/** What an agent gets of `ncl`, through the same door as from its sandbox. */

const now = Date.now();

interface Asked {
  subject: string;
  title: string;
  body: string;
  action: unknown;
}

interface Stage {
  world: World;
  directory: Directory;
  view: HostView;
  asked: Asked[];
  /** Ids of what is another agent's. */
  foreign: { agent: string; chat: string; wiring: string; session: string };
  caller: AgentCaller;
  /** What the agent's group may do now. */
  scope: { now: 'group' | 'global' | undefined };
  run(...argv: string[]): Promise<Said>;
  as(caller: Partial<AgentCaller>, ...argv: string[]): Promise<Said>;
}

function setStage(world: World): Stage {
  const { directory, owner, install } = world;
  const must = <T>(result: { ok: true; data: T } | { ok: false; code: string; detail?: string }): T => {
    if (!result.ok) throw new Error(`${result.code} ${result.detail}`);
    return result.data;
  };
  const agent = must(directory.createAgentGroup({ name: 'Family' }, owner, now)).id;
  const chatInput = { channelType: 'telegram', platformId: '-77', name: 'The Smiths', isGroup: true };
  const chat = must(directory.createChat(chatInput, owner, now)).id;
  const wiring = must(directory.wire({ messagingGroupId: chat, agentGroupId: agent }, owner, now)).id;
  must(directory.createUser('telegram:42', 'Ann', owner, now));
  must(directory.addMember('telegram:42', agent, owner, now));
  const session = transaction(install.db, () => install.sessions.ensure(agent, chat, null, now)).id;
  const own = install.newSession().id;
  const asked: Asked[] = [];
  const scope: Stage['scope'] = { now: 'group' };
  const absent = (): never => {
    throw new Error('not for agents');
  };
  const view: HostView = {
    directory,
    mounts: { agents: absent, mounts: { decide: absent, save: absent }, change: absent, uidFor: absent },
    get channels() {
      return absent();
    },
    get tasks() {
      return absent();
    },
    get usage() {
      return absent();
    },
    get history() {
      return absent();
    },
    lookup: { db: install.db, states: () => ({}) },
    status: () => ({
      version: '',
      pid: 0,
      startedAt: '',
      slug: '',
      driver: 'none',
      agents: [],
      channels: [],
      sessions: { active: 0, running: 0 },
      queues: {},
      problems: [],
    }),
    session: absent,
    doctorChecks: absent,
    housekeeping: absent,
    stop: absent,
    decide: absent,
    scopeOf: () => scope.now,
    requestApproval(_caller, what) {
      asked.push(what);
      return { ok: true, data: `appr-${asked.length}` };
    },
  };
  const caller: AgentCaller = {
    kind: 'agent',
    agentGroupId: install.agentId,
    sessionId: own,
    scope: 'group',
    speakers: ['terminal:owner'],
  };
  const commands = createAgentCommands(view);
  const as: Stage['as'] = (changes, ...argv) => commands.run({ ...caller, ...changes }, argv);
  const foreign = { agent, chat, wiring, session };
  return { world, directory, view, asked, foreign, caller, scope, as, run: (...argv) => as({}, ...argv) };
}

describe('an agent of scope group neither sees nor changes what is not its own', () => {
  /** `{agent}` and the like are ids of another's; where one is named, one that doesn't exist gets the same words. */
  const attempts: string[] = [
    'groups get {agent}',
    'groups get Family',
    'groups get family',
    'groups get --id {agent}',
    'groups get --agent-group-id={agent} --json',
    'groups config get Family',
    'groups config update {agent} --model x',
    'groups config update Family --model x --json',
    'groups config update --cli-scope global',
    'groups config update --egress public --egress-allow 10.0.0.1',
    'groups config update --provider demo',
    'groups config add-mcp-server {agent} --name x --command y',
    'groups config remove-mcp-server Family --name x',
    'groups create Mine',
    'groups create Family',
    'groups update --name Family',
    'groups delete {agent} --yes',
    'groups delete --yes',
    'groups restart {agent}',
    'groups get {own} --group {agent}',
    'groups get --group {own} --group {agent}',
    'messaging-groups get {chat}',
    'messaging-groups get telegram/-77',
    'messaging-groups get The\u00a0Smiths',
    'messaging-groups create telegram 1',
    'messaging-groups update {chat} --unknown-sender-policy public',
    'messaging-groups delete {chat} --yes',
    'wirings get {wiring}',
    'wirings create {chat}',
    'wirings create {chat} {agent}',
    'wirings update {wiring} --priority 9',
    'wirings delete {wiring} --yes',
    'users get telegram:42',
    'users get Ann',
    'users create telegram:99',
    'users delete telegram:42 --yes',
    'users deny telegram:42 {agent}',
    'members add telegram:42',
    'members add telegram:42 {agent}',
    'members remove telegram:42 Family',
    'roles grant terminal:owner admin',
    'roles grant terminal:owner owner',
    'roles revoke terminal:owner owner',
    'destinations add {own} x {chat}',
    'destinations add {own} x {agent}',
    'destinations add {agent} x {chat}',
    'destinations remove {agent} the-smiths',
    'sessions get {session}',
    'sessions stop {session}',
    'sessions reset {session}',
    'sessions list --group {agent}',
    'wirings list --chat The\u00a0Smiths',
    'destinations list --target {chat}',
    'members list --user telegram:42',
    "groups get ' OR 1=1 --",
    'sessions get %',
    'groups get {"id":"x"}',
    'user-dms list',
    'dropped-messages list',
    'approvals approve appr-1',
    'approvals deny appr-1',
    'audit list',
    'mounts add {own} /',
    'mounts list',
    'housekeeping',
    'stop-host',
    'backup',
    'init-first-agent --name X',
  ];
  for (const line of attempts) {
    test(`ncl ${line}`, async () => {
      await using world = createWorld();
      const { run, foreign, asked, caller } = setStage(world);
      await world.directory.settled();
      const tables = [
        'agent_groups',
        'container_configs',
        'messaging_groups',
        'messaging_group_agents',
        'users',
        'user_roles',
        'agent_group_members',
        'agent_destinations',
        'sessions',
        'denied_senders',
        'audit_log',
      ];
      const state = () => JSON.stringify(tables.map((name) => world.query(`SELECT * FROM ${name}`)));
      const words = (ids: Readonly<Record<string, string>>) =>
        line
          .split(' ')
          .map((word) => word.replaceAll('\u00a0', ' ').replace(/\{(\w+)\}/, (all, name: string) => ids[name] ?? all));
      const before = state();
      const said = await run(...words({ ...foreign, own: caller.agentGroupId }));
      assert.ok(said.exit !== 0, JSON.stringify(said));
      assert.deepEqual([state() === before, asked], [true, []]);
      const given = line.replaceAll('\u00a0', ' ');
      for (const secret of [...Object.values(foreign), 'Family', 'The Smiths', 'telegram:42', 'Ann', '-77']) {
        const said2 = `${said.out}${said.err}`;
        const isGiven = words({ ...foreign, own: '' }).some((word) => word.includes(secret)) || given.includes(secret);
        assert.ok(isGiven || !said2.includes(secret), `${secret}: ${said2}`);
      }
      const own = { own: caller.agentGroupId };
      const nothing = { agent: 'ag-0', chat: 'mg-0', wiring: 'mga-0', session: 'sess-0', ...own };
      const other = await run(...words(nothing));
      const bare = ({ exit, out, err }: Said, ids: Readonly<Record<string, string>>) =>
        [
          `${exit}`,
          ...[out, err].map((text) => Object.values(ids).reduce((left, id) => left.replaceAll(id, ''), text)),
        ].join('\n');
      assert.equal(bare(said, { ...foreign, ...own }), bare(other, nothing));
    });
  }

  test('lists hold its own alone', async () => {
    await using world = createWorld();
    const { run, foreign } = setStage(world);
    for (const list of [
      'groups',
      'messaging-groups',
      'wirings',
      'users',
      'roles',
      'members',
      'destinations',
      'sessions',
      'approvals',
    ]) {
      const { exit, out } = await run(list, 'list', '--json');
      assert.equal(exit, 0, list);
      for (const secret of [...Object.values(foreign), 'Family', 'Smiths', 'telegram'])
        assert.ok(!out.includes(secret), list);
    }
    assert.match((await run('groups', 'get')).out, /name +Andy/);
    assert.doesNotMatch((await run('sessions', 'get')).out, /folder/);
  });
});

test('what it may ask for is tried, shown in full, frozen, and changes nothing until it is allowed', async () => {
  await using world = createWorld();
  const { run, asked, view, caller } = setStage(world);
  const said = await run('groups', 'config', 'update', '--assistant-name', 'Bob');
  assert.equal(said.exit, 0, said.err);
  assert.match(said.out, /Nothing is done yet[\s\S]*appr-1/);
  const [request] = asked;
  assert.ok(request);
  assert.match(request.title, /^Andy wants to do: ncl groups config update$/);
  assert.match(
    request.body,
    /^ncl groups config update ag-\S+ \[Andy\] --assistant-name Bob\nFor: Owner \(terminal:owner\)\n/,
  );
  assert.equal(world.lookup.get('group', caller.agentGroupId, null)?.assistantName, 'Andy');
  const done = transaction(world.install.db, () =>
    performFrozen(view, request.action, { id: 'appr-1', decidedBy: 'terminal:owner' }, now),
  );
  assert.ok(done.ok, JSON.stringify(done));
  assert.equal(world.lookup.get('group', caller.agentGroupId, null)?.assistantName, 'Bob');
  const [entry] = world.query("SELECT actor, detail FROM audit_log WHERE action = 'group.updated'");
  assert.equal(entry?.actor, `agent:${caller.agentGroupId}`);
  assert.deepEqual(JSON.parse(String(entry?.detail)), {
    assistantName: 'Bob',
    approval: 'appr-1',
    allowedBy: 'terminal:owner',
    speakers: ['terminal:owner'],
  });
});

test('what was allowed is done under the scope that it has then, to the letter, or not at all', async () => {
  await using world = createWorld();
  const { as, asked, view, scope, foreign, caller } = setStage(world);
  const allow = (action: unknown) =>
    transaction(world.install.db, () => performFrozen(view, action, { id: 'a', decidedBy: 'x' }, now));
  assert.equal((await as({ scope: 'global' }, 'groups', 'update', 'Family', '--name', 'Clan')).exit, 0);
  const action = asked[0]?.action;
  assert.ok(typeof action === 'object' && action !== null);

  scope.now = 'group';
  assert.ok(!allow(action).ok);
  scope.now = undefined;
  assert.ok(!allow(action).ok);
  scope.now = 'global';
  for (const changed of [
    { ...action, command: 'backup' },
    { ...action, command: 'groups list' },
    { ...action, command: 'mounts add' },
    { ...action, args: { group: 'nope', name: 'x' } },
    { ...action, args: { group: foreign.agent, name: 'x', bogus: 'y' } },
  ]) {
    assert.ok(!allow(changed).ok, JSON.stringify(changed));
  }
  assert.throws(() => allow({ ...action, scope: 'global' }), /nrecognized/);
  assert.equal(world.lookup.get('group', foreign.agent, null)?.name, 'Family');
  assert.ok(allow(action).ok);
  assert.equal(world.lookup.get('group', foreign.agent, null)?.name, 'Clan');

  // What gives power over the machine is nobody's to allow.
  const words = [
    ['roles', 'grant', 'telegram:42', 'owner'],
    ['users', 'delete', 'terminal:owner', '--yes'],
    ['groups', 'config', 'update', 'Andy', '--cli-scope', 'global'],
    ['mounts', 'add', 'Andy', '/'],
    ['audit', 'list'],
  ];
  for (const argv of words) {
    const said = await as({ scope: 'global' }, ...argv);
    assert.equal(said.refused, 'NC_FORBIDDEN', argv.join(' '));
  }
  const owner = { command: 'roles grant', args: { user: 'telegram:42', role: 'owner' } };
  const { agentGroupId, sessionId, speakers } = caller;
  assert.ok(!allow({ ...owner, agentGroupId, sessionId, speakers: [...speakers] }).ok);
});

test('what an agent does at once it does with its own alone, whoever it speaks for; it may look at the others', async () => {
  await using world = createWorld();
  const { as, foreign } = setStage(world);
  const [chat, at] = [foreign.chat, new Date(now).toISOString()];
  world.query(
    `INSERT INTO tasks (id, agent_group_id, messaging_group_id, name, prompt, schedule, recurs, timezone, catch_up, status,
       created_by, created_at, updated_at)
     VALUES ('task-theirs', ?, ?, 'Theirs', 'x', '0 9 * * *', 1, 'UTC', 'once', 'paused', 'terminal:owner', ?, ?)`,
    ...[foreign.agent, chat, at, at],
  );
  const global = { scope: 'global' } as const;
  assert.equal((await as(global, 'tasks', 'get', 'Theirs')).exit, 0);
  world.query("UPDATE tasks SET status = 'done', next_at = NULL WHERE id = 'task-theirs'");
  assert.equal((await as(global, 'tasks', 'get', 'theirs')).exit, 0, 'it has ended');
  world.query(`INSERT INTO tasks SELECT 'task-newer', agent_group_id, messaging_group_id, thread_id, name, prompt, script, schedule,
    recurs, timezone, catch_up, 'cancelled', reason, next_at, failures, created_by, created_at, updated_at FROM tasks`);
  assert.match((await as(global, 'tasks', 'get', 'Theirs')).out, /task-newer/);
  world.query("UPDATE tasks SET status = 'paused' WHERE id = 'task-theirs'");
  assert.match((await as(global, 'tasks', 'get', 'Theirs')).out, /task-theirs/);
  for (const words of ['update --script=x', 'cancel', 'pause', 'resume', 'run-now']) {
    const [word = '', ...flags] = words.split(' ');
    for (const task of ['task-theirs', 'Theirs']) {
      const said = await as(global, 'tasks', word, `--task=${task}`, ...flags);
      assert.deepEqual([said.exit === 0, said.refused], [false, 'NC_NOT_FOUND'], `${word} ${task}: ${said.err}`);
    }
  }
});

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, before, describe, test } from 'node:test';
import { CODE, startHost, type TestHost } from '../support/host-process.ts';
import { type NclRun, runNcl } from '../support/ncl.ts';
import { until } from '../support/until.ts';

/** `ncl` on a real host: what is listed, made, changed and removed, and what is refused. */

let host: TestHost;

before(async () => {
  host = await startHost();
});
after(() => host[Symbol.asyncDispose]());

const ncl = (...args: string[]): Promise<NclRun> => runNcl(host.home, args);

async function ok(...args: string[]): Promise<string> {
  const { status, stdout, stderr } = await ncl(...args);
  assert.deepEqual([status, stderr], [0, ''], `ncl ${args.join(' ')}`);
  return stdout;
}

async function json(...args: string[]): Promise<Record<string, unknown>> {
  return JSON.parse(await ok(...args, '--json'));
}

async function rows(...args: string[]): Promise<Record<string, unknown>[]> {
  return JSON.parse(await ok(...args, '--json'));
}

function query(sql: string): Record<string, unknown>[] {
  const db = new DatabaseSync(join(host.home, 'data/v2.db'), { readOnly: true });
  try {
    return db.prepare(sql).all();
  } finally {
    db.close();
  }
}

test('agents, chats, wirings, people and destinations are made, listed, changed and removed', async () => {
  const { id: agent, folder } = await json('groups', 'create', 'The "Family" 🦀', '--timezone', 'Asia/Tokyo');
  assert.equal(folder, 'the-family');
  assert.ok(existsSync(join(host.home, 'groups/the-family/CLAUDE.local.md')));
  const { id: chat } = await json(
    'messaging-groups',
    'create',
    'telegram',
    '-100',
    '--is-group',
    '--name',
    'The Smiths',
  );
  await ok('users', 'create', 'telegram:7', '--name', 'Ann 日本');
  await ok('users', 'create', '--id', 'telegram:8');

  // By names, by the beginning of an id, as options, by what the database calls them.
  const { id: wiring, destination } = await json('wirings', 'create', 'The Smiths', 'the-family');
  assert.equal(destination, 'the-smiths');
  await ok(
    'wirings',
    'update',
    String(wiring).slice(0, -2),
    '--session-mode',
    'per-thread',
    '--priority',
    '-5',
    '--exclusive',
    'yes',
  );
  await ok('members', 'add', '--user', 'Ann 日本', '--group', String(agent));
  await ok('roles', 'grant', '--user-id=telegram:8', '--role=admin', '--agent-group-id=the-family');
  await ok('destinations', 'add', '--agent-group-id', 'Andy', '--local-name', 'fam', '--target-id', String(agent));
  await ok('messaging-groups', 'update', String(chat), '--unknown-sender-policy', 'request_approval');
  await ok('groups', 'config', 'update', 'the-family', '--cli-scope', 'disabled', '--max-messages-per-prompt', '5');
  await ok('users', 'deny', 'telegram:7', 'Andy');

  const [wired] = await rows('wirings', 'list', '--group', 'the-family');
  assert.deepEqual(
    [wired?.sessionMode, wired?.engageMode, wired?.priority, wired?.exclusive, wired?.chat],
    ['per-thread', 'mention', -5, true, 'The Smiths'],
  );
  const { agents, isGroup, unknownSenderPolicy } = await json('messaging-groups', 'get', 'telegram/-100');
  assert.deepEqual([agents, isGroup, unknownSenderPolicy], [['The "Family" 🦀'], true, 'request_approval']);
  const { cliScope, timezone, maxMessagesPerPrompt } = await json('groups', 'config', 'get', String(agent));
  assert.deepEqual([cliScope, timezone, maxMessagesPerPrompt], ['disabled', 'Asia/Tokyo', 5]);
  assert.deepEqual((await json('users', 'get', 'telegram:8')).roles, ['admin of The "Family" 🦀']);
  assert.deepEqual(
    (await rows('members', 'list', '--user', 'telegram:7')).map((row) => row.agentGroupId),
    [agent],
  );
  assert.deepEqual(
    (await rows('destinations', 'list', '--target', 'the-family')).map((row) => row.name),
    ['fam'],
  );
  assert.deepEqual(
    (await rows('users', 'denials', 'list')).map((row) => row.userId),
    ['telegram:7'],
  );
  assert.deepEqual(
    (await rows('roles', 'list', '--group', 'the-family')).map((row) => row.grantedBy),
    ['terminal:owner'],
  );

  await ok('users', 'undeny', 'telegram:7', 'Andy');
  await ok('members', 'remove', 'telegram:7', 'the-family');
  await ok('roles', 'revoke', 'telegram:8', 'admin', '--group', 'the-family');
  await ok('destinations', 'remove', 'Andy', 'FAM');
  const refused = await ncl('wirings', 'delete', String(wiring));
  assert.deepEqual([refused.status, refused.stdout], [1, '']);
  assert.match(refused.stderr, /^More would go with it\. 1 destination\. With --yes/);
  assert.match(await ok('wirings', 'delete', String(wiring), '--yes'), /with 1 destination/);
  assert.match(await ok('messaging-groups', 'delete', 'The Smiths'), /^The chat is removed\.\n$/);
  await ok('users', 'delete', 'telegram:7');
  await ok('users', 'delete', 'telegram:8');
  assert.match(await ok('groups', 'delete', 'the-family', '--yes'), /^The agent is removed, with 1 file\.\n$/);
  assert.equal(existsSync(join(host.home, 'groups/the-family')), false);
  assert.deepEqual(query('PRAGMA foreign_key_check'), []);
  const done = query("SELECT action FROM audit_log WHERE actor = 'terminal:owner' ORDER BY seq").map(
    (row) => row.action,
  );
  assert.deepEqual(done, [
    'group.created',
    'chat.created',
    'user.created',
    'user.created',
    'wiring.created',
    'wiring.updated',
    'member.added',
    'role.granted',
    'destination.added',
    'chat.updated',
    'group.updated',
    'sender.denied',
    'sender.undenied',
    'member.removed',
    'role.revoked',
    'destination.removed',
    'wiring.deleted',
    'chat.deleted',
    'user.deleted',
    'user.deleted',
    'group.deleted',
  ]);
});

test('each list and each single view has something to show, for people and as JSON', async () => {
  const terminal = await host.terminal();
  await terminal.ask('ping');
  const [session] = await rows('sessions', 'list');
  const [wiring] = await rows('wirings', 'list');
  const [chat] = await rows('messaging-groups', 'list');
  for (const words of [
    ['groups', 'list'],
    ['messaging-groups', 'list'],
    ['wirings', 'list'],
    ['users', 'list'],
    ['roles', 'list'],
    ['members', 'list'],
    ['destinations', 'list'],
    ['sessions', 'list'],
    ['user-dms', 'list'],
    ['dropped-messages', 'list'],
    ['approvals', 'list'],
    ['users', 'denials', 'list'],
  ]) {
    assert.ok((await ok(...words)).length > 10, words.join(' '));
    const { stdout, stderr } = await ncl(...words, '--json', '--limit', '1');
    assert.ok(Array.isArray(JSON.parse(stdout)), words.join(' '));
    assert.match(stderr, /^(… and \d+ more: --limit \d+ shows all\.\n)?$/);
  }
  for (const words of [
    ['groups', 'get', 'Andy'],
    ['messaging-groups', 'get', String(chat?.id)],
    ['wirings', 'get', String(wiring?.id)],
    ['users', 'get', 'Owner'],
    ['sessions', 'get', String(session?.id)],
  ]) {
    assert.match(await ok(...words), /^id +\S/, words.join(' '));
    assert.ok(JSON.parse(await ok(...words, '--json')).id, words.join(' '));
  }
});

describe('what makes no sense is refused in a sentence, and changes nothing', () => {
  const long = 'x'.repeat(10_000);
  const lines: [args: string[], status: number, sentence: RegExp][] = [
    [['groups', 'create', 'a\nb'], 2, /no line breaks/],
    [['groups', 'create', 'a\u202eb'], 2, /no line breaks/],
    [['groups', 'create', long], 2, /characters/],
    [['groups', 'create', ''], 2, /characters/],
    [['groups', 'create', 'x', '--folder', '../../etc'], 2, /folder below groups/],
    [['groups', 'create', 'x', '--folder', 'ANDY'], 1, /differs by case/],
    [['groups', 'create', 'aNDY'], 1, /Another agent is called/],
    [['groups', 'create', 'x', '--provider', '../x'], 1, /no provider/],
    [['groups', 'create', 'x', '--timezone', 'Mars/Base'], 2, /no time zone/],
    [['groups', 'update', 'Andy'], 2, /--name is missing/],
    [['groups', 'update', 'Andy', '--name', long], 2, /characters/],
    [['groups', 'delete', 'nobody', '--yes'], 1, /no agent "nobody"/],
    [['groups', 'config', 'update', 'Andy'], 2, /nothing to change/],
    [['groups', 'config', 'update', 'Andy', '--max-messages-per-prompt', 'many'], 2, /1 to 100/],
    [['groups', 'config', 'update', 'Andy', '--egress-allow', 'a b'], 2, /no rule/],
    [
      ['groups', 'config', 'add-mcp-server', 'Andy', '--name', 'x', '--command', 'y', '--args', '{"a":'],
      2,
      /JSON list/,
    ],
    [['groups', 'config', 'add-mcp-server', 'Andy', '--name', 'x', '--command', 'y', '--env', '[]'], 2, /JSON object/],
    [['groups', 'config', 'add-mcp-server', 'Andy', '--name', '../x', '--command', 'y'], 2, /A server has a name/],
    [['groups', 'config', 'add-mcp-server', 'Andy', '--command', 'y'], 2, /--name is missing/],
    [['groups', 'config', 'remove-mcp-server', 'Andy', '--name', 'x'], 1, /no server "x"/],
    [['messaging-groups', 'create', 'Tele gram', '1'], 2, /channel's name/],
    [['messaging-groups', 'create', 'telegram', 'a b'], 2, /platform's id/],
    [['messaging-groups', 'create', 'terminal', 'local'], 1, /It is mg-/],
    [['messaging-groups', 'update', 'Terminal', '--name', 'a\u0007b'], 2, /no line breaks/],
    [['wirings', 'create', 'Terminal', 'Andy'], 1, /listens in that chat already: mga-/],
    [['wirings', 'update', 'mga', '--engage-pattern', '('], 2, /no regular expression/],
    [['wirings', 'update', 'mga', '--engage-pattern', '(a+)+$'], 2, /takes too long/],
    [['wirings', 'update', 'mga', '--engage-pattern', ''], 2, /not empty/],
    [['wirings', 'update', 'mga', '--engage-mode', 'always'], 2, /--engage-mode is one of/],
    [['wirings', 'update', 'mga', '--priority', '1e9'], 2, /whole number/],
    [['users', 'create', 'ann'], 2, /<channel>:<handle>/],
    [['users', 'create', 'terminal:owner'], 1, /known already/],
    [['users', 'delete', 'terminal:owner', '--yes'], 1, /this machine's terminal/],
    [['roles', 'grant', 'telegram:nobody', 'admin'], 1, /no user "telegram:nobody"/],
    [['roles', 'grant', 'terminal:owner', 'king'], 2, /owner or admin/],
    [['roles', 'grant', 'terminal:owner', 'owner', '--group', 'Andy'], 2, /owns everything/],
    [['roles', 'grant', 'terminal:owner', 'admin', '--group', 'nobody'], 1, /no agent "nobody"/],
    [['roles', 'revoke', 'terminal:owner', 'owner'], 1, /only owner/],
    [['members', 'add', "' OR 1=1 --", 'Andy'], 1, /no user/],
    [['members', 'add', 'terminal:owner', 'Andy', '--user', 'terminal:owner'], 2, /too much/],
    [['destinations', 'add', 'Andy', 'a b', 'Terminal'], 2, /A destination has/],
    [['destinations', 'add', 'Andy', 'TERMINAL', 'Terminal'], 1, /destination "TERMINAL" already/],
    [['destinations', 'add', 'Andy', 'me', 'Andy'], 2, /no destination of its own/],
    [['destinations', 'remove', 'Andy', 'nowhere'], 1, /no destination "nowhere"/],
    [['sessions', 'get', ''], 1, /no session ""/],
    [['sessions', 'stop', 'nope'], 1, /no session "nope"/],
    [['sessions', 'list', '--limit', '0'], 2, /--limit is a whole number from 1/],
    [['approvals', 'approve', 'appr-nope'], 1, /no approval/],
    [['users', 'undeny', 'terminal:owner', 'Andy'], 1, /no refused user "terminal:owner"/],
    [['users', 'list', '--is-group', 'yes'], 2, /no option --is-group/],
  ];
  for (const [args, expected, sentence] of lines) {
    test(`ncl ${args.map((word) => JSON.stringify(word.slice(0, 30))).join(' ')}`, async () => {
      const state = () =>
        JSON.stringify([query('SELECT * FROM agent_groups'), query('SELECT max(seq) FROM audit_log')]);
      const before = state();
      const { status, stdout, stderr } = await ncl(...args);
      assert.match(stderr, sentence);
      assert.deepEqual([status, stdout, stderr.trimEnd().split('\n').length], [expected, '', 1], stderr);
      assert.ok(stderr.length < 500, `${stderr.length}`);
      assert.equal(state(), before);
    });
  }
});

test('an agent whose sandbox works is removed while it works: it ends, its chat is told, nothing of it is left', async () => {
  await using other = await startHost();
  const terminal = await other.terminal();
  const waiting = terminal.send('run sleep 30');
  await until(() => /"tool-start"|sandbox started/.test(other.log()));
  const [agent] = readdirSync(join(other.home, 'data/v2-sessions'));
  assert.ok(agent);
  const [session = ''] = readdirSync(join(other.home, 'data/v2-sessions', agent));
  const { status, stdout, stderr } = await runNcl(other.home, ['groups', 'delete', 'Andy', '--yes']);
  assert.deepEqual([status, stderr], [0, '']);
  assert.match(
    stdout,
    /^The agent is removed, with 1 session, \d+ messages?, 1 wiring, 1 destination, \d+ files?\.\n$/,
  );
  await until(() => terminal.outcome(waiting) === 'stopped');
  assert.match(terminal.said().at(-1) ?? '', /I was removed from here/);
  for (const folder of ['data/v2-sessions', 'groups', 'data/run', 'logs/sessions']) {
    const left: string[] = readdirSync(join(other.home, folder)).filter(
      (name) => name.includes(session) || name === agent || name === 'andy',
    );
    assert.deepEqual(left, [], folder);
  }
  await until(() => other.log().includes('sandbox ended'));
  terminal.send('hello?');
  await until(() => /no agent listens[\s\S]*hello\?/.test(terminal.said().at(-1) ?? ''));
  assert.doesNotMatch(other.log(), /"level":"error"/);
});

test('a session begins anew, is stopped, and comes back with what it is told', async () => {
  const terminal = await host.terminal();
  await terminal.ask('ping');
  const [first] = await rows('sessions', 'list', '--state', 'warm');
  assert.ok(first);
  assert.match(await ok('sessions', 'reset', String(first.id)), /^It is closed\.\n$/);
  assert.equal(existsSync(join(host.home, 'data/v2-sessions', String(first.agentGroupId), String(first.id))), false);
  await terminal.ask('ping');
  const [second] = await rows('sessions', 'list', '--state', 'warm');
  assert.ok(second && second.id !== first.id);
  await ok('sessions', 'stop', String(second.id));
  assert.deepEqual(await rows('sessions', 'list', '--state', 'warm'), []);
  assert.equal((await ncl('sessions', 'stop', String(second.id))).status, 1);
  assert.deepEqual(
    (await rows('sessions', 'list', '--status', 'closed')).map(({ id }) => id),
    [first.id],
  );

  await terminal.ask('ping');
  const args = ['groups', 'restart', 'Andy', '--rebuild', '--message', 'count again'];
  assert.match(await ok(...args), /^Restarted: 1 sandbox\.\nThere is no image/);
  // Read by the next one, at once: the demo has nothing to say to it.
  const read = "SELECT 1 FROM messages WHERE content LIKE '%count again%' AND status = 'completed'";
  await until(() => query(read).length === 1);
  assert.equal((await rows('sessions', 'list', '--state', 'warm')).length, 1);
});

test('somebody at a terminal is asked, and may say no', async () => {
  await ok('messaging-groups', 'create', 'telegram', 'c1', '--name', 'Asked');
  await ok('wirings', 'create', 'Asked', 'Andy');
  const answer = async (word: string) => {
    const env = { PATH: process.env.PATH, HOME: host.home, NANOCLAW_HOME: host.home };
    const command = `'${join(CODE, 'bin/ncl')}' messaging-groups delete Asked`;
    const child = spawn('script', ['-qec', command, '/dev/null'], { env, stdio: ['pipe', 'pipe', 'inherit'] });
    let seen = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      seen += text;
    });
    await until(() => seen.includes('[y/N]'));
    child.stdin.write(`${word}\r`);
    await once(child, 'close');
    return { seen, status: child.exitCode };
  };
  const no = await answer('');
  assert.match(no.seen, /1 wiring, 1 destination/);
  assert.equal(no.status, 1);
  assert.ok(await json('messaging-groups', 'get', 'Asked'));
  const yes = await answer('y');
  assert.deepEqual([yes.status, /is removed, with 1 wiring/.test(yes.seen)], [0, true], yes.seen);
});

test('help of each command comes from its definition, and names each of its options', async () => {
  const page = readFileSync(join(CODE, 'docs/ncl.md'), 'utf8');
  for (const words of [
    'groups',
    'messaging-groups',
    'wirings',
    'users',
    'roles',
    'members',
    'destinations',
    'sessions',
    'user-dms',
    'dropped-messages',
    'approvals',
    'mounts',
  ]) {
    const help = await ok('help', words);
    const names = [...help.matchAll(/^ncl (\S+(?: [a-z-]+)*)/gm)].map(([, name = '']) => name);
    assert.ok(names.includes(`${words} list`), words);
    for (const name of names) assert.ok(page.includes(`## \`ncl ${name}`), name);
  }
});

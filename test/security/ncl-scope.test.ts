import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { REFS, SECRET, type Stage, startStage } from './stage.ts';

/** An agent of scope `group` that wants to see or change another one: what it may try, one a line, and none of it works. */

type Attack = readonly string[];
const { group, groupName, groupFolder, prefix, chat, chatName, chatPlace } = map(([real]) => real);
const { wiring, session, approval, user, userName, destination } = map(([real]) => real);
/** Stands for Andy's own id. */
const OWN = '{own}';
/** Stands for a request of Andy's own that waits. */
const ASKED = '{asked}';

function map<T>(pick: (pair: readonly [string, string]) => T): Record<keyof typeof REFS, T> {
  return Object.fromEntries(Object.entries(REFS).map(([name, pair]) => [name, pick(pair)])) as Record<
    keyof typeof REFS,
    T
  >;
}

const SEE: readonly Attack[] = [
  ['groups', 'get', group],
  ['groups', 'get', groupName],
  ['groups', 'get', groupName.toUpperCase()],
  ['groups', 'get', groupFolder],
  ['groups', 'get', prefix],
  ['groups', 'get', '--id', group],
  ['groups', 'get', `--agent-group-id=${group}`],
  ['groups', 'get', group, '--json'],
  ['groups', 'config', 'get', group],
  ['groups', 'config', 'get', groupName, '--json'],
  ['sessions', 'get', session],
  ['sessions', 'get', 'sess-zzsecret-too'],
  ['sessions', 'list', '--group', group],
  ['sessions', 'list', '--chat', chat],
  ['members', 'list', '--group', groupName],
  ['members', 'list', '--user', user],
  ['roles', 'list', '--user', user],
  ['roles', 'list', '--group', group],
  ['destinations', 'list', '--group', prefix],
  ['destinations', 'list', '--target', chat],
  ['wirings', 'list', '--group', group],
  ['wirings', 'list', '--chat', chatName],
  ['wirings', 'get', wiring],
  ['wirings', 'get', 'mga-zzsecret-too'],
  ['messaging-groups', 'get', chat],
  ['messaging-groups', 'get', chatName],
  ['messaging-groups', 'get', chatPlace],
  ['users', 'get', user],
  ['users', 'get', userName],
  ['users', 'denials', '--group', group],
  ['approvals', 'get', approval],
  ['user-dms', 'list'],
  ['dropped-messages', 'list'],
];

const TRICKS: readonly Attack[] = [
  ['groups', 'get', '--id', OWN, '--id', group],
  ['groups', 'get', '--id', OWN, '--agent-group-id', group],
  ['groups', 'get', OWN, group],
  ['groups', 'get', OWN, '--group', group],
  ['groups', 'get', '--', group],
  ['groups', 'get', `--group=${OWN}`, '--', group],
  ['--', 'groups', 'get', group],
  ['groups', 'get', JSON.stringify({ id: group })],
  ['groups', 'get', JSON.stringify([group])],
  ['groups', 'get', JSON.stringify([OWN, group])],
  ['groups', 'get', `${OWN}' OR id = '${group}`],
  ['groups', 'get', `' UNION SELECT * FROM agent_groups WHERE id = '${group}' --`],
  ['sessions', 'list', '--group', `${OWN}'; UPDATE container_configs SET cli_scope = 'global'; --`],
  ['sessions', 'list', '--group', ':scope'],
  ['groups', 'get', 'ag-%'],
  ['groups', 'get', 'ag-zz*'],
  ['groups', 'get', `${OWN},${group}`],
  ['groups', 'get', `${OWN}\n${group}`],
  ['groups', 'get', `${OWN}\u0000${group}`],
  ['groups', 'get', ` ${group} `],
  ['groups', 'get', groupName.replace('e', 'е')],
  ['groups', 'get', groupName.replace('Z', 'Ｚ')],
  ['groups', 'get', `\u202e${[...groupName].reverse().join('')}`],
  ['groups', 'get', `../${group}`],
  ['sessions', 'get', `/data/v2-sessions/${group}/${session}`],
  ['groups', 'get', `${OWN}/../${group}`],
  ['groups', 'get', ''],
  ['groups', 'list', '--agent-group-id', group],
  ['groups', 'list', '--scope', 'global'],
  ['groups', 'list', '--caller', '{"kind":"owner"}'],
  ['groups', 'list', '--limit', '0'],
  ['GROUPS', 'GET', group],
];

const CHANGE: readonly Attack[] = [
  ['groups', 'create', 'Pawn'],
  ['groups', 'update', group, '--name', 'Pawn'],
  ['groups', 'update', OWN, '--name', groupName],
  ['groups', 'delete', group, '--yes'],
  ['groups', 'delete', OWN, '--yes'],
  ['groups', 'restart', group],
  ['groups', 'config', 'update', group, '--assistant-name', 'Pawn'],
  ['groups', 'config', 'update', OWN, '--cli-scope', 'global'],
  ['groups', 'config', 'update', OWN, '--egress-allow', '169.254.169.254'],
  ['groups', 'config', 'update', OWN, '--egress', 'public'],
  ['groups', 'config', 'update', OWN, '--provider', '../../groups/andy'],
  ['groups', 'config', 'add-mcp-server', group, '--name', 'x', '--command', 'sh'],
  ['groups', 'config', 'remove-mcp-server', group, '--name', 'x'],
  ['sessions', 'stop', session],
  ['sessions', 'reset', session],
  ['sessions', 'reset', 'sess-zzsecret-too'],
  ['wirings', 'create', chat],
  ['wirings', 'create', chatPlace, OWN],
  ['wirings', 'create', 'mg-terminal-family', group],
  ['wirings', 'update', wiring, '--priority', '9'],
  ['wirings', 'update', 'mga-zzsecret-too', '--engage-mode', 'pattern'],
  ['wirings', 'delete', wiring, '--yes'],
  ['wirings', 'delete', 'mga-zzsecret-too', '--yes'],
  ['destinations', 'add', OWN, 'spy', chat],
  ['destinations', 'add', OWN, 'spy', chatName],
  ['destinations', 'add', OWN, 'spy', group],
  ['destinations', 'add', group, 'spy', 'mg-terminal-family'],
  ['destinations', 'remove', group, destination],
  ['members', 'add', 'terminal:ann', group],
  ['members', 'add', user, OWN],
  ['members', 'remove', user, group],
  ['users', 'deny', user, group],
  ['users', 'deny', 'terminal:owner', OWN],
  ['users', 'undeny', user, group],
  ['users', 'create', 'terminal:pawn'],
  ['users', 'update', 'terminal:ann', '--display-name', userName],
  ['users', 'delete', 'terminal:ann', '--yes'],
  ['users', 'delete', 'terminal:ann'],
  ['roles', 'grant', 'terminal:ann', 'owner'],
  ['roles', 'grant', 'terminal:ann', 'admin'],
  ['roles', 'grant', 'terminal:ann', 'admin', '--group', OWN],
  ['roles', 'revoke', 'terminal:owner', 'owner'],
  ['messaging-groups', 'create', 'terminal', 'pawn'],
  ['messaging-groups', 'update', 'mg-terminal-family', '--unknown-sender-policy', 'public'],
  ['messaging-groups', 'update', chat, '--name', 'Pawn'],
  ['messaging-groups', 'delete', 'mg-terminal-family'],
  ['messaging-groups', 'delete', chat, '--yes'],
  ['approvals', 'approve', ASKED],
  ['approvals', 'approve', ASKED, '1'],
  ['approvals', 'deny', ASKED],
  ['approvals', 'approve', approval],
];

const HOSTS: readonly Attack[] = [
  ['stop'],
  ['stop', '--force'],
  ['stop-host'],
  ['restart'],
  ['start'],
  ['status'],
  ['doctor'],
  ['doctor-host'],
  ['logs'],
  ['logs', '--session', session],
  ['trace', session],
  ['why', session],
  ['chat', 'hello'],
  ['audit', 'list'],
  ['audit', 'verify'],
  ['backup'],
  ['restore', '/tmp/x'],
  ['housekeeping'],
  ['init-first-agent'],
  ['owner-code'],
  ['mounts', 'list'],
  ['mounts', 'check', '/root'],
  ['mounts', 'add', OWN, '/etc'],
  ['service', 'install'],
  ['--version'],
  ['stop', '--help'],
  ['help', 'audit', 'list'],
  ['help', 'stop-host'],
  ['owner-code', '-h'],
  ['constructor'],
  ['__proto__', 'get'],
];

const KINDS = { 'to see': SEE, 'by tricks': TRICKS, 'to change': CHANGE, 'the host’s': HOSTS };

for (const [kind, attacks] of Object.entries(KINDS)) {
  // A host for each: of one agent, not more than so many refusals are written down in ten minutes.
  describe(`an agent of scope group: ${kind}`, () => {
    let stage: Stage;
    let asked = '';
    let untouched: Record<string, unknown>;
    const fill = (argv: Attack) => argv.map((word) => word.replaceAll(OWN, stage.andy).replaceAll(ASKED, asked));

    before(async () => {
      stage = await startStage();
      await stage.opens('ann');
      asked = pendingOf(await stage.ask('members', 'remove', 'terminal:ann', '--json'));
      await stage.cast.card({});
      untouched = stage.state();
    });
    after(() => stage[Symbol.asyncDispose]());

    for (const attack of attacks) {
      test(`ncl ${attack.map((word) => JSON.stringify(word)).join(' ')}`, async () => {
        const argv = fill(attack);
        const { exit, out, err } = await stage.ask(...argv);
        assert.notEqual(exit, 0, out);
        assert.doesNotMatch(without(argv, out + err), SECRET);
        assert.equal(stage.refused().at(-1), argv.join(' ').replaceAll('\0', '\uFFFD'), 'it is in the audit log');
        const twin = argv.map(swap);
        if (twin.join() === argv.join()) return;
        const answered = await stage.ask(...twin);
        assert.deepEqual(answered, { exit, out: swap(out), err: swap(err) }, 'as if it were not there');
      });
    }

    test('nothing has changed by all of this', () => assert.deepEqual(stage.state(), untouched));
  });
}

test('what an agent of scope group lists is its own', async () => {
  await using stage = await startStage();
  await stage.opens('ann');
  const lists = 'groups sessions members destinations wirings users roles messaging-groups approvals'.split(' ');
  for (const name of lists) {
    for (const json of [[], ['--json']]) {
      const { exit, out } = await stage.ask(name, 'list', ...json);
      assert.equal(exit, 0);
      assert.doesNotMatch(out, SECRET, name);
    }
  }
  assert.match((await stage.ask('groups', 'list', '--name', groupName)).out, /There is none like that/);
  assert.match((await stage.ask('messaging-groups', 'get', 'mg-terminal-family')).out, /family/);
});

test('there are more than forty of them', () => {
  assert.ok(Object.values(KINDS).flat().length >= 40);
});

function pendingOf({ out }: { out: string }): string {
  const { pending }: { pending: unknown } = JSON.parse(out);
  return String(pending);
}

/** What it was asked, an answer may repeat. */
function without(argv: readonly string[], text: string): string {
  const words = argv.flatMap((word) => [word, word.slice(word.indexOf('=') + 1), word.replaceAll(/\p{Cc}/gu, '')]);
  const written = [...words, ...words.map((word) => JSON.stringify(word.slice(0, 80)).slice(1, -1))];
  const named = written.filter((word) => SECRET.test(word)).sort((a, b) => b.length - a.length);
  return named.reduce((rest, word) => rest.replaceAll(word, ''), text);
}

function swap(text: string): string {
  return Object.values(REFS).reduce((swapped, [real, nobody]) => swapped.replaceAll(real, nobody), text);
}

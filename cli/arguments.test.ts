import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { checkArguments, readInvocation } from './arguments.ts';
import { type Command, changeCommand } from './definition.ts';

const command = changeCommand({
  name: 'things add',
  summary: 'Add one',
  positionals: [
    { name: 'user', description: 'who', required: true, ref: 'user', also: ['user-id'] },
    { name: 'group', description: 'where', required: true, ref: 'group' },
  ],
  flags: [
    { name: 'level', value: 'number', description: 'how much' },
    { name: 'kind', value: 'kind', choices: ['a', 'b'], required: true, description: 'which' },
    { name: 'effort', value: 'level', choices: ['low', 'default'], description: 'how hard' },
    { name: 'yes', description: 'really' },
  ],
  handle: () => ({ ok: true, data: null }),
  show: () => '',
});
const commands: readonly Command[] = [command];
const read = (...argv: string[]) => {
  const { ok, ...result } = readInvocation(commands, argv);
  return ok && 'value' in result ? result.value.args : 'sentence' in result ? result.sentence : undefined;
};

describe('what is placed may be an option as well', () => {
  const all = { user: 'u', group: 'g', kind: 'a' };
  const lines: [argv: string, args: unknown][] = [
    ['things add u g --kind a', all],
    ['things add --kind=a --group g u', all],
    ['things add g --user-id u --kind a', all],
    ['things add --user u --group g --kind a', all],
    ['things add -5 g --kind a --level -7', { ...all, user: '-5', level: '-7' }],
    ['things add u g --kind a --level -', { ...all, level: '-' }],
    ['things add u g --kind a --level=-', { ...all, level: '-' }],
    ['things add u g --kind a --level --yes', '--level needs a value: --level <number>.'],
    ['things add -- -x g', '--kind is missing.'],
    ['things add u g --user u --kind a', '"g" is too much.'],
    ['things add u g --user-id=a --user b --kind a', '--user is given twice.'],
    ['things add u g --kind a --kind b', '--kind is given twice.'],
    ['things add u --kind a', '<group> is missing.'],
    ['things add u g', '--kind is missing.'],
    ['things add u g --kind c', '--kind is one of a, b.'],
    ['things add u g --kind=', '--kind is one of a, b.'],
    ['things add u g --kind a --effort=', { ...all, effort: '' }],
    ['things add u g --kind a --effort=high', '--effort is one of low, default.'],
    ['things add u g --kind a --yes=no', '--yes takes no value.'],
    ['things add u g --kind', '--kind needs a value: --kind <kind>.'],
    ['things add u g --kind a --user', '--user needs a value: --user <user>.'],
  ];
  for (const [line, expected] of lines) {
    test(line, () => assert.deepEqual(read(...line.split(' ')), expected));
  }
});

test('what an agent leaves out is its own, where the command would take it', () => {
  const own = { group: 'ag-1' };
  const invocation = readInvocation(commands, ['things', 'add', 'u', '--kind', 'a'], own);
  assert.ok(invocation.ok);
  assert.deepEqual(invocation.value.args, { user: 'u', group: 'ag-1', kind: 'a' });
  assert.deepEqual(checkArguments(command, { user: 'u', group: 'other', kind: 'a' }, own), {
    ok: true,
    value: { user: 'u', group: 'other', kind: 'a' },
  });
});

test('what comes over a socket is held to the same', () => {
  for (const args of [{ user: true }, { bogus: 'x' }, { user: 'u', group: 'g', kind: 'c' }, { yes: 'x' }] as const) {
    assert.equal(checkArguments(command, args).ok, false, JSON.stringify(args));
  }
});

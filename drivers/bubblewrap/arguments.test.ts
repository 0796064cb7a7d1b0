import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SandboxSpec } from '../../src/sandbox/driver.ts';
import { parseHardLimits } from '../hard-limits.ts';
import { refuseSpec } from '../spec.ts';
import { innerArguments, insideCommand, stagingArguments } from './arguments.ts';
import type { HostLayout } from './layout.ts';

const layout: HostLayout = {
  topFolders: [
    { path: '/bin', link: 'usr/bin' },
    { path: '/lib', link: null },
  ],
  etc: ['/etc/ssl/certs'],
  generated: [{ source: '/state/etc/passwd', target: '/etc/passwd' }],
  masked: ['/proc/keys'],
  hasUsrLocal: true,
};
const spec: SandboxSpec = {
  sessionId: 's1',
  uid: 20_001,
  command: ['/app/run'],
  env: { A: 'b' },
  mounts: [
    { source: '/data/in', target: '/workspace/inbound', mode: 'ro' },
    { source: '/data/box', target: '/workspace', mode: 'rw' },
  ],
  limits: { memoryBytes: 1024 ** 3, cpus: 1, pids: 64, fileSizeBytes: 1000 },
  logFile: '/tmp/log',
};
const holds = (args: readonly string[], ...words: string[]): number =>
  ` ${args.join(' ')} `.indexOf(` ${words.join(' ')} `);

test('the inner stage is its own user, has no capability and no nested namespace', () => {
  const args = innerArguments(spec, layout, { locate: (source) => source, seccomp: true, staged: false });
  for (const words of [
    ['--unshare-user'],
    ['--unshare-net'],
    ['--unshare-pid'],
    ['--disable-userns'],
    ['--uid', '1000'],
    ['--cap-drop', 'ALL'],
    ['--clearenv'],
    ['--die-with-parent'],
    ['--new-session'],
    ['--seccomp', '4'],
    ['--ro-bind', '/dev/null', '/proc/keys'],
    ['--setenv', 'A', 'b'],
    ['--chdir', '/'],
  ]) {
    assert.ok(holds(args, ...words) >= 0, words.join(' '));
  }
  assert.deepEqual(args.slice(-2), ['--remount-ro', '/']);
});

test('parents are mounted before what is nested in them', () => {
  const args = innerArguments(spec, layout, { locate: (source) => source, seccomp: true, staged: false });
  const parent = holds(args, '--bind', '/data/box', '/workspace');
  const nested = holds(args, '--ro-bind', '/data/in', '/workspace/inbound');
  assert.ok(parent >= 0 && parent < nested);
});

test('on a machine without /usr/local nothing is mounted there', () => {
  const ncl = { source: '/code/ncl', target: '/usr/local/bin/ncl', mode: 'ro' as const };
  const options = { locate: (source: string) => source, seccomp: true, staged: false };
  const argsWith = (hasUsrLocal: boolean) =>
    innerArguments({ ...spec, mounts: [...spec.mounts, ncl] }, { ...layout, hasUsrLocal }, options);
  assert.ok(holds(argsWith(true), '--ro-bind', ncl.source, ncl.target) >= 0);
  assert.equal(argsWith(false).includes(ncl.target), false);
});

test('without a filter for the processor there is no --seccomp', () => {
  assert.equal(
    innerArguments(spec, layout, { locate: (source) => source, seccomp: false, staged: false }).includes('--seccomp'),
    false,
  );
});

test('the first stage gives each source a place, read-only ones read-only, and keeps only what the change of user and its /proc need', () => {
  const { args, locate } = stagingArguments(spec, layout, '/opt/bwrap');
  assert.ok(holds(args, '--ro-bind', '/data/in', locate('/data/in', 'ro')) >= 0);
  assert.ok(holds(args, '--bind', '/data/box', locate('/data/box', 'rw')) >= 0);
  assert.ok(holds(args, '--ro-bind', '/opt/bwrap', '/opt/bwrap') >= 0);
  assert.equal(args.includes('--unshare-user'), false);
  assert.deepEqual(
    args.filter((word) => word.startsWith('CAP_')),
    ['CAP_SETUID', 'CAP_SETGID', 'CAP_SETPCAP', 'CAP_SYS_ADMIN'],
  );
});

test('a spec that could smuggle an argument is refused', () => {
  const refused: [string, Partial<SandboxSpec>][] = [
    ['session id', { sessionId: '../x' }],
    ['absolute path', { command: ['run'] }],
    ['NUL', { env: { A: 'b\0--bind\0/\0/host' } }],
    ['name of a variable', { env: { 'A=B': 'c' } }],
    ['plain absolute path', { mounts: [{ source: '/a/../b', target: '/x', mode: 'ro' }] }],
    ["the sandbox's own /proc", { mounts: [{ source: '/a', target: '/proc/1', mode: 'ro' }] }],
    ['read-only /usr', { mounts: [{ source: '/a', target: '/usr/bin/x', mode: 'ro' }] }],
    [
      'the agent may write',
      {
        mounts: [
          { source: '/a', target: '/x', mode: 'rw' },
          { source: '/a/b', target: '/y', mode: 'ro' },
        ],
      },
    ],
    [
      'two mounts',
      {
        mounts: [
          { source: '/a', target: '/x', mode: 'ro' },
          { source: '/b', target: '/x', mode: 'ro' },
        ],
      },
    ],
  ];
  assert.equal(refuseSpec(spec), null);
  for (const [why, change] of refused) assert.match(refuseSpec({ ...spec, ...change }) ?? '', new RegExp(why), why);
});

test("limits inside never exceed the host's own", () => {
  const hard = parseHardLimits(
    'Max file size  unlimited unlimited bytes\nMax processes 50 50 processes\nMax open files 1024 2048 files\n',
  );
  assert.deepEqual(insideCommand('/usr/bin/prlimit', spec.limits, hard, ['/app/run']), [
    ...['/bin/sh', '-c', 'read -r go <&8 && exec 8<&- && exec "$@"', 'sh'],
    ...['/usr/bin/prlimit', '--nproc=50', '--fsize=1000', '--nofile=2048', '--core=0', '/app/run'],
  ]);
});

import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import type { SandboxLimits } from '../../../src/sandbox/driver.ts';
import { type CgroupFiles, counter, realCgroupFiles } from './cgroup-files.ts';
import { createCgroupV1, findV1Controllers } from './cgroup-v1.ts';
import { createCgroupV2, findV2Mount, findV2Path } from './cgroup-v2.ts';
import { scopePrefix } from './systemd-scope.ts';
import { isTooMuch } from './watchdog.ts';

const limits: SandboxLimits = { memoryBytes: 1000.5, cpus: 1.5, pids: 64, fileSizeBytes: 1 };
const V2_FILES = [
  'cgroup.procs',
  'cgroup.subtree_control',
  'cgroup.kill',
  'memory.max',
  'memory.swap.max',
  'pids.max',
  'cpu.max',
];
const V1_FILES = ['cgroup.procs', 'memory.limit_in_bytes', 'pids.max', 'cpu.cfs_quota_us', 'cpu.cfs_period_us'];

let root = '';
beforeEach(() => {
  root = mkdtempSync(path.join(os.tmpdir(), 'nanoclaw-cgroup-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const at = (...parts: string[]): string => path.join(root, ...parts);
const text = (...parts: string[]): string => readFileSync(at(...parts), 'utf8');

/** A plain folder that behaves as the kernel's: new groups come with files, and control files keep what is switched on. */
function cgroupfs(files: readonly string[], can: { enable?: (folder: string) => boolean } = {}): CgroupFiles {
  const populate = (folder: string): void => {
    for (const file of files) writeFileSync(path.join(folder, file), '', { flag: 'a' });
  };
  populate(root);
  return {
    ...realCgroupFiles,
    ensureFolder(folder) {
      mkdirSync(folder, { recursive: true });
      populate(folder);
      return true;
    },
    write(file, value) {
      if (!file.endsWith('cgroup.subtree_control')) return realCgroupFiles.write(file, value);
      if (can.enable && !can.enable(path.dirname(file))) return false;
      const on = new Set(readFileSync(file, 'utf8').split(' ').filter(Boolean)).add(value.slice(1));
      writeFileSync(file, [...on].join(' '));
      return true;
    },
    removeFolder(folder) {
      if (realCgroupFiles.folders(folder).length > 0) return false;
      rmSync(folder, { recursive: true });
      return true;
    },
  };
}

test('v2 as root: the controllers are on all the way, the leaf has its limits and takes the process', async () => {
  const means = createCgroupV2(cgroupfs(V2_FILES), { mount: root, ownPath: '/', pid: 1 }, 'nanoclaw-x');
  assert.deepEqual([means?.name, [...(means?.holds ?? [])]], ['cgroup v2', ['memory', 'cpu', 'pids']]);
  assert.equal(text('cgroup.subtree_control'), 'memory cpu pids');
  assert.equal(text('nanoclaw-x/cgroup.subtree_control'), 'memory cpu pids');
  const group = means?.open('s.1.1', limits);
  group?.enter({ pid: 4242, startTime: '1' });
  const leaf = (file: string): string => text('nanoclaw-x/s.1.1', file);
  assert.deepEqual(['memory.max', 'memory.swap.max', 'pids.max', 'cpu.max', 'cgroup.procs'].map(leaf), [
    '1000',
    '0',
    '64',
    '150000 100000',
    '4242',
  ]);
  writeFileSync(at('nanoclaw-x/s.1.1/memory.events'), 'low 0\noom 3\noom_kill 1\noom_group_kill 0\n');
  await group?.release();
  assert.equal(group?.isOutOfMemory(), true, 'it is remembered after the group is gone');
  assert.deepEqual(realCgroupFiles.folders(at('nanoclaw-x')), []);
});

test('v2 delegated: the host moves into a leaf of its own first, and finds its way there again', () => {
  const files = cgroupfs(V2_FILES, { enable: (folder) => folder !== root });
  files.ensureFolder(at('unit.service'));
  writeFileSync(at('unit.service/cgroup.procs'), '77\n');
  assert.equal(createCgroupV2(files, { mount: root, ownPath: '/unit.service', pid: 77 }, 'n')?.name, 'cgroup v2');
  assert.equal(text('unit.service/nanoclaw-host/cgroup.procs'), '77');
  writeFileSync(at('unit.service/cgroup.procs'), '');
  const again = createCgroupV2(files, { mount: root, ownPath: '/unit.service/nanoclaw-host', pid: 77 }, 'n');
  assert.equal(again?.name, 'cgroup v2');
  assert.equal(text('unit.service/cgroup.subtree_control'), 'memory cpu pids');
});

test("v2: another's process in the own group is left alone", () => {
  const files = cgroupfs(V2_FILES, { enable: (folder) => folder !== root });
  files.ensureFolder(at('session.scope'));
  writeFileSync(at('session.scope/cgroup.procs'), '77\n78\n');
  assert.equal(createCgroupV2(files, { mount: root, ownPath: '/session.scope', pid: 77 }, 'n'), null);
});

test('v2: sweeping ends what is not ours', async () => {
  const means = createCgroupV2(cgroupfs(V2_FILES), { mount: root, ownPath: '/', pid: 1 }, 'n');
  means?.open('old.1.1', limits);
  means?.open('now.2.1', limits);
  assert.equal(await means?.sweep((id) => id === 'now.2.1'), 1);
  assert.deepEqual(realCgroupFiles.folders(at('n')), ['now.2.1']);
});

test('v1: each controller has its own folder', async () => {
  const files = cgroupfs(V1_FILES);
  const controllers = findV1Controllers(
    ['memory', 'cpu,cpuacct', 'pids'].map((name) => `cgroup ${at(name)} cgroup rw,${name} 0 0`).join('\n'),
  );
  const means = createCgroupV1(files, controllers, 'nanoclaw-x');
  const group = means?.open('s', limits);
  group?.enter({ pid: 4242, startTime: '1' });
  assert.equal(text('memory/nanoclaw-x/s/memory.limit_in_bytes'), '1000');
  assert.equal(text('cpu,cpuacct/nanoclaw-x/s/cpu.cfs_quota_us'), '150000');
  assert.equal(text('pids/nanoclaw-x/s/cgroup.procs'), '4242');
  await group?.release();
  assert.deepEqual(realCgroupFiles.folders(at('pids/nanoclaw-x')), []);
});

test('v1 without a memory controller is no means', () => {
  assert.equal(createCgroupV1(cgroupfs(V1_FILES), new Map([['pids', at('pids')]]), 'n'), null);
});

test('mounts and the own group are read as the kernel writes them', () => {
  assert.equal(findV2Mount('proc /proc proc rw 0 0\ncgroup2 /sys/fs/cgroup cgroup2 rw,nosuid 0 0\n'), '/sys/fs/cgroup');
  assert.equal(findV2Mount('proc /proc proc rw 0 0\n'), null);
  assert.equal(findV2Path('1:name=systemd:/\n0::/user.slice/a.scope\n'), '/user.slice/a.scope');
  assert.equal(counter('oom_kill_disable 0\nunder_oom 0\noom_kill 2\n', 'oom_kill'), 2);
});

test('a systemd scope carries the limits, and clears the environment behind it', () => {
  const prefix = scopePrefix('nanoclaw-x-s.scope', limits);
  for (const word of ['MemoryMax=1000', 'MemorySwapMax=0', 'TasksMax=64', 'CPUQuota=150%'])
    assert.ok(prefix.includes(word));
  assert.deepEqual(prefix.slice(-2), ['/usr/bin/env', '-i']);
});

test('the watchdog forgives one look, not two, and not the half more', () => {
  assert.deepEqual(
    [isTooMuch(90, 0, 100), isTooMuch(110, 90, 100), isTooMuch(110, 105, 100), isTooMuch(151, 0, 100)],
    [false, false, true, true],
  );
});

test('v1: a host that starts no sandbox leaves no group, and a later sandbox makes it again', async () => {
  mkdirSync(at('memory'));
  const means = createCgroupV1(realCgroupFiles, new Map([['memory', at('memory')]]), 'nanoclaw-test');
  assert.ok(existsSync(at('memory', 'nanoclaw-test')));
  await means?.sweep(() => false);
  assert.ok(!existsSync(at('memory', 'nanoclaw-test')));
  means?.open('one', limits);
  assert.ok(existsSync(at('memory', 'nanoclaw-test', 'one')));
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { countingFile } from './killed-for-memory.ts';

test("a container's own group is found in either kind of hierarchy, and no other", () => {
  const v1 =
    '12:pids:/libpod_parent/libpod-abc\n4:cpu,cpuacct:/libpod_parent/libpod-abc\n3:memory:/libpod_parent/libpod-abc\n';
  assert.equal(countingFile(v1, 'abc'), '/sys/fs/cgroup/memory/libpod_parent/libpod-abc/memory.oom_control');
  const v2 = '0::/machine.slice/libpod-abc.scope/container\n';
  assert.equal(countingFile(v2, 'abc'), '/sys/fs/cgroup/machine.slice/libpod-abc.scope/container/memory.events');
  const hybrid = `${v1}0::/\n`;
  assert.equal(countingFile(hybrid, 'abc'), '/sys/fs/cgroup/memory/libpod_parent/libpod-abc/memory.oom_control');
  assert.equal(countingFile(v1, 'other'), null, 'the number is that of another process');
  assert.equal(countingFile('0::/\n', 'abc'), null);
});

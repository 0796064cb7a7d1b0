import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DENIED } from '../syscalls.ts';
import { seccompProfile } from './seccomp.ts';

/** As libseccomp reads it: the first rule whose every check holds; else it is allowed. */
function answer(machine: 'x64' | 'arm64', name: string, ...args: bigint[]): number {
  const rule = seccompProfile(machine).syscalls.find(
    ({ names, args: checks = [] }) =>
      names.includes(name) &&
      checks.every(({ index, value, valueTwo = 0, op }) => {
        const given = args[index] ?? 0n;
        if (op === 'SCMP_CMP_MASKED_EQ') return (given & BigInt(value)) === BigInt(valueTwo);
        if (op === 'SCMP_CMP_GT') return given > BigInt(value);
        return (op === 'SCMP_CMP_EQ') === (given === BigInt(value));
      }),
  );
  return rule?.errnoRet ?? 0;
}

test('each namespace flag of clone is refused, alone and among others, and a plain fork is not', () => {
  for (const flag of [0x2_0000n, 0x200_0000n, 0x400_0000n, 0x800_0000n, 0x1000_0000n, 0x2000_0000n, 0x4000_0000n]) {
    assert.equal(answer('x64', 'clone', flag), 1);
    assert.equal(answer('x64', 'clone', flag | 17n | 0x100n), 1);
  }
  assert.equal(answer('x64', 'clone', 17n), 0);
  assert.equal(answer('x64', 'clone', 0x3d_0f00n), 0, 'a thread');
  assert.equal(answer('x64', 'clone3'), 38, 'so that C libraries fall back');
});

test('sockets are those of Unix, IP, and routing netlink', () => {
  for (const family of [1n, 2n, 10n]) assert.equal(answer('x64', 'socket', family, 1n, 0n), 0);
  assert.equal(answer('x64', 'socket', 16n, 3n, 0n), 0);
  assert.equal(answer('x64', 'socket', 16n, 3n, 12n), 97);
  for (const family of [0n, 3n, 9n, 15n, 17n, 31n, 38n, 40n, (1n << 32n) | 40n]) {
    assert.equal(answer('x64', 'socket', family, 1n, 0n), 97, `family ${family}`);
  }
});

test('typing into a terminal is refused, also with bits set that the kernel does not look at', () => {
  assert.equal(answer('x64', 'ioctl', 0n, 0x5412n), 1);
  assert.equal(answer('x64', 'ioctl', 0n, (7n << 32n) | 0x541cn), 1);
  assert.equal(answer('x64', 'ioctl', 0n, 0x5413n), 0);
});

test('the list is that of all drivers, by what a machine has', () => {
  for (const name of Object.keys(DENIED)) assert.equal(answer('x64', name), 1, name);
  assert.equal(answer('arm64', 'mount'), 1);
  assert.equal(answer('arm64', 'iopl'), 0, 'there is none');
  assert.deepEqual(seccompProfile('arm64').architectures, ['SCMP_ARCH_AARCH64']);
});

import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { ARCHITECTURE, CHECKED, DENIED, type Machine, numberOn } from '../syscalls.ts';
import { encode, type Instruction, seccompMachine, seccompProgram } from './seccomp.ts';

const ALLOW = 0x7fff_0000;
const EPERM = 0x0005_0001;
const ENOSYS = 0x0005_0026;
const EAFNOSUPPORT = 0x0005_0061;

/** What the kernel does with the program: the five instructions that it uses. */
function run(program: readonly Instruction[], call: { arch: number; nr: number; args?: number[] }): number {
  const words = new Map([
    [0, call.nr],
    [4, call.arch],
  ]);
  for (const [index, value] of (call.args ?? []).entries()) words.set(16 + 8 * index, value >>> 0);
  let accumulator = 0;
  for (let at = 0; at < program.length; at++) {
    const { code, jt, jf, k } = program[at]!;
    if (code === 0x06) return k >>> 0;
    if (code === 0x20) accumulator = words.get(k) ?? 0;
    else if (code === 0x15) at += accumulator === k ? jt : jf;
    else if (code === 0x35) at += accumulator >= k ? jt : jf;
    else if (code === 0x45) at += (accumulator & k) !== 0 ? jt : jf;
    else assert.fail(`unknown instruction ${code}`);
  }
  return assert.fail('ran off the end');
}

for (const machine of ['x64', 'arm64'] as const satisfies Machine[]) {
  const program = seccompProgram(machine);
  const arch = ARCHITECTURE[machine];
  const nr = (name: keyof typeof CHECKED) => numberOn(machine, CHECKED[name]) ?? assert.fail(name);
  const call = (number: number, ...args: number[]) => run(program, { arch, nr: number, args });

  test(`${machine}: everything on the list is refused, ordinary calls pass`, () => {
    for (const [name, numbers] of Object.entries(DENIED)) {
      const number = numberOn(machine, numbers);
      if (number !== null) assert.equal(call(number), EPERM, name);
    }
    const ordinary = machine === 'x64' ? [0, 1, 2, 9, 59, 101 - 1, 257, 439] : [56, 63, 64, 172, 221, 439];
    for (const number of ordinary) assert.equal(call(number), ALLOW, String(number));
  });

  test(`${machine}: another architecture is killed`, () => {
    assert.equal(run(program, { arch: 0x4000_0003, nr: 1 }), 0x8000_0000);
  });

  test(`${machine}: clone may make processes and threads, no namespaces`, () => {
    assert.equal(call(nr('clone'), 0x0120_0011), ALLOW);
    assert.equal(call(nr('clone'), 0x003d_0f00), ALLOW);
    for (const flag of [0x2_0000, 0x200_0000, 0x400_0000, 0x800_0000, 0x1000_0000, 0x2000_0000, 0x4000_0000]) {
      assert.equal(call(nr('clone'), flag | 17), EPERM, flag.toString(16));
    }
    assert.equal(call(nr('clone3')), ENOSYS);
  });

  test(`${machine}: sockets are Unix, IP and routing netlink`, () => {
    for (const family of [1, 2, 10]) assert.equal(call(nr('socket'), family, 1, 6), ALLOW);
    assert.equal(call(nr('socket'), 16, 3, 0), ALLOW);
    assert.equal(call(nr('socket'), 16, 3, 12), EAFNOSUPPORT);
    for (const family of [0, 3, 9, 17, 29, 31, 38, 40, 44]) {
      assert.equal(call(nr('socket'), family, 1, 0), EAFNOSUPPORT, String(family));
    }
  });

  test(`${machine}: nothing can be typed into a terminal`, () => {
    assert.equal(call(nr('ioctl'), 0, 0x5412), EPERM);
    assert.equal(call(nr('ioctl'), 0, 0x541c), EPERM);
    assert.equal(call(nr('ioctl'), 0, 0x5413), ALLOW);
  });

  test(`${machine}: the numbers are those of the kernel's headers`, (t) => {
    const header =
      machine === 'x64' ? '/usr/include/x86_64-linux-gnu/asm/unistd_64.h' : '/usr/include/asm-generic/unistd.h';
    if (!existsSync(header)) return t.skip('no kernel headers here');
    const text = readFileSync(header, 'utf8');
    for (const [name, numbers] of Object.entries({ ...DENIED, ...CHECKED })) {
      const found = new RegExp(`#define __NR(?:3264)?_${name}\\s+(\\d+)`).exec(text)?.[1];
      if (found) assert.equal(numberOn(machine, numbers), Number(found), name);
    }
  });
}

test('x32 numbers do not get around the list', () => {
  const program = seccompProgram('x64');
  assert.equal(run(program, { arch: ARCHITECTURE.x64, nr: 0x4000_0000 | 165 }), ENOSYS);
});

test('an instruction is eight bytes, little endian', () => {
  assert.deepEqual([...encode([{ code: 0x15, jt: 1, jf: 2, k: 0xc000_003e }])], [0x15, 0, 1, 2, 0x3e, 0, 0, 0xc0]);
  assert.ok(encode(seccompProgram('x64')).length < 4096 * 8);
});

test('other machines have no filter', () => {
  assert.equal(seccompMachine('riscv64'), null);
  assert.equal(seccompMachine('arm64'), 'arm64');
});

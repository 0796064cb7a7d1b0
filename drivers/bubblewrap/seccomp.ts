/** The seccomp program that bwrap loads: raw `struct sock_filter[]`, little endian. It ends in "allow", after a list of refusals. */
import { ARCHITECTURE, CHECKED, DENIED, type Machine, numberOn } from '../syscalls.ts';

export interface Instruction {
  code: number;
  jt: number;
  jf: number;
  k: number;
}

const ALLOW = 0x7fff_0000;
const KILL = 0x8000_0000;
const errno = (number: number): number => 0x0005_0000 | number;
const EPERM = errno(1);
const ENOSYS = errno(38);
const EAFNOSUPPORT = errno(97);

const load = (offset: number): Instruction => ({ code: 0x20, jt: 0, jf: 0, k: offset });
const back = (k: number): Instruction => ({ code: 0x06, jt: 0, jf: 0, k });
const ifEqual = (k: number, jt: number, jf: number): Instruction => ({ code: 0x15, jt, jf, k });
const ifAtLeast = (k: number, jt: number, jf: number): Instruction => ({ code: 0x35, jt, jf, k });
const ifAnyBit = (k: number, jt: number, jf: number): Instruction => ({ code: 0x45, jt, jf, k });

const NUMBER = 0;
const ARCH = 4;
/** The low word: flags, families and ioctl commands are 32 bits wide in the kernel. */
const argument = (index: number): number => 16 + 8 * index;

// Every CLONE_NEW* flag that clone() takes: NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET.
const NAMESPACES = 0x7e02_0000;
const TERMINAL_INJECTION = [0x5412, 0x541c]; // TIOCSTI, TIOCLINUX
const AF_NETLINK = 16;
// Unix, IPv4, IPv6. AF_VSOCK above all is not held back by a network namespace.
const FAMILIES = [1, 2, 10];

export function seccompProgram(machine: Machine): Instruction[] {
  const on = (name: keyof typeof CHECKED): number => numberOn(machine, CHECKED[name]) ?? -1;
  const refused = Object.values(DENIED)
    .map((numbers) => numberOn(machine, numbers))
    .filter((number) => number !== null)
    .flatMap((number) => [ifEqual(number, 0, 1), back(EPERM)]);
  // The x32 table answers under the same architecture with this bit set: none of its numbers is on our list.
  const x32 = machine === 'x64' ? [ifAtLeast(0x4000_0000, 0, 1), back(ENOSYS)] : [];
  const only = (number: number, checks: Instruction[]): Instruction[] => [
    ifEqual(number, 0, checks.length + 1),
    ...checks,
    back(ALLOW),
  ];
  return [
    load(ARCH),
    ifEqual(ARCHITECTURE[machine], 1, 0),
    back(KILL),
    load(NUMBER),
    ...x32,
    // Its flags lie in memory, where a filter can't look. C libraries fall back to clone().
    ifEqual(on('clone3'), 0, 1),
    back(ENOSYS),
    ...refused,
    ...only(on('clone'), [load(argument(0)), ifAnyBit(NAMESPACES, 0, 1), back(EPERM)]),
    ...only(on('ioctl'), [
      load(argument(1)),
      ...TERMINAL_INJECTION.flatMap((command) => [ifEqual(command, 0, 1), back(EPERM)]),
    ]),
    ...only(on('socket'), [
      load(argument(0)),
      ...FAMILIES.flatMap((family) => [ifEqual(family, 0, 1), back(ALLOW)]),
      ifEqual(AF_NETLINK, 1, 0),
      back(EAFNOSUPPORT),
      // Routing alone, for a list of interfaces: the other protocols are attack surface.
      load(argument(2)),
      ifEqual(0, 1, 0),
      back(EAFNOSUPPORT),
    ]),
    back(ALLOW),
  ];
}

export function encode(program: readonly Instruction[]): Buffer {
  const bytes = Buffer.alloc(program.length * 8);
  for (const [index, { code, jt, jf, k }] of program.entries()) {
    bytes.writeUInt16LE(code, index * 8);
    bytes.writeUInt8(jt, index * 8 + 2);
    bytes.writeUInt8(jf, index * 8 + 3);
    bytes.writeUInt32LE(k >>> 0, index * 8 + 4);
  }
  return bytes;
}

export function seccompMachine(arch: string): Machine | null {
  return arch === 'x64' || arch === 'arm64' ? arch : null;
}

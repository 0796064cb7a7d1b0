/** The filter as an engine takes it. The list is that of all drivers; by name, since the engine knows the numbers. */
import { type CHECKED, DENIED, type Machine, numberOn } from '../syscalls.ts';

const EPERM = 1;
const ENOSYS = 38;
const EAFNOSUPPORT = 97;

interface Check {
  index: number;
  value: number;
  valueTwo?: number;
  op: 'SCMP_CMP_EQ' | 'SCMP_CMP_NE' | 'SCMP_CMP_GT' | 'SCMP_CMP_MASKED_EQ';
}

interface Rule {
  names: string[];
  action: 'SCMP_ACT_ERRNO';
  errnoRet: number;
  args?: Check[];
}

export interface SeccompProfile {
  defaultAction: 'SCMP_ACT_ALLOW';
  architectures: string[];
  syscalls: Rule[];
}

// NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET.
const NAMESPACES = [0x2_0000, 0x200_0000, 0x400_0000, 0x800_0000, 0x1000_0000, 0x2000_0000, 0x4000_0000];
const TERMINAL_INJECTION = [0x5412, 0x541c]; // TIOCSTI, TIOCLINUX
const LOW_WORD = 0xffff_ffff;
const AF_NETLINK = 16;
const FAMILIES = [1, 2, 10, AF_NETLINK];

/** No other architecture is named, so the kernel ends a process that calls in the tables of one. */
export function seccompProfile(machine: Machine): SeccompProfile {
  const refuse = (name: keyof typeof CHECKED, errnoRet: number, ...args: Check[]): Rule => ({
    names: [name],
    action: 'SCMP_ACT_ERRNO',
    errnoRet,
    ...(args.length > 0 ? { args } : {}),
  });
  const names = Object.entries(DENIED).filter(([, numbers]) => numberOn(machine, numbers) !== null);
  return {
    defaultAction: 'SCMP_ACT_ALLOW',
    architectures: [machine === 'x64' ? 'SCMP_ARCH_X86_64' : 'SCMP_ARCH_AARCH64'],
    syscalls: [
      { names: names.map(([name]) => name), action: 'SCMP_ACT_ERRNO', errnoRet: EPERM },
      // Its flags lie in memory, where a filter can't look. C libraries fall back to clone().
      refuse('clone3', ENOSYS),
      // "Any of these bits" is a rule for each.
      ...NAMESPACES.map((flag) =>
        refuse('clone', EPERM, { index: 0, value: flag, valueTwo: flag, op: 'SCMP_CMP_MASKED_EQ' }),
      ),
      // The kernel looks at the low word alone, so a set bit above must not get past.
      ...TERMINAL_INJECTION.map((command) =>
        refuse('ioctl', EPERM, { index: 1, value: LOW_WORD, valueTwo: command, op: 'SCMP_CMP_MASKED_EQ' }),
      ),
      ...Array.from({ length: AF_NETLINK }, (_, family) => family)
        .filter((family) => !FAMILIES.includes(family))
        .map((family) => refuse('socket', EAFNOSUPPORT, { index: 0, value: family, op: 'SCMP_CMP_EQ' })),
      // AF_VSOCK above all is not held back by a network namespace.
      refuse('socket', EAFNOSUPPORT, { index: 0, value: AF_NETLINK, op: 'SCMP_CMP_GT' }),
      // Of netlink, routing alone, for a list of interfaces.
      refuse(
        'socket',
        EAFNOSUPPORT,
        { index: 0, value: AF_NETLINK, op: 'SCMP_CMP_EQ' },
        { index: 2, value: 0, op: 'SCMP_CMP_NE' },
      ),
    ],
  };
}

/** The system calls that no agent needs, by number: x86-64 and arm64 (the generic table). Null: the machine has no such call. */

export type Machine = 'x64' | 'arm64';
type Numbers = readonly [x64: number, arm64: number | null];

/** Answered with EPERM. What only root could do is here as well: a filter holds when a kernel bug gives capabilities. */
export const DENIED: Readonly<Record<string, Numbers>> = {
  // mounts and namespaces: everything that could undo the sandbox's own
  mount: [165, 40],
  umount2: [166, 39],
  pivot_root: [155, 41],
  chroot: [161, 51],
  unshare: [272, 97],
  setns: [308, 268],
  open_tree: [428, 428],
  open_tree_attr: [467, 467],
  move_mount: [429, 429],
  fsopen: [430, 430],
  fsconfig: [431, 431],
  fsmount: [432, 432],
  fspick: [433, 433],
  mount_setattr: [442, 442],
  name_to_handle_at: [303, 264],
  open_by_handle_at: [304, 265],
  fanotify_init: [300, 262],
  // other processes
  ptrace: [101, 117],
  process_vm_readv: [310, 270],
  process_vm_writev: [311, 271],
  process_madvise: [440, 440],
  pidfd_getfd: [438, 438],
  kcmp: [312, 272],
  // shared with the host whatever the namespaces, or a long history of holes
  keyctl: [250, 219],
  add_key: [248, 217],
  request_key: [249, 218],
  bpf: [321, 280],
  perf_event_open: [298, 241],
  userfaultfd: [323, 282],
  io_uring_setup: [425, 425],
  io_uring_enter: [426, 426],
  io_uring_register: [427, 427],
  lookup_dcookie: [212, 18],
  personality: [135, 92],
  // the kernel and the machine
  kexec_load: [246, 104],
  kexec_file_load: [320, 294],
  init_module: [175, 105],
  finit_module: [313, 273],
  delete_module: [176, 106],
  quotactl: [179, 60],
  quotactl_fd: [443, 443],
  acct: [163, 89],
  swapon: [167, 224],
  swapoff: [168, 225],
  reboot: [169, 142],
  sethostname: [170, 161],
  setdomainname: [171, 162],
  syslog: [103, 116],
  vhangup: [153, 58],
  nfsservctl: [180, 42],
  clock_settime: [227, 112],
  clock_adjtime: [305, 266],
  settimeofday: [164, 170],
  adjtimex: [159, 171],
  migrate_pages: [256, 238],
  move_pages: [279, 239],
  // only on x86-64
  iopl: [172, null],
  ioperm: [173, null],
  modify_ldt: [154, null],
  uselib: [134, null],
  ustat: [136, null],
  sysfs: [139, null],
  create_module: [174, null],
  query_module: [178, null],
  get_kernel_syms: [177, null],
  _sysctl: [156, null],
};

/** Looked at more closely. */
export const CHECKED = {
  clone: [56, 220],
  clone3: [435, 435],
  socket: [41, 198],
  ioctl: [16, 29],
} as const satisfies Record<string, Numbers>;

/** AUDIT_ARCH_X86_64, AUDIT_ARCH_AARCH64. */
export const ARCHITECTURE: Readonly<Record<Machine, number>> = { x64: 0xc000_003e, arm64: 0xc000_00b7 };

export function numberOn(machine: Machine, numbers: Numbers): number | null {
  return machine === 'x64' ? numbers[0] : numbers[1];
}

/** Runs inside a sandbox, under Bun: tries what must fail and prints a line of JSON for each attempt, {name, ok, detail}. */
import { dlopen, ptr, read } from 'bun:ffi';
import { spawnSync } from 'node:child_process';
import dgram from 'node:dgram';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';

const { calls, host } = JSON.parse(process.env.PROBE);
const text = (value) => ptr(Buffer.from(`${value}\0`));
const zeros = (size) => ptr(Buffer.alloc(size));
const word = 'i64';
const libc = dlopen('libc.so.6', {
  syscall: { args: Array(7).fill(word), returns: word },
  __errno_location: { args: [], returns: 'ptr' },
});

function report(name, ok, detail = '') {
  console.log(JSON.stringify({ name, ok, detail: String(detail).slice(0, 300) }));
}

function call(name, number, ...args) {
  const words = [number, ...args, 0, 0, 0, 0, 0, 0].slice(0, 7).map((value) => BigInt(value));
  const result = Number(libc.symbols.syscall(...words));
  const errno = result < 0 ? read.i32(libc.symbols.__errno_location()) : 0;
  if (result === 0 && name.startsWith('clone')) process.reallyExit(0); // the child that must not be
  report(name, result >= 0, result < 0 ? `errno ${errno}` : result);
  return result;
}

function attempt(name, action) {
  try {
    report(name, true, action());
  } catch (error) {
    report(name, false, error.code ?? error.message);
  }
}

function sh(name, script) {
  const { status, stdout, stderr } = spawnSync('/bin/sh', ['-c', script], { encoding: 'utf8' });
  report(name, status === 0, stdout + stderr);
}

const NEWNS = 0x2_0000;
const NEWUSER = 0x1000_0000;
const SIGCHLD = 17;
call('unshare user', calls.unshare, NEWUSER);
call('unshare mount', calls.unshare, NEWNS);
call('unshare user and network', calls.unshare, NEWUSER | 0x4000_0000);
call('clone user', calls.clone, NEWUSER | SIGCHLD);
call('clone3', calls.clone3, zeros(88), 88);
call('mount', calls.mount, text('none'), text('/tmp'), text('tmpfs'), 0, 0);
call('remount writable', calls.mount, 0, text('/workspace/inbound'), 0, 32 | 4096, 0);
call('umount', calls.umount2, text('/workspace/inbound'), 2);
call('pivot_root', calls.pivot_root, text('/tmp'), text('/tmp'));
call('chroot', calls.chroot, text('/tmp'));
call('fsopen', calls.fsopen, text('tmpfs'), 0);
call('open_tree', calls.open_tree, -100, text('/'), 1);
attempt('setns', () => {
  const fd = fs.openSync('/proc/self/ns/net', 'r');
  call('setns', calls.setns, fd, 0);
  return 'opened';
});
call('ptrace', calls.ptrace, 16, 1, 0, 0);
call('process_vm_readv', calls.process_vm_readv, 1, zeros(16), 1, zeros(16), 1, 0);
call('keyctl', calls.keyctl, 0, -3, 0);
call('add_key', calls.add_key, text('user'), text('probe'), text('x'), 1, -3);
call('request_key', calls.request_key, text('user'), text('probe'), 0, 0);
call('bpf', calls.bpf, 0, zeros(128), 128);
call('perf_event_open', calls.perf_event_open, zeros(128), 0, -1, -1, 0);
call('userfaultfd', calls.userfaultfd, 1);
call('io_uring_setup', calls.io_uring_setup, 4, zeros(120));
call('name_to_handle_at', calls.name_to_handle_at, -100, text('/usr'), zeros(128), zeros(8), 0);
call('init_module', calls.init_module, zeros(8), 8, text(''));
call('sethostname', calls.sethostname, text('x'), 1);
call('personality', calls.personality, 0x40000);
call('socket vsock', calls.socket, 40, 1, 0);
call('socket alg', calls.socket, 38, 5, 0);
call('socket packet', calls.socket, 17, 3, 0);
call('socket raw', calls.socket, 2, 3, 1);
call('socket netfilter', calls.socket, 16, 3, 12);
call('socket bluetooth', calls.socket, 31, 3, 1);
call('type into the terminal', calls.ioctl, 0, 0x5412, text('x'));

attempt('become root', () => process.setuid(0));
sh('mknod', 'mknod /tmp/mem c 1 1');
sh('read /etc/shadow', 'cat /etc/shadow');
sh('see the host root home', 'ls -A /root | grep .');
sh("see the host's folders", `ls ${host.root}`);
sh(
  "find another session's marker",
  `find / -xdev -name ${host.marker} 2>/dev/null | grep . || find /workspace /home /mnt -name ${host.marker} 2>/dev/null | grep .`,
);
sh("see the host's environment", `cat /proc/[0-9]*/environ 2>/dev/null | grep -a ${host.secret.join('')}`);
sh("see the host's paths on a command line", `cat /proc/1/cmdline | grep -aF ${host.root}`);
sh('see a process of the host', 'cat /proc/[0-9]*/cmdline | grep -a "test/[s]andbox"');
attempt('signal a process of the host', () => process.kill(host.pid, 0));
sh('write core_pattern', 'v=$(cat /proc/sys/kernel/core_pattern) && echo "$v" > /proc/sys/kernel/core_pattern');
sh('write a sysctl', 'v=$(cat /proc/sys/vm/overcommit_memory) && echo "$v" > /proc/sys/vm/overcommit_memory');
sh('open sysrq-trigger', ': >> /proc/sysrq-trigger');
// Covered by an empty file, or by one that can't be opened.
sh('read kernel keys', 'cat /proc/keys | grep .');
sh('read kernel addresses', 'head -c 1 /proc/kcore | wc -c | grep -x 1');
sh('write below /', 'touch /x || touch /etc/x || touch /usr/x || touch /usr/local/bin/x || touch /dev/x');
sh('use a setuid program of its own', '/workspace/setuid-id -u | grep -x 0');
sh('use a setuid program of the system', 'unshare -U true || su -c true || mount -t tmpfs x /tmp');
const descriptors = fs.readdirSync('/proc/self/fd').map((fd) => {
  try {
    return `${fd} ${fs.readlinkSync(`/proc/self/fd/${fd}`)}`;
  } catch {
    return '';
  }
});
sh('has a descriptor beyond its own', 'ls -l /proc/self/fd | grep -E " ([3-9]|[0-9]{2,}) -> " | grep -v "/proc/.*/fd"');
report('descriptors', false, descriptors.join(', '));

// What is only to be read.
sh('write what is read-only', 'echo x > /workspace/inbound/note');
sh('add to what is read-only', 'touch /workspace/inbound/new');
sh('remove what is read-only', 'rm /workspace/inbound/note');
sh('chmod what is read-only', 'chmod 777 /workspace/inbound/note');
sh('rename what is read-only', 'mv /workspace/inbound /workspace/old');
sh('remove the mount point', 'rmdir /workspace/inbound || rm -r /workspace/inbound');
sh('link out of what is read-only', 'ln /workspace/inbound/note /workspace/note');
sh('truncate through /proc', 'exec 5< /workspace/inbound/note && : > /proc/self/fd/5');
sh(
  'rename an ancestor of what is read-only',
  'mv /workspace/extra /workspace/moved || mv /workspace/extra/deep /workspace/moved',
);
sh(
  'write where it may',
  'echo x > /workspace/mine && echo x > /tmp/mine && echo x > /home/node/mine && mkdir /workspace/agent/y',
);

// The network.
const connects = (options) =>
  new Promise((resolve) => {
    const socket = net.connect(options);
    const done = (ok, detail) => {
      socket.destroy();
      resolve({ ok, detail });
    };
    socket.setTimeout(3000, () => done(false, 'timeout'));
    socket.on('connect', () => done(true, 'connected')).on('error', (error) => done(false, error.code));
  });
const tcp = async (name, ...all) => {
  const met = await Promise.all(all.map(connects));
  const { ok, detail } = met.find(({ ok }) => ok) ?? met.at(0) ?? { ok: false, detail: 'none' };
  report(name, ok, detail);
};
await tcp('reach the host by TCP', { host: '127.0.0.1', port: host.tcp });
await tcp('reach an outside address', { host: '192.0.2.1', port: 80 });
const own = Object.values(os.networkInterfaces()).flatMap((all) => all ?? []);
await tcp(
  'reach the host by any of its addresses',
  ...host.addresses
    .filter((address) => !own.some((mine) => mine.address === address))
    .map((address) => ({ host: address, port: host.tcp })),
);
// In its own small network: the engine's machine may have an address there.
await tcp(
  'reach what is beside it',
  ...own
    .filter(({ internal, family }) => !internal && family === 'IPv4')
    .flatMap(({ address }) => {
      const [, start, last] = /^(.*\.)(\d+)$/.exec(address);
      return [0, 1, 2, 3, 4, 5, 6, 7].map((n) => ({ host: `${start}${(last & ~7) + n}`, port: host.tcp }));
    }),
);
await tcp('reach an abstract socket of the host', { path: `\0${host.abstract}` });
await new Promise((resolve) => {
  const socket = dgram.createSocket('udp4');
  const done = () => resolve(socket.close());
  socket.on('error', done);
  socket.send('probe', host.udp, '127.0.0.1', () => done());
});
const interfaces = fs.readFileSync('/proc/net/dev', 'utf8').match(/^ *[^\s:|]+:/gm) ?? [];
report(
  'another interface',
  interfaces.some((name) => name.trim() !== 'lo:'),
  interfaces.join(' '),
);
report('end', true);
process.exit(0);

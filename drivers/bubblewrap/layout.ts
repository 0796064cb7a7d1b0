/** What of this machine goes into a sandbox: read once, so that the arguments can be made from data alone. */
import { existsSync, lstatSync, mkdirSync, readlinkSync } from 'node:fs';
import path from 'node:path';
import { writeIfOther } from '../files.ts';

export interface HostLayout {
  /** /bin and its kind: a link into /usr, or (link null) a folder of its own. */
  topFolders: readonly { path: string; link: string | null }[];
  /** What exists of the few files in /etc that programs need. */
  etc: readonly string[];
  /** Our own passwd, group, hosts, nsswitch.conf. */
  generated: readonly { source: string; target: string }[];
  /** What exists of the files in /proc that say too much. */
  masked: readonly string[];
  hasUsrLocal: boolean;
}

const TOP = ['/bin', '/sbin', '/lib', '/lib32', '/lib64', '/libx32'];
const ETC = [
  '/etc/ssl/certs',
  '/etc/ssl/openssl.cnf',
  '/etc/pki/tls/certs',
  '/etc/pki/ca-trust/extracted',
  '/etc/crypto-policies',
  '/etc/alternatives',
  '/etc/ld.so.cache',
  '/etc/ld.so.conf',
  '/etc/ld.so.conf.d',
];
const PROC = [
  'keys',
  'key-users',
  'cmdline',
  'kallsyms',
  'kcore',
  'config.gz',
  'interrupts',
  'timer_list',
  'sched_debug',
  'iomem',
  'ioports',
  'kmsg',
  'modules',
  'kpagecount',
  'kpageflags',
  'vmallocinfo',
  'slabinfo',
  'sysrq-trigger',
];
const GENERATED: Readonly<Record<string, string>> = {
  passwd: 'node:x:1000:1000::/home/node:/bin/sh\nnobody:x:65534:65534::/nonexistent:/usr/sbin/nologin\n',
  group: 'node:x:1000:\nnogroup:x:65534:\n',
  hosts: '127.0.0.1 localhost sandbox\n::1 localhost\n',
  'nsswitch.conf': 'passwd: files\ngroup: files\nhosts: files\n',
};

/** Writes the generated files below `stateDir` if they aren't there as they should be. */
export function readLayout(stateDir: string): HostLayout {
  const folder = path.join(stateDir, 'etc');
  mkdirSync(folder, { recursive: true, mode: 0o755 });
  for (const [name, text] of Object.entries(GENERATED)) writeIfOther(path.join(folder, name), Buffer.from(text));
  return {
    topFolders: TOP.filter((top) => existsSync(top)).map((top) => ({
      path: top,
      link: lstatSync(top).isSymbolicLink() ? readlinkSync(top) : null,
    })),
    etc: ETC.filter((file) => existsSync(file)),
    generated: Object.keys(GENERATED).map((name) => ({ source: path.join(folder, name), target: `/etc/${name}` })),
    masked: PROC.map((name) => `/proc/${name}`).filter((file) => existsSync(file)),
    hasUsrLocal: existsSync('/usr/local'),
  };
}

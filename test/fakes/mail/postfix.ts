import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from '../../support/until.ts';
import { type Dovecot, freePort, isOpen } from './dovecot.ts';

/** A real SMTP server in front of Dovecot: it asks that for passwords, and hands it the mail for two domains. */

const POSTFIX = '/usr/sbin/postfix';

export function noPostfix(): string | undefined {
  if (!existsSync(POSTFIX)) return 'Postfix is not installed: apt-get install postfix';
  return process.getuid?.() === 0 ? undefined : 'Postfix is started by root alone';
}

interface Tls {
  cert: string;
  key: string;
}

export interface Postfix extends AsyncDisposable {
  port: number;
  log(): string;
}

/** With `tls` it offers STARTTLS, and takes no password before it. Mail to gone.test goes to `gonePort`. */
export async function startPostfix(dovecot: Dovecot, gonePort: number, tls?: Tls): Promise<Postfix> {
  const folder = mkdtempSync(join(tmpdir(), 'nanoclaw-postfix-'));
  chmodSync(folder, 0o755);
  const port = await freePort();
  for (const name of ['config', 'queue', 'data']) mkdirSync(join(folder, name));
  spawnSync('chown', ['postfix', join(folder, 'data')]);
  const config = join(folder, 'config');
  writeFileSync(join(config, 'main.cf'), mainOf(folder, dovecot, gonePort, tls));
  writeFileSync(join(config, 'master.cf'), masterOf(port));
  const child = spawn(POSTFIX, ['-c', config, 'start-fg'], { stdio: 'ignore' });
  const log = () => (existsSync(join(folder, 'log')) ? readFileSync(join(folder, 'log'), 'utf8') : '');
  await until(async () => child.exitCode !== null || (await isOpen(port)));
  if (child.exitCode !== null) throw new Error(`Postfix ended: ${log()}`);
  return {
    port,
    log,
    async [Symbol.asyncDispose]() {
      if (child.exitCode === null) {
        const gone = once(child, 'exit');
        spawnSync(POSTFIX, ['-c', config, 'stop']);
        await gone;
      }
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function mainOf(folder: string, dovecot: Dovecot, gonePort: number, tls: Tls | undefined): string {
  return `
compatibility_level = 3.6
queue_directory = ${folder}/queue
data_directory = ${folder}/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
mail_owner = postfix
setgid_group = postdrop
maillog_file = ${folder}/log
maillog_file_prefixes = /tmp, /var
myhostname = mx.here.test
mydestination =
mynetworks = 192.0.2.255/32
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
virtual_mailbox_domains = here.test, there.test
virtual_transport = lmtp:inet:127.0.0.1:${dovecot.lmtpPort}
virtual_mailbox_maps = static:all
transport_maps = inline:{gone.test=smtp:[127.0.0.1]:${gonePort}}
alias_maps =
smtpd_sasl_auth_enable = yes
smtpd_sasl_type = dovecot
smtpd_sasl_path = ${dovecot.folder}/run/auth-smtp
smtpd_relay_restrictions = permit_sasl_authenticated, reject
smtpd_tls_auth_only = ${tls ? 'yes' : 'no'}
smtpd_tls_security_level = ${tls ? 'may' : 'none'}
${tls ? `smtpd_tls_chain_files = ${tls.key}, ${tls.cert}` : ''}
default_transport = error:there is no way out of this test
`;
}

function masterOf(port: number): string {
  return `
127.0.0.1:${port} inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
error unix - - n - - error
retry unix - - n - - error
lmtp unix - - n - - lmtp
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
`;
}

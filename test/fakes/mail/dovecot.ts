import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from '../../support/until.ts';

/** A real IMAP server in a folder of its own: every user there is, all with one password. */

export const PASSWORD = 'correct-horse';
const DOVECOT = '/usr/sbin/dovecot';

/** Why there can be none on this machine; undefined: there can. */
export function noDovecot(): string | undefined {
  if (!existsSync(DOVECOT)) return 'Dovecot is not installed: apt-get install dovecot-imapd dovecot-lmtpd';
  // Its processes run as users of their own.
  return process.getuid?.() === 0 ? undefined : 'Dovecot is started by root alone';
}

export interface Dovecot extends AsyncDisposable {
  folder: string;
  port: number;
  /** As an SMTP server hands mail on. */
  lmtpPort: number;
  log(): string;
  /** Ends the server; the mail stays. */
  end(): Promise<void>;
  /** On the same ports, with the same mail. */
  begin(): Promise<void>;
}

/** With `tls` it offers STARTTLS, and takes no password before it. */
export async function startDovecot(tls?: { cert: string; key: string }): Promise<Dovecot> {
  const folder = mkdtempSync(join(tmpdir(), 'nanoclaw-dovecot-'));
  chmodSync(folder, 0o755);
  const [port, lmtpPort] = [await freePort(), await freePort()];
  const mail = join(folder, 'mail');
  mkdirSync(mail);
  chmodSync(mail, 0o777);
  const config = join(folder, 'dovecot.conf');
  writeFileSync(config, configOf(folder, port, lmtpPort, tls));
  let child: ChildProcess | undefined;

  async function begin(): Promise<void> {
    const started = spawn(DOVECOT, ['-F', '-c', config], { stdio: 'ignore' });
    child = started;
    await until(async () => started.exitCode !== null || ((await isOpen(port)) && (await isOpen(lmtpPort))));
    if (started.exitCode !== null) throw new Error(`Dovecot ended: ${log()}`);
  }

  async function end(): Promise<void> {
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGTERM');
    await once(child, 'exit');
    await until(async () => !(await isOpen(port)));
  }

  const log = () => (existsSync(join(folder, 'log')) ? readFileSync(join(folder, 'log'), 'utf8') : '');
  await begin();
  return {
    folder,
    port,
    lmtpPort,
    log,
    begin,
    end,
    async [Symbol.asyncDispose]() {
      await end();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function configOf(folder: string, port: number, lmtpPort: number, tls?: { cert: string; key: string }): string {
  return `
base_dir = ${folder}/run
state_dir = ${folder}/state
log_path = ${folder}/log
protocols = imap lmtp
${tls ? `ssl = required\nssl_cert = <${tls.cert}\nssl_key = <${tls.key}` : 'ssl = no\ndisable_plaintext_auth = no'}
auth_mechanisms = plain login
auth_username_format = %Lu
first_valid_uid = 1
mail_location = maildir:${folder}/mail/%u
mail_max_userip_connections = 100
postmaster_address = postmaster@localhost
passdb {
  driver = static
  args = password=${PASSWORD}
}
userdb {
  driver = static
  args = uid=daemon gid=daemon home=${folder}/mail/%u
}
service imap-login {
  inet_listener imap {
    address = 127.0.0.1
    port = ${port}
  }
  inet_listener imaps {
    port = 0
  }
}
service lmtp {
  inet_listener lmtp {
    address = 127.0.0.1
    port = ${lmtpPort}
  }
}
service auth {
  unix_listener ${folder}/run/auth-smtp {
    mode = 0666
  }
}
`;
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('There is no port.');
  return address.port;
}

export async function isOpen(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

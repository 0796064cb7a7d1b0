import { existsSync, mkdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { isoTime } from '@nanoclaw/protocol';
import type { AgentCommands } from '../admin/agent-door/index.ts';
import { createHostView } from '../admin/host-view.ts';
import { emptyRun } from '../admin/housekeeping/empty-run.ts';
import { finishRestore } from '../admin/housekeeping/finish-restore.ts';
import { lockInstall } from '../admin/housekeeping/install-lock.ts';
import type { HostView } from '../admin/view.ts';
import type { ChannelAdapter } from './channels/adapter.ts';
import type { WebDoors } from './channels/plugin.ts';
import type { LocalOwner } from './channels/tell-owner.ts';
import { asDatabaseError, openCentral } from './db/connection.ts';
import { type Lease, takeLease } from './db/lease.ts';
import { createLiveEnv } from './env.ts';
import { NanoError } from './errors.ts';
import { createHost, type HostParts } from './host.ts';
import { installSlug } from './install-slug.ts';
import { createLogger, type Logger } from './log/index.ts';
import { type Paths, pathsFor } from './paths.ts';
import { EARLIEST_CLOCK } from './routing/acceptance.ts';
import type { SandboxDriver } from './sandbox/driver.ts';
import { readUidMap, sandboxUid } from './sandbox/uid.ts';
import { asNanoError } from './system-error.ts';

/** Boot and shutdown. Exit status: 0 after a stop that was asked for, 1 when the host can't run. */

const LEASE_MS = 10_000;
/** Names in .env and the environment whose values are secrets, whatever they hold. */
const SECRET_NAME = /KEY|TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIAL/i;

/** What an install is made of beyond the host itself. */
export interface Extras {
  adapters(paths: Paths, log: Logger, env: NodeJS.ProcessEnv): readonly ChannelAdapter[];
  owner: LocalOwner;
  /** For platforms that call. */
  web(options: Pick<HostParts, 'env' | 'log'>): WebDoors;
  /** `stateDir`: for what it keeps between starts. */
  driver(
    options: Pick<HostParts, 'env'> & { slug: string; stateDir: string; log: Logger['warn']; info: Logger['info'] },
  ): SandboxDriver;
  /** Answers `ncl`. Its `start` throws NC_HOST_RUNNING or NC_SOCKET_PATH. */
  admin(options: { socketPath: string; handlers: HostView; log: Logger }): {
    start(): Promise<void>;
    stop(): Promise<void>;
  };
  /** Answers `ncl` of the agents. */
  agentCommands(handlers: HostView): AgentCommands;
}

/** `code`: this checkout. `home`: the folder of data/, logs/, groups/ and .env, and the working folder. */
export async function main(code: string, home: string, extras: Extras): Promise<void> {
  const paths = pathsFor(home);
  let secrets: () => readonly string[] = () => [];
  let channelSecrets: () => readonly string[] = () => [];
  const foreground = process.env.NANOCLAW_FOREGROUND === '1';
  const log = createLogger({
    folder: paths.logs,
    secrets: () => secrets(),
    stderr: foreground,
    ...(process.env.LOG_LEVEL === 'debug' && { level: 'debug' as const }),
  });
  try {
    const started = Date.now();
    if (started < EARLIEST_CLOCK) throw new NanoError('NC_CLOCK', `It says ${isoTime(started)}.`);
    const env = createLiveEnv(paths.env, { ...process.env }, (sentence) => log.warn(sentence));
    secrets = () => [...secretsIn(env()), ...channelSecrets()];
    await run({ code, paths, env, extras, log, started, hide: (own) => (channelSecrets = own) });
  } catch (error) {
    const { code: reason, message, remedy } = asNanoError(asDatabaseError(error));
    // The one that runs is well; only this one isn't needed.
    if (reason === 'NC_HOST_RUNNING') log.info('another host runs already', { reason: message });
    else log.error('the host did not start', { error });
    log.close();
    process.stderr.write(`${message}${/[.!?…]$/.test(message) ? '' : '.'} ${remedy}\n`);
    process.exit(1);
  }
}

interface Boot {
  code: string;
  paths: Paths;
  env: () => NodeJS.ProcessEnv;
  extras: Extras;
  log: Logger;
  /** Milliseconds since the epoch. */
  started: number;
  /** What must not come into the log, beside the secrets of `env`. */
  hide(secrets: () => readonly string[]): void;
}

async function run({ code, paths, env, extras, log, started, hide }: Boot): Promise<void> {
  // What an earlier host left of its sockets and scratch serves nobody; this one's scratch lies there, too.
  process.env.TMPDIR = paths.run;
  const slug = installSlug(paths.root);
  // First of all: it says in its own words what is wrong with data/.
  const unlock = lockInstall(paths.data);
  const before = finishRestore(paths);
  if (before) log.warn('a restore that was cut short is finished', { before });
  const db = openCentral({ file: paths.db, backups: paths.backups, now: started });
  const lease = takeLease(db, started);
  unlock();
  for (const folder of [paths.sessions, paths.groups]) mkdirSync(folder, { recursive: true, mode: 0o711 });
  mkdirSync(join(paths.logs, 'sessions'), { recursive: true, mode: 0o700 });
  const isMoved = !existsSync(paths.run);
  emptyRun(paths.run);
  const driver = extras.driver({ slug, stateDir: join(paths.data, 'sandbox'), env, log: log.warn, info: log.info });
  // What ran before has other folders mounted than those that are here: a restore has moved them away.
  if (isMoved) await driver.sweep().catch((error: unknown) => log.error('while ending sandboxes', { error }));
  const isRoot = process.getuid?.() === 0;
  const uidMap = readUidMap();
  const host = createHost({
    code,
    paths,
    db,
    env,
    adapters: extras.adapters(paths, log, env()),
    owner: extras.owner,
    web: extras.web({ env, log }),
    driver,
    agentCommands: () => agentCommands,
    uidFor: (ordinal) => (isRoot ? sandboxUid(slug, ordinal, uidMap) : undefined),
    log,
  });
  hide(host.channels.tools.supervisor.secrets);

  let stopping = false;
  const stop = async (reason: string): Promise<void> => {
    if (stopping) return;
    stopping = true;
    log.info('stopping', { reason });
    // Each on its own: a full disk must not keep the rest from ending in order.
    for (const end of [() => admin.stop(), () => host.stop(reason), () => lease.release(), () => db.close()]) {
      await Promise.resolve()
        .then(end)
        .catch((error: unknown) => log.error('while stopping', { error }));
    }
    log.info('stopped');
    log.close();
    process.exit(0);
  };
  const handlers = createHostView({
    host,
    owner: extras.owner.user,
    db,
    slug,
    version: version(code),
    startedAt: started,
    stop: () => void stop('ncl stop'),
  });
  const admin = extras.admin({ socketPath: paths.adminSocket, handlers, log });
  const agentCommands = extras.agentCommands(handlers);

  process.on('SIGTERM', () => void stop('SIGTERM'));
  process.on('SIGINT', () => void stop('SIGINT'));
  process.on('unhandledRejection', (error) => log.error('unhandled rejection', { error }));
  process.on('uncaughtException', (error) => {
    log.error('uncaught exception', { error });
    log.close();
    process.exit(1);
  });
  keepLease(lease, () => void stop('another host has taken over'), log);
  watchHome(paths.db, () => void stop('data/v2.db was removed or replaced'));

  await host.start();
  // Last: whoever can reach this socket may rely on everything else.
  await admin.start();
  log.info('ready', { slug, pid: process.pid, ms: Date.now() - started, afterCrash: lease.afterCrash });
}

function secretsIn(env: NodeJS.ProcessEnv): string[] {
  return Object.entries(env).flatMap(([name, value]) =>
    SECRET_NAME.test(name) && value && value.length >= 8 ? [value] : [],
  );
}

function keepLease(lease: Lease, lost: () => void, log: Logger): void {
  setInterval(() => {
    try {
      if (!lease.renew(Date.now())) lost();
    } catch (error) {
      log.error('the lease was not renewed', { error });
    }
  }, LEASE_MS).unref();
}

/** Whoever removes an install means its host as well: what it stores from then on is nowhere. */
function watchHome(file: string, gone: () => void): void {
  const inode = () => statSync(file, { throwIfNoEntry: false })?.ino;
  const first = inode();
  setInterval(() => {
    try {
      if (inode() !== first) gone();
    } catch {
      // Not to be looked at for now, say a disk that is away: housekeeping tells.
    }
  }, LEASE_MS).unref();
}

function version(code: string): string {
  const manifest: unknown = JSON.parse(readFileSync(join(code, 'package.json'), 'utf8'));
  return typeof manifest === 'object' && manifest !== null && 'version' in manifest ? String(manifest.version) : '?';
}

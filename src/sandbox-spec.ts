import { lstatSync, realpathSync, renameSync, unlinkSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { faultPoint, INSIDE } from '@nanoclaw/protocol';
import type { Composing } from './composing.ts';
import { transaction } from './db/group-commit.ts';
import type { Session, Sessions } from './db/sessions.ts';
import { NanoError } from './errors.ts';
import { ensureAgentFolder } from './groups/agent-folder.ts';
import { type AgentGroup, getAgentGroup } from './groups/agent-groups.ts';
import { ensureFolder } from './own.ts';
import type { Paths } from './paths.ts';
import type { HostProvider } from './providers/contract.ts';
import type { Providers } from './providers/registry.ts';
import type { Mount, SandboxSpec } from './sandbox/driver.ts';
import type { LeftOut, Mounts } from './sandbox/mounts/index.ts';
import { mountShared } from './sandbox/mounts/places.ts';
import type { SessionFolders, SessionManager } from './session-manager.ts';

/** Everything that a session's sandbox needs before it starts, whatever the driver. */

export const LIMITS = { memoryBytes: 2 * 1024 ** 3, cpus: 2, pids: 512, fileSizeBytes: 1024 ** 3 };

export interface SpecParts {
  code: string;
  paths: Paths;
  db: DatabaseSync;
  sessions: Sessions;
  manager: SessionManager;
  providers: Providers;
  mounts: Mounts;
  composing(): Composing;
  /** At each start: folders that the agent should have had. */
  onLeftOut(session: Session, leftOut: readonly LeftOut[]): void;
  uidFor(ordinal: number): number | undefined;
}

/** Throws NC_PROVIDER_MISSING, NC_CREDENTIAL_MISSING, or what the file system says. */
export async function prepareSandbox(parts: SpecParts, session: Session): Promise<SandboxSpec> {
  const { code, paths, db, providers, manager } = parts;
  const { agent, provider, uid } = await neededBy(parts, session);
  const folders = manager.ensureFolders(session, uid);
  const agentFolder = join(paths.groups, agent.folder);
  ensureAgentFolder(agentFolder, agent.assistantName);
  ensureFolder(agentFolder, uid, 0o700);
  removeHeartbeat(folders);
  await openRelay(parts, session);
  const { shared, leftOut } = parts.mounts.forStart(agent.id);
  parts.onLeftOut(session, leftOut);
  parts.composing().compose(folders.group, session, {
    provider: provider.name,
    providerEnv: provider.containerEnv(providers.credential(provider)?.kind, INSIDE.proxyPort),
    memoryBytes: LIMITS.memoryBytes,
    shared,
    leftOut,
  });
  faultPoint('sandbox.preparing');
  transaction(db, () => parts.sessions.setDrained(session.id, false));
  faultPoint('sandbox.undrained');
  manager.publishNow(session.id);
  return {
    sessionId: session.id,
    uid: uid ?? process.getuid?.() ?? 0,
    command: ['/app/bin/bun', '--no-env-file', '/app/container/agent-runner/src/index.ts'],
    env: sandboxEnv(agent),
    mounts: [...mountsFor(code, folders, agentFolder, provider), ...mountShared(folders.extra, shared)],
    limits: LIMITS,
    logFile: join(paths.logs, 'sessions', `${session.id}.log`),
  };
}

type RelayParts = Omit<SpecParts, 'onLeftOut'>;

async function neededBy({ db, providers, composing, uidFor }: RelayParts, session: Session) {
  const agent = getAgentGroup(db, session.agentGroupId);
  if (!agent) throw new NanoError('NC_INTERNAL', `Agent ${session.agentGroupId} is gone.`);
  return { agent, provider: await providers.get(composing().provider(session)), uid: uidFor(agent.uidOrdinal) };
}

/** The socket that its sandbox calls. Throws as `prepareSandbox` does. */
export async function openRelay(parts: RelayParts, session: Session): Promise<void> {
  const { agent, provider, uid } = await neededBy(parts, session);
  parts.manager.ensureFolders(session, uid);
  // Relative to the working folder: a Unix socket's path is short.
  const socket = join('data/run', session.id, basename(INSIDE.proxySocket));
  await parts.providers.openSession(provider, session, agent, socket, uid);
}

/** A fresh sandbox has none: the file means that this one lives. Whatever an earlier agent put in its place goes, too. */
function removeHeartbeat({ box, session }: SessionFolders): void {
  const file = join(box, '.heartbeat');
  const found = lstatSync(file, { throwIfNoEntry: false });
  if (!found) return;
  if (!found.isDirectory()) {
    unlinkSync(file);
    return;
  }
  // Moved and not removed: a tree that an agent has built may be too deep to walk.
  const aside = join(session, 'quarantine');
  ensureFolder(aside, undefined, 0o700);
  renameSync(file, join(aside, `heartbeat-${Date.now()}`));
}

function mountsFor(code: string, folders: SessionFolders, agentFolder: string, provider: HostProvider): Mount[] {
  const ro = (source: string, target: string) => ({ source, target, mode: 'ro' as const });
  const rw = (source: string, target: string) => ({ source, target, mode: 'rw' as const });
  return [
    ro(join(code, 'protocol'), '/app/protocol'),
    ro(join(code, 'container', 'agent-runner'), '/app/container/agent-runner'),
    ro(join(code, 'node_modules'), '/app/node_modules'),
    ro(dirname(realpathSync(join(code, '.runtime/bin/bun'))), '/app/bin'),
    ro(join(code, 'container/agent-runner/src/ncl/ncl'), '/usr/local/bin/ncl'),
    ...provider.mounts(code).map(({ source, target }) => ro(source, target)),
    ro(folders.group, INSIDE.group),
    rw(folders.box, INSIDE.workspace),
    ro(folders.inbound, INSIDE.inbound),
    rw(agentFolder, INSIDE.agent),
    rw(folders.home, INSIDE.home),
    rw(folders.claude, INSIDE.claude),
    ro(folders.run, dirname(INSIDE.proxySocket)),
  ];
}

function sandboxEnv({ timezone, egress }: AgentGroup): Record<string, string> {
  const proxy = `http://127.0.0.1:${INSIDE.proxyPort}`;
  const local = 'localhost,127.0.0.1,::1';
  return {
    PATH: '/app/bin:/usr/local/bin:/usr/bin:/bin',
    HOME: INSIDE.home,
    LANG: 'C.UTF-8',
    TZ: timezone,
    TMPDIR: '/tmp',
    ...(egress === 'public' && { HTTP_PROXY: proxy, HTTPS_PROXY: proxy, http_proxy: proxy, https_proxy: proxy }),
    NO_PROXY: local,
    no_proxy: local,
    ...takeRunnerFault(),
  };
}

let runnerFault = process.env.NANOCLAW_RUNNER_FAULT;

/** Where a test wants a runner to end: the first one after a start, so that the next one can go on. */
function takeRunnerFault(): Record<string, string> {
  const armed: Record<string, string> = runnerFault ? { NANOCLAW_FAULT: runnerFault } : {};
  runnerFault = undefined;
  return armed;
}

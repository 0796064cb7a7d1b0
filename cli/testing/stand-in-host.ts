import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { createDeadLetters } from '../../admin/dead-letters.ts';
import { createChange } from '../../admin/directory/change.ts';
import { createDirectory, type Directory } from '../../admin/directory/index.ts';
import type { HostView, SessionDetail } from '../../admin/view.ts';
import { createTerminals } from '../../channels/terminal/index.ts';
import { webhookUrl } from '../../channels/web-server/index.ts';
import { createAudit } from '../../src/audit/index.ts';
import type { Acceptance, ChannelAdapter, ChannelHost, InboundEvent } from '../../src/channels/adapter.ts';
import { createInstances } from '../../src/channels/instances.ts';
import { createSupervisor } from '../../src/channels/supervisor.ts';
import { openCentral } from '../../src/db/connection.ts';
import { createDeliveries } from '../../src/db/deliveries.ts';
import { createMessages } from '../../src/db/messages.ts';
import { createSessions } from '../../src/db/sessions.ts';
import { listAgentGroups } from '../../src/groups/agent-groups.ts';
import { createLogger, type Logger } from '../../src/log/index.ts';
import { type Paths, pathsFor } from '../../src/paths.ts';
import { createMounts } from '../../src/sandbox/mounts/index.ts';
import { createTakeOver } from '../../src/take-over/index.ts';
import { createAdminServer } from '../server.ts';

/** Both sockets of a host with played contents behind them: what `ncl` is tested against, as a real process. */

/** One agent with one session, in a real database. */
function seed(db: DatabaseSync): void {
  const at = '2026-01-02T03:04:05.006Z';
  db.exec(`
    INSERT OR IGNORE INTO agent_groups (id, name, folder, uid_ordinal, created_at) VALUES ('ag-1', 'Andy', 'andy', 1, '${at}');
    INSERT OR IGNORE INTO container_configs (agent_group_id, provider, assistant_name, timezone, updated_at)
      VALUES ('ag-1', 'demo', 'Andy', 'Europe/Berlin', '${at}');
    INSERT OR IGNORE INTO messaging_groups (id, channel_type, platform_id, created_at)
      VALUES ('mg-1', 'terminal', 'local', '${at}');
    INSERT OR IGNORE INTO sessions (id, agent_group_id, messaging_group_id, last_active, created_at)
      VALUES ('sess-1', 'ag-1', 'mg-1', '${at}', '${at}')`);
  const add = db.prepare(
    `INSERT OR IGNORE INTO messages (id, session_id, direction, seq, kind, timestamp, status, content, created_at)
     VALUES (?1, 'sess-1', 'in', ?2, 'chat', ?3, 'pending', '{}', ?3)`,
  );
  for (const seq of [2, 4]) add.run(`m${seq}`, seq, at);
}

const detail: SessionDetail = {
  folder: '/somewhere',
  provider: 'demo',
  runsWith: 'Provider: demo.',
  sandbox: { startedAt: '2026-01-02T03:04:05.006Z', uid: 1234 },
  recent: [
    {
      id: 'm1',
      direction: 'in',
      timestamp: '2026-01-02T03:04:05.006Z',
      status: 'done',
      text: `\u001b[31m${'long '.repeat(40)}`,
    },
  ],
};

function directoryOf(db: DatabaseSync, paths: Paths, log: Logger): Directory {
  const [messages, deliveries, sessions] = [createMessages(db), createDeliveries(db), createSessions(db)];
  return createDirectory({
    db,
    audit: createAudit(db),
    paths,
    sessions,
    messages,
    takeOver: createTakeOver({ db, messages, deliveries, sessions }),
    channelHasThreads: () => false,
    perform: () => undefined,
    runner: {
      list: () => [{ sessionId: 'sess-1', agentGroupId: 'ag-1', startedAt: 0, phase: 'running' }],
      stop: async () => undefined,
      forget: () => undefined,
    },
    publish: () => undefined,
    settingsChanged: () => undefined,
    skillNames: () => [],
    endApprovals: () => undefined,
    log,
  });
}

function standInChannels(root: string, db: DatabaseSync, log: Logger): HostView['channels'] {
  const instances = createInstances(db);
  const adapters = new Map<string, ChannelAdapter>();
  const folder = join(root, 'data/channels');
  const host: ChannelHost = {
    accept: async () => ({ status: 'duplicate' }),
    press: async () => '',
    available: () => undefined,
  };
  const supervisor = createSupervisor({
    instances,
    code: root,
    folder,
    adapters,
    host,
    tellOwner: () => undefined,
    log,
  });
  return {
    supervisor,
    instances,
    adapter: (channelType) => adapters.get(channelType),
    deliveries: createDeadLetters(db),
    deliver: () => undefined,
    change: createChange(db, createAudit(db)),
    code: root,
    folder,
    webhookUrl: (instance) => webhookUrl(undefined, instance),
  };
}

export async function standIn(root: string): Promise<void> {
  process.chdir(root);
  const paths = pathsFor(root);
  const log = createLogger({ folder: paths.logs, secrets: () => [] });
  const [terminal] = createTerminals({ socketPath: paths.cliSocket, log });
  mkdirSync(paths.data, { recursive: true, mode: 0o711 });
  const db = openCentral({ file: paths.db, backups: paths.backups, now: Date.now() });
  seed(db);
  const audit = createAudit(db);
  const mounts = createMounts({ db, audit, paths, code: root, allowlist: join(root, 'mount-allowlist.json') });
  const view: HostView = {
    status: () => ({
      version: '9.9.9',
      pid: process.pid,
      startedAt: new Date().toISOString(),
      slug: 'abcdef01',
      driver: 'none',
      agents: [{ id: 'ag-1', name: 'Andy', provider: 'demo', model: null }],
      channels: [{ channelType: 'terminal', connected: true }],
      sessions: { active: 1, running: 1 },
      queues: { inbound: 3, outbound: 0 },
      problems: ['The moon is full.'],
    }),
    lookup: { db, states: () => ({ 'sess-1': 'warm' }) },
    directory: directoryOf(db, paths, log),
    get history(): never {
      throw new Error('Nothing was said here.');
    },
    get usage(): never {
      throw new Error('Nothing is spent here.');
    },
    get tasks(): never {
      throw new Error('There are no tasks here.');
    },
    channels: standInChannels(root, db, log),
    mounts: { mounts, agents: () => listAgentGroups(db), change: createChange(db, audit), uidFor: () => undefined },
    session: () => ({ ok: true, data: detail }),
    scopeOf: () => undefined,
    requestApproval: () => ({ ok: false, code: 'NC_FORBIDDEN' }),
    decide: async () => ({ ok: false, text: '' }),
    doctorChecks: async () => [{ name: 'upstream', ok: false, blocking: true, detail: 'It is away.', remedy: 'Wait.' }],
    housekeeping: async (dryRun) => ({ dryRun, skipped: false, gone: [{ kind: 'logs', count: 2, bytes: 3_000_000 }] }),
    stop: () => (existsSync(join(root, 'do-not-stop')) ? undefined : void stop()),
  };
  const admin = createAdminServer({ socketPath: paths.adminSocket, handlers: view, log });

  const host: ChannelHost = {
    available: () => undefined,
    press: async () => '',
    accept: async (event) => {
      setImmediate(() => void play(event));
      return event.text.startsWith('/')
        ? ({ status: 'answered' } as Acceptance)
        : { status: 'stored', messageIds: ['msg-1'] };
    },
  };

  async function play({ text, platformMessageId }: InboundEvent): Promise<void> {
    const to = { platformId: 'local', threadId: null, progress: false, files: [] };
    if (text === 'never') return;
    if (text === 'die' && !existsSync('died')) {
      writeFileSync('died', '');
      process.kill(process.pid, 'SIGKILL');
    }
    terminal.typing('local', null, true);
    if (!text.startsWith('/')) await terminal.deliver({ ...to, id: 'out-0', text: 'for another', inReplyTo: 'msg-0' });
    await terminal.deliver({ ...to, id: 'out-1', text: 'looking', progress: true });
    if (text === 'silence') return terminal.settled?.('local', platformMessageId, 'silence');
    writeFileSync('made', 'by the agent');
    const files = text === 'file' ? [{ name: 'a.txt', path: 'made', size: 12 }] : [];
    const inReplyTo = text.startsWith('/') ? 'msg-command' : 'msg-1';
    const answer = { ...to, id: `out-2-${text}`, text: `you said: ${text}\u001b]0;title\u0007`, files, inReplyTo };
    // Twice, as after a crash.
    await terminal.deliver(answer);
    await terminal.deliver(answer);
    terminal.settled?.('local', platformMessageId, text === 'notice' ? 'notice' : 'reply');
  }

  async function stop(): Promise<void> {
    await admin.stop();
    await terminal.stop();
    log.close();
    process.exit(0);
  }
  process.on('SIGTERM', () => void stop());
  await terminal.start(host);
  await admin.start();
  log.info('ready', { pid: process.pid });
}

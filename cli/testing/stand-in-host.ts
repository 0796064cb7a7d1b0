import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { GroupRow, HostView, SessionDetail } from '../../src/admin-view.ts';
import type { Acceptance, ChannelHost, InboundEvent } from '../../src/channels/adapter.ts';
import { createTerminalAdapter } from '../../src/channels/terminal/index.ts';
import { createLogger } from '../../src/log/index.ts';
import { pathsFor } from '../../src/paths.ts';
import { createAdminServer } from '../server.ts';

/** Both sockets of a host with played contents behind them: what `ncl` is tested against, as a real process. */

const group: GroupRow = {
  id: 'ag-1',
  name: 'Andy',
  folder: 'andy',
  provider: 'demo',
  model: null,
  effort: null,
  assistantName: 'Andy',
  timezone: 'Europe/Berlin',
  egress: 'public',
  egressAllow: [],
};

const session: SessionDetail = {
  id: 'sess-1',
  agent: 'Andy',
  channelType: 'terminal',
  platformId: 'local',
  threadId: null,
  state: 'warm',
  pending: 2,
  lastActivity: '2026-01-02T03:04:05.006Z',
  agentGroupId: 'ag-1',
  createdAt: '2026-01-02T03:04:05.006Z',
  folder: '/somewhere',
  provider: 'demo',
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

export async function standIn(root: string): Promise<void> {
  process.chdir(root);
  const paths = pathsFor(root);
  const log = createLogger({ folder: paths.logs, secrets: () => [] });
  const terminal = createTerminalAdapter({ socketPath: paths.cliSocket, log });
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
    sessions: () => [session],
    session: (id) => (session.id.startsWith(id) ? { ok: true, data: session } : { ok: false, code: 'NC_NOT_FOUND' }),
    doctorChecks: async () => [{ name: 'upstream', ok: false, blocking: true, detail: 'It is away.', remedy: 'Wait.' }],
    housekeeping: async (dryRun) => ({ dryRun, skipped: false, gone: [{ kind: 'logs', count: 2, bytes: 3_000_000 }] }),
    stop: () => (existsSync(join(root, 'do-not-stop')) ? undefined : void stop()),
    groups: () => [group],
    updateGroup: (_id, { model, effort, ...changes }) => ({
      ok: true,
      data: { ...group, ...changes, model: model ?? null, effort: effort ?? null },
    }),
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

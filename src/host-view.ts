import type { DatabaseSync } from 'node:sqlite';
import { isoTime } from '@nanoclaw/protocol';
import { parseRule } from '@nanoclaw/vault';
import type { Check, GroupRow, HostView, Result, SessionDetail, SessionRow, StatusReport } from './admin-view.ts';
import type { Session } from './db/sessions.ts';
import { errorText } from './errors.ts';
import { type AgentGroup, listAgentGroups, updateAgentGroup } from './groups/agent-groups.ts';
import type { Host } from './host.ts';

/** What a running host tells `ncl`. */

export interface HostViewParts {
  host: Host;
  db: DatabaseSync;
  slug: string;
  version: string;
  startedAt: number;
  stop(): void;
}

const SHOWN_MESSAGES = 10;
const SHOWN_TEXT = 200;

export function createHostView({ host, db, slug, version, startedAt, stop }: HostViewParts): HostView {
  const chat = db.prepare('SELECT channel_type, platform_id FROM messaging_groups WHERE id = ?');
  const pending = db.prepare(
    `SELECT count(*) AS n FROM messages WHERE direction = 'in' AND status IN ('pending', 'paused') AND trigger = 1`,
  );
  const active = db.prepare("SELECT count(*) AS n FROM sessions WHERE status = 'active'");
  const recent = db.prepare(
    `SELECT id, direction, timestamp, status, outcome, content FROM messages
     WHERE session_id = ? AND kind <> 'system' ORDER BY created_at DESC, rowid DESC LIMIT ${SHOWN_MESSAGES}`,
  );
  const byPrefix = db.prepare('SELECT id FROM sessions WHERE id >= ?1 AND id < ?2 LIMIT 2');

  function findSession(idOrPrefix: string): Result<Session> {
    const exact = host.sessions.get(idOrPrefix);
    const ids = exact ? [exact.id] : byPrefix.all(idOrPrefix, `${idOrPrefix}\uffff`).map((row) => String(row.id));
    if (ids.length > 1)
      return { ok: false, code: 'NC_AMBIGUOUS', detail: `More than one session begins with ${idOrPrefix}.` };
    const session = ids[0] === undefined ? undefined : host.sessions.get(ids[0]);
    return session && idOrPrefix !== ''
      ? { ok: true, data: session }
      : { ok: false, code: 'NC_NOT_FOUND', detail: `No session begins with ${JSON.stringify(idOrPrefix)}.` };
  }

  function rowOf(session: Session, names: ReadonlyMap<string, string>): SessionRow {
    const place = session.messagingGroupId === null ? undefined : chat.get(session.messagingGroupId);
    const running = host.runner.has(session.id);
    const turnSince = host.activity.get(session.id)?.turnSince ?? null;
    return {
      id: session.id,
      agent: names.get(session.agentGroupId) ?? session.agentGroupId,
      channelType: place ? String(place.channel_type) : '',
      platformId: place ? String(place.platform_id) : '',
      threadId: session.threadId,
      state: !running ? 'idle' : turnSince === null ? 'warm' : 'working',
      pending: host.messages.open(session.id).filter((message) => message.trigger).length,
      lastActivity: session.lastActive,
    };
  }

  function agentNames(): Map<string, string> {
    return new Map(listAgentGroups(db).map((agent) => [agent.id, agent.name]));
  }

  function detailOf(session: Session): SessionDetail {
    const agent = listAgentGroups(db).find((candidate) => candidate.id === session.agentGroupId);
    const running = host.runner.list().find((entry) => entry.sessionId === session.id);
    return {
      ...rowOf(session, agentNames()),
      agentGroupId: session.agentGroupId,
      createdAt: session.createdAt,
      folder: host.manager.folders(session).session,
      provider: agent?.provider ?? '',
      sandbox: running ? { startedAt: isoTime(running.startedAt), uid: null } : null,
      recent: recent
        .all(session.id)
        .reverse()
        .map((row) => ({
          id: String(row.id),
          direction: row.direction === 'in' ? ('in' as const) : ('out' as const),
          timestamp: String(row.timestamp),
          status: String(row.outcome ?? row.status),
          text: textOf(String(row.content)),
        })),
    };
  }

  function problems(): string[] {
    const away = [...host.adapters.keys()].filter((channelType) => host.disconnected.has(channelType));
    return [
      ...away.map((channelType) => `The channel ${channelType} is not connected.`),
      ...host.housekeeping.problems(),
    ];
  }

  return {
    status(): StatusReport {
      return {
        version,
        pid: process.pid,
        startedAt: isoTime(startedAt),
        slug,
        driver: host.driver.name,
        agents: listAgentGroups(db).map(({ id, name, provider, model }) => ({
          id,
          name,
          provider,
          model: model ?? null,
        })),
        channels: [...host.adapters.keys()].map((channelType) => ({
          channelType,
          connected: !host.disconnected.has(channelType),
        })),
        sessions: { active: Number(active.get()?.n ?? 0), running: host.runner.list().length },
        queues: { inbound: Number(pending.get()?.n ?? 0), outbound: host.delivery.depth() },
        problems: problems(),
      };
    },
    sessions() {
      const names = agentNames();
      return host.sessions.list().map((session) => rowOf(session, names));
    },
    session(idOrPrefix) {
      const found = findSession(idOrPrefix);
      return found.ok ? { ok: true, data: detailOf(found.data) } : found;
    },
    async doctorChecks() {
      const used = new Set(listAgentGroups(db).map((agent) => agent.provider));
      return Promise.all([...used].map((name) => checkModel(host, name)));
    },
    housekeeping: (dryRun) => host.housekeeping.run(dryRun),
    stop,
    groups: () => listAgentGroups(db).map(groupRow),
    updateGroup(idOrName, changes) {
      const all = listAgentGroups(db);
      const exact = all.filter(({ id, name, folder }) => id === idOrName || name === idOrName || folder === idOrName);
      const [agent] = exact;
      if (!agent) return { ok: false, code: 'NC_NOT_FOUND', detail: `There is no agent ${JSON.stringify(idOrName)}.` };
      const unreadable = changes.egressAllow?.find((rule) => parseRule(rule) === undefined);
      if (unreadable !== undefined) {
        return {
          ok: false,
          code: 'NC_USAGE',
          detail: `${JSON.stringify(unreadable)} is no rule: host, host:port or host:*.`,
        };
      }
      if (exact.length > 1)
        return { ok: false, code: 'NC_AMBIGUOUS', detail: 'Give the id: the name fits more than one.' };
      updateAgentGroup(db, agent.id, changes, isoTime(Date.now()));
      const changed = listAgentGroups(db).find((candidate) => candidate.id === agent.id) ?? agent;
      return { ok: true, data: groupRow(changed) };
    },
  };
}

async function checkModel(host: Host, name: string): Promise<Check> {
  const check = { name: `model (${name})`, blocking: true };
  try {
    const provider = await host.providers.get(name);
    if (!provider.needsCredential) return { ...check, ok: true, detail: 'needs no account' };
    const probe = await host.providers.probe(provider);
    return probe.ok
      ? { ...check, ok: true, detail: 'it can be reached' }
      : { ...check, ok: false, detail: probe.sentence, remedy: 'Check the network and ANTHROPIC_BASE_URL.' };
  } catch (error) {
    return { ...check, ok: false, detail: errorText(error), remedy: 'Run `bash nanoclaw.sh` again.' };
  }
}

function groupRow(agent: AgentGroup): GroupRow {
  const { id, name, folder, provider, assistantName, timezone, egress } = agent;
  return {
    id,
    name,
    folder,
    provider,
    model: agent.model ?? null,
    effort: agent.effort ?? null,
    assistantName,
    timezone,
    egress,
    egressAllow: [...agent.egressAllow],
  };
}

function textOf(content: string): string {
  try {
    const parsed: unknown = JSON.parse(content);
    if (typeof parsed === 'object' && parsed !== null && 'text' in parsed)
      return String(parsed.text).slice(0, SHOWN_TEXT);
  } catch {
    // Falls through: what can't be read is shown as it is.
  }
  return content.slice(0, SHOWN_TEXT);
}

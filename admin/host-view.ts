import type { DatabaseSync } from 'node:sqlite';
import { isoTime } from '@nanoclaw/protocol';
import { inForceLine } from '../assistant/model/words.ts';
import { transaction } from '../src/db/group-commit.ts';
import type { Session } from '../src/db/sessions.ts';
import { errorText } from '../src/errors.ts';
import { getAgentGroup, listAgentGroups } from '../src/groups/agent-groups.ts';
import type { Host } from '../src/host.ts';
import type { Check, HostView, SessionDetail, StatusReport } from './view.ts';

/** What a running host tells `ncl`. */

export interface HostViewParts {
  host: Host;
  /** The user that whoever may call this is. */
  owner: string;
  db: DatabaseSync;
  slug: string;
  version: string;
  startedAt: number;
  stop(): void;
}

const SHOWN_MESSAGES = 10;
const SHOWN_TEXT = 200;

export function createHostView({ host, owner, db, slug, version, startedAt, stop }: HostViewParts): HostView {
  const pending = db.prepare(
    `SELECT count(*) AS n FROM messages WHERE direction = 'in' AND status IN ('pending', 'paused') AND trigger = 1`,
  );
  const active = db.prepare("SELECT count(*) AS n FROM sessions WHERE status = 'active'");
  const recent = db.prepare(
    `SELECT id, direction, timestamp, status, outcome, content FROM messages
     WHERE session_id = ? AND kind <> 'system' ORDER BY created_at DESC, rowid DESC LIMIT ${SHOWN_MESSAGES}`,
  );
  function detailOf(session: Session): SessionDetail {
    const running = host.runner.list().find((entry) => entry.sessionId === session.id);
    const force = host.assistant.models.inForce(session.agentGroupId, session.id);
    return {
      folder: host.manager.folders(session).session,
      provider: force.provider.value,
      runsWith: inForceLine(force, getAgentGroup(db, session.agentGroupId)?.assistantName ?? ''),
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
    const audit = host.auditProblem();
    return [
      ...host.channels
        .reports()
        .filter(({ enabled, state }) => enabled && state !== 'connected')
        .map(({ instance, detail }) => `The channel ${instance} is not connected.${detail ? ` ${detail}` : ''}`),
      ...host.housekeeping.problems(),
      ...(audit === undefined ? [] : [audit]),
      ...host.assistant.models.problems(),
      ...host.assistant.usage.problems(Date.now()),
    ];
  }

  return {
    mounts: host.mounts,
    channels: host.channelTools,
    status(): StatusReport {
      return {
        version,
        pid: process.pid,
        startedAt: isoTime(startedAt),
        slug,
        driver: host.driver.name,
        agents: listAgentGroups(db).map(({ id, name }) => {
          const { provider, model } = host.assistant.models.inForce(id, undefined);
          return { id, name, provider: provider.value, model: model.value ?? null };
        }),
        channels: host.channels
          .reports()
          .filter(({ enabled }) => enabled)
          .map(({ instance, state }) => ({ channelType: instance, connected: state === 'connected' })),
        sessions: { active: Number(active.get()?.n ?? 0), running: host.runner.list().length },
        queues: { inbound: Number(pending.get()?.n ?? 0), outbound: host.delivery.depth() },
        problems: problems(),
      };
    },
    lookup: {
      db,
      states: () =>
        Object.fromEntries(
          host.runner.list().map(({ sessionId: id }) => {
            const isWorking = (host.activity.get(id)?.turnSince ?? null) !== null;
            return [id, isWorking ? 'working' : 'warm'];
          }),
        ),
    },
    directory: host.admin.directory,
    tasks: host.assistant.tasks.changes,
    usage: host.assistant.usage.tools,
    history: host.assistant.history,
    session(id) {
      const session = host.sessions.get(id);
      return session ? { ok: true, data: detailOf(session) } : { ok: false, code: 'NC_NOT_FOUND' };
    },
    async doctorChecks() {
      const used = new Set(
        listAgentGroups(db).map(({ id }) => host.assistant.models.inForce(id, undefined).provider.value),
      );
      return Promise.all([...used].map((name) => checkModel(host, name)));
    },
    housekeeping: (dryRun) => host.housekeeping.run(dryRun),
    stop,
    scopeOf: host.admin.callers.scope,
    requestApproval({ agentGroupId, sessionId, scope }, { action, ...what }, now) {
      const asked = transaction(db, () =>
        host.admin.approvals.request(
          {
            ...what,
            kind: 'ncl',
            // What concerns more than its own agent is for those who look after all of them.
            agentGroupId: scope === 'group' ? agentGroupId : null,
            sessionId,
            requestedBy: `agent:${agentGroupId}`,
            origin: host.admin.directory.origin(sessionId) ?? NOWHERE,
            options: [
              { label: 'Allow', does: 'approve', action },
              { label: 'Refuse', does: 'deny', action: null },
            ],
          },
          now,
        ),
      );
      if (!asked.ok) return asked;
      asked.data.after();
      return { ok: true, data: asked.data.id };
    },
    decide: (choice) => host.admin.approvals.decide(choice, { user: owner, owns: true }),
  };
}

const NOWHERE = { channel_type: null, platform_id: null, thread_id: null };

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

import { mkdirSync } from 'node:fs';
import { type By, createDirectory, type Directory } from '../../admin/directory/index.ts';
import { createLookup, type Lookup } from '../../cli/lookup/index.ts';
import { type AuditEntry, createAudit } from '../../src/audit/index.ts';
import { pathsFor } from '../../src/paths.ts';
import type { Effects } from '../../src/take-over/index.ts';
import { createInstall, type Install } from './central.ts';

/** A directory on a fresh install, with sandboxes that are only said to run. */
export interface World extends AsyncDisposable {
  install: Install;
  directory: Directory;
  lookup: Lookup;
  owner: By;
  /** Of that agent group alone. */
  scoped(agentGroupId: string, speakers?: readonly string[]): By;
  /** Session ids. */
  running: Map<string, string>;
  stopped: string[];
  published: string[];
  performed: Effects[];
  audited(): Pick<AuditEntry, 'actor' | 'action' | 'subject'>[];
  query(sql: string, ...values: (string | number | null)[]): Record<string, unknown>[];
}

export function createWorld(): World {
  const install = createInstall();
  const { db, root, sessions, messages, takeOver, agentId } = install;
  const paths = pathsFor(root);
  for (const folder of [paths.sessions, paths.run]) mkdirSync(folder, { recursive: true });
  const running = new Map<string, string>();
  const stopped: string[] = [];
  const published: string[] = [];
  const performed: Effects[] = [];
  const directory = createDirectory({
    db,
    audit: createAudit(db),
    paths,
    sessions,
    messages,
    takeOver,
    channelHasThreads: (channelType) => channelType === 'threaded',
    perform: (_session, effects) => void performed.push(effects),
    runner: {
      list: () =>
        [...running].map(([sessionId, agentGroupId]) => ({ sessionId, agentGroupId, startedAt: 0, phase: 'running' })),
      async stop(id) {
        if (running.delete(id)) stopped.push(id);
      },
      forget: () => undefined,
    },
    publish: (id) => void published.push(id),
    settingsChanged: () => undefined,
    skillNames: () => ['telegram-formatting', 'welcome'],
    endApprovals: () => undefined,
    log: {
      error(message, fields) {
        throw new Error(`${message} ${JSON.stringify(fields)}`);
      },
    },
  });
  const before = Number(db.prepare('SELECT ifnull(max(seq), 0) AS n FROM audit_log').get()?.n);
  return {
    install,
    directory,
    lookup: createLookup({ db, states: () => Object.fromEntries([...running.keys()].map((id) => [id, 'warm'])) }),
    owner: { actor: 'terminal:owner', scope: null },
    scoped: (id = agentId, speakers = []) => ({ actor: `agent:${id}`, scope: id, speakers }),
    running,
    stopped,
    published,
    performed,
    audited: () =>
      db
        .prepare('SELECT actor, action, subject FROM audit_log WHERE seq > ? ORDER BY seq')
        .all(before)
        .map(({ actor, action, subject }) => ({
          actor: String(actor),
          action: String(action),
          subject: String(subject),
        })),
    query: (sql, ...values) => db.prepare(sql).all(...values),
    async [Symbol.asyncDispose]() {
      await directory.settled();
      install[Symbol.dispose]();
    },
  };
}

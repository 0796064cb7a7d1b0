import type { DatabaseSync } from 'node:sqlite';
import type { Activity } from '../../src/activity.ts';
import type { ContainerRunner } from '../../src/container-runner.ts';
import type { Session, Sessions } from '../../src/db/sessions.ts';
import { getAgentGroup } from '../../src/groups/agent-groups.ts';
import type { Logger } from '../../src/log/index.ts';
import type { Models } from '../model/index.ts';
import { readConfig, withModel, writeConfig } from './group-folder.ts';

/**
 * What a sandbox that runs does with a changed setting. A name, a model, an effort it reads itself before each turn; for another
 * provider it has to end, and does so when it rests.
 */

export interface SwitchingParts {
  db: DatabaseSync;
  models: Models;
  sessions: Pick<Sessions, 'get'>;
  runner: Pick<ContainerRunner, 'list' | 'stop'>;
  activity: { get(sessionId: string): Pick<Activity, 'turnSince' | 'jobs'> | undefined };
  /** What is mounted as /app/group. */
  groupFolder(session: Session): string;
  /** inbound.db: its runner looks at everything anew. */
  publish(sessionId: string): void;
  log: Pick<Logger, 'error'>;
}

export interface Switching {
  changed(agentGroupId: string): void;
  look(): void;
}

const GRACE_MS = 3_000;

export function createSwitching(parts: SwitchingParts): Switching {
  const { db, models, sessions, runner } = parts;
  /** Sessions whose sandbox has another provider than it should. */
  const waiting = new Set<string>();

  /** Whether its provider is the one that is in force; undefined where it is gone. */
  function isRight(session: Session): boolean | undefined {
    const config = readConfig(parts.groupFolder(session));
    return config && config.provider === models.inForce(session.agentGroupId, session.id).provider.value;
  }

  function follow(session: Session, assistantName: string): void {
    const folder = parts.groupFolder(session);
    const config = readConfig(folder);
    if (!config) return;
    const named = { ...config, assistantName };
    const right = isRight(session) === true;
    writeConfig(folder, right ? withModel(named, models.inForce(session.agentGroupId, session.id)) : named);
    parts.publish(session.id);
    if (!right) waiting.add(session.id);
  }

  function look(): void {
    if (waiting.size === 0) return;
    const running = new Map(runner.list().map((entry) => [entry.sessionId, entry.phase]));
    for (const id of [...waiting]) {
      const session = sessions.get(id);
      // Its next start asks anew, and so does whoever changed it back.
      if (!session || !running.has(id)) waiting.delete(id);
      const activity = parts.activity.get(id);
      const rests = activity?.turnSince === null && activity.jobs.size === 0;
      if (!session || running.get(id) !== 'running' || !rests) continue;
      waiting.delete(id);
      if (isRight(session) !== false) continue;
      runner
        .stop(id, GRACE_MS, 'provider')
        .catch((error: unknown) => parts.log.error('stop failed', { session: id, error }));
    }
  }

  return {
    changed(agentGroupId) {
      const agent = getAgentGroup(db, agentGroupId);
      for (const { sessionId } of runner.list()) {
        const session = sessions.get(sessionId);
        if (agent && session?.agentGroupId === agentGroupId) follow(session, agent.assistantName);
      }
      look();
    },
    look,
  };
}

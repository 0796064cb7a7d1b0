import { totalmem } from 'node:os';
import type { DatabaseSync } from 'node:sqlite';
import type { AgentDoor } from '../admin/agent-door/index.ts';
import type { Activities } from './activity.ts';
import { type AftermathParts, createAftermath } from './aftermath.ts';
import type { Audit } from './audit/index.ts';
import type { Composing } from './composing.ts';
import { createContainerRunner } from './container-runner.ts';
import type { Deliveries } from './db/deliveries.ts';
import type { Messages } from './db/messages.ts';
import type { Session, Sessions } from './db/sessions.ts';
import { getAgentGroup } from './groups/agent-groups.ts';
import type { Logger } from './log/index.ts';
import { createOutboundReader } from './mailbox/outbound-reader.ts';
import { createMailboxWatch } from './mailbox/watch.ts';
import { createMailboxPull } from './mailbox-pull.ts';
import type { Notices } from './notices.ts';
import type { Paths } from './paths.ts';
import type { Providers } from './providers/registry.ts';
import { createQuarantine } from './quarantine.ts';
import type { Questioning } from './questioning.ts';
import { createRoom } from './room.ts';
import type { SandboxDriver } from './sandbox/driver.ts';
import type { Mounts } from './sandbox/mounts/index.ts';
import { places } from './sandbox-queue.ts';
import { LIMITS, openRelay, prepareSandbox } from './sandbox-spec.ts';
import { createSessionFiles } from './session-files.ts';
import { createSessionManager } from './session-manager.ts';
import type { Spending } from './spending.ts';
import type { Effects, TakeOver } from './take-over/index.ts';

/** Sessions and what runs for them: folders and mailbox, start and end, what their agents say, what is left of them. */

export interface SandboxesParts {
  code: string;
  paths: Paths;
  db: DatabaseSync;
  driver: SandboxDriver;
  /** How many at once, when it is set. */
  most: string | undefined;
  uidFor(ordinal: number): number | undefined;
  messages: Messages;
  sessions: Sessions;
  deliveries: Deliveries;
  takeOver: TakeOver;
  audit: Audit;
  activity: Activities;
  providers: Providers;
  mounts: Mounts;
  notices: Notices;
  agentDoor(): AgentDoor;
  questions(): Questioning;
  composing(): Composing;
  spending(): Spending;
  /** After each readable look at what its agent does. */
  onLook(sessionId: string): void;
  lost: AftermathParts['lost'];
  /** What follows a transaction that concerned a session. */
  perform(session: Session, effects: Effects): void;
  log: Logger;
}

export function createSandboxes(parts: SandboxesParts) {
  const { driver, messages, sessions, activity, providers, notices, agentDoor, questions, log } = parts;
  const reader = createOutboundReader({
    log: (level, message, fields) => log[level](message, fields),
    isWanted: () => activity.size > 0,
  });
  const watch = createMailboxWatch();
  const manager = createSessionManager({
    ...parts,
    onPublishError: notices.notHandedOn,
    limit: (sessionId) =>
      Math.min(room.limit(sessionId) ?? Number.POSITIVE_INFINITY, parts.spending().limit(sessionId)),
    answers: (sessionId) => [...agentDoor().answers(sessionId), ...questions().reports(sessionId)],
  });
  const files = createSessionFiles({
    ...parts,
    manager,
    uidOf({ agentGroupId }) {
      const agent = getAgentGroup(parts.db, agentGroupId);
      return agent && parts.uidFor(agent.uidOrdinal);
    },
  });
  const mailbox = createMailboxPull({
    ...parts,
    reader,
    folders: manager.folders,
    onSnapshot(session, snapshot) {
      activity.seen(session.id, snapshot);
      agentDoor().seen(session.id, snapshot.acks);
      parts.onLook(session.id);
    },
    onHostile: (session, reason) => quarantine(session, reason),
  });
  const aftermath = createAftermath({ ...parts, mailbox });

  const all = places(memoryOfMachine(), LIMITS.memoryBytes, parts.most);
  const runner = createContainerRunner({
    driver,
    places: all,
    isDue: (sessionId) => messages.due(sessionId, Date.now()).count > 0,
    onFull: () => room.soon(),
    session: (id) => (parts.spending().isHeld(id) ? undefined : sessions.get(id)),
    prepare: async (session) => {
      await files.dropLeftovers(session);
      return prepareSandbox({ ...parts, manager, onLeftOut: notices.leftOut }, session);
    },
    async reopen(session) {
      await openRelay({ ...parts, manager }, session);
      // Made of the same settings, unless they have changed since.
      manager.publishNow(session.id);
    },
    onStarted(session, adopted) {
      reader.warm();
      activity.started(session.id, sessions.get(session.id)?.hostSeq ?? 0);
      agentDoor().opened(session.id);
      watch.add(
        session.id,
        manager.folders(session).box,
        () => void mailbox.pull(session.id),
        () => void runner.stop(session.id, 0, 'lost'),
      );
      // What it has said while nobody listened.
      if (adopted) void mailbox.pull(session.id);
    },
    onStartFailed(session, failure) {
      void providers.closeSession(session);
      aftermath.fail(session, failure);
    },
    async onExit(session, exit, planned) {
      watch.remove(session.id);
      agentDoor().closed(session.id);
      const known = activity.ended(session.id);
      await providers.closeSession(session);
      await aftermath.settle(session, exit, planned, known?.seqAtStart ?? 0);
      setImmediate(() => {
        if (messages.dueSessions(Date.now()).includes(session.id)) void runner.wake(session.id);
      });
    },
    log,
  });
  const quarantine = createQuarantine({ ...parts, runner, mailbox, aftermath });
  const room = createRoom({
    ...parts,
    runner,
    places: all,
    publish: manager.publish,
    sayWhereAsked: notices.sayWhereAsked,
    onError: (error) => log.error('a sandbox did not make room', { error }),
  });

  return {
    manager,
    files,
    aftermath,
    runner,
    room,
    watch,
    reader,
    boxOf(sessionId: string): string | undefined {
      const session = sessions.get(sessionId);
      return session && manager.folders(session).box;
    },
    /** inbound.db as it is, and a sandbox to read it. */
    wake(sessionId: string): void {
      manager.publish(sessionId);
      void runner.wake(sessionId);
    },
  };
}

/** What this process and its sandboxes may use: of the machine, or of the container that the host runs in. */
function memoryOfMachine(): number {
  const constrained = process.constrainedMemory();
  return constrained > 0 ? Math.min(totalmem(), constrained) : totalmem();
}

import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { createAftermath } from './aftermath.ts';
import type { ChannelAdapter, ChannelHost, InboundEvent } from './channels/adapter.ts';
import { createCommands } from './commands/index.ts';
import { createContainerRunner } from './container-runner.ts';
import { createDeliveries } from './db/deliveries.ts';
import { createGroupCommit, transaction } from './db/group-commit.ts';
import { createMessages } from './db/messages.ts';
import { createSessions, type Session } from './db/sessions.ts';
import { createDelivery } from './delivery.ts';
import { createEgressCounters } from './egress-counters.ts';
import type { Failure } from './failures.ts';
import { getAgentGroup } from './groups/agent-groups.ts';
import { type SandboxView, sweep } from './host-sweep.ts';
import type { Logger } from './log/index.ts';
import { takeIn } from './mailbox/attachments.ts';
import { heartbeatAgeMs } from './mailbox/heartbeat.ts';
import { createOutboundReader } from './mailbox/outbound-reader.ts';
import { createMailboxWatch } from './mailbox/watch.ts';
import { createMailboxPull } from './mailbox-pull.ts';
import type { Paths } from './paths.ts';
import { createRoles } from './people/roles.ts';
import { createProviders } from './providers/registry.ts';
import { createRouter } from './router.ts';
import type { SandboxDriver } from './sandbox/driver.ts';
import { prepareSandbox } from './sandbox-spec.ts';
import { createSessionManager } from './session-manager.ts';
import { createTakeOver, type Effects } from './take-over.ts';
import { createTyping } from './typing.ts';

/** The host, put together: every part with its neighbours. `index.ts` gives it the adapters and the driver. */

export interface HostParts {
  /** The checkout: programs and what is mounted of them. */
  code: string;
  paths: Paths;
  db: DatabaseSync;
  /** Settings and credentials: .env, then the environment. */
  env: Readonly<Record<string, string | undefined>>;
  adapters: readonly ChannelAdapter[];
  driver: SandboxDriver;
  /** The host's uid for an agent's sandboxes; undefined when the host itself is unprivileged. */
  uidFor(ordinal: number): number | undefined;
  log: Logger;
}

export type Host = ReturnType<typeof createHost>;

const SWEEP_MS = 1_000;
const STOP_GRACE_MS = 3_000;

/** What is known of a session while its sandbox runs. Times in ms since the epoch. */
interface Activity {
  startedAt: number;
  lastActivity: number;
  turnSince: number | null;
  declaredTimeoutMs: number;
}

export function createHost(parts: HostParts) {
  const { code, paths, db, env, driver, log } = parts;
  const adapters = new Map(parts.adapters.map((adapter) => [adapter.channelType, adapter]));
  const activity = new Map<string, Activity>();
  const quarantined = new Set<string>();
  let sweeper: NodeJS.Timeout | undefined;
  let recovered = false;

  const commit = createGroupCommit(db);
  const messages = createMessages(db);
  const sessions = createSessions(db);
  const deliveries = createDeliveries(db);
  const roles = createRoles(db);
  const reader = createOutboundReader({
    log: (level, message, fields) => log[level](message, fields),
    isWanted: () => activity.size > 0,
  });
  const watch = createMailboxWatch();
  const typing = createTyping((channelType) => adapters.get(channelType));
  const takeOver = createTakeOver({ db, messages, deliveries, sessions });
  const egress = createEgressCounters(db, log);
  const providers = createProviders({ root: code, env, onEgress: egress.add, log });
  const manager = createSessionManager({
    paths,
    db,
    sessions,
    messages,
    deliveries,
    onPublishError: (session, error) => log.error('inbound.db was not published', { session, error }),
  });

  const boxOf = (sessionId: string) => {
    const session = sessions.get(sessionId);
    return session && manager.folders(session).box;
  };

  const delivery = createDelivery({
    db,
    deliveries,
    adapter: (channelType) => adapters.get(channelType),
    boxOf,
    scratch: join(paths.run, 'outgoing'),
    onDelivered: (sessionId) => manager.publish(sessionId),
    onUndeliverable: ({ sessionId, messageId }, error) => {
      const session = sessionId === null ? undefined : sessions.get(sessionId);
      if (!session) return;
      transaction(db, () =>
        takeOver.tellAgent(
          session,
          'delivery',
          'failed',
          `Message ${messageId} could not be delivered: ${error}`,
          Date.now(),
        ),
      );
    },
    log,
  });

  function perform(session: Session, effects: Effects): void {
    if (effects.changed) manager.publish(session.id);
    // Until everything from before a crash is queued in its order, new rows wait in the database.
    if (recovered) delivery.enqueue(effects.deliver);
    for (const [id] of effects.putOff) typing.off(id);
    const known = activity.get(session.id);
    // What is left is a later turn, or a part of it that began later.
    if (known?.turnSince && effects.settled.length > 0) known.turnSince = Date.now();
    for (const settled of effects.settled) {
      typing.off(settled.messageId);
      delivery.settled(settled);
      log.info('settled', { session: session.id, messageId: settled.messageId, outcome: settled.outcome });
    }
  }

  const mailbox = createMailboxPull({
    db,
    reader,
    sessions,
    takeOver,
    folders: manager.folders,
    perform,
    onSnapshot(session, snapshot) {
      const known = activity.get(session.id);
      if (!known) return;
      const now = Date.now();
      known.lastActivity = now;
      known.turnSince = snapshot.phase?.phase === 'turn' ? (known.turnSince ?? now) : null;
      known.declaredTimeoutMs = Math.max(0, ...snapshot.tools.map((tool) => tool.declared_timeout_ms ?? 0));
    },
    onHostile(session, reason) {
      if (quarantined.has(session.id)) return;
      quarantined.add(session.id);
      const failure: Failure = { kind: 'quarantine', retryable: false, message: reason };
      void runner
        .stop(session.id, 0, 'quarantine')
        .then(() => {
          aftermath.fail(session, failure);
          mailbox.putAside(session, Date.now());
        })
        .catch((error: unknown) => log.error('quarantine failed', { session: session.id, error }))
        .finally(() => quarantined.delete(session.id));
    },
    log,
  });

  const aftermath = createAftermath({ db, messages, sessions, takeOver, mailbox, perform, log });

  const runner = createContainerRunner({
    driver,
    session: sessions.get,
    prepare: (session) =>
      prepareSandbox({ code, paths, db, sessions, manager, providers, uidFor: parts.uidFor }, session),
    onStarted(session) {
      reader.warm();
      const now = Date.now();
      activity.set(session.id, { startedAt: now, lastActivity: now, turnSince: null, declaredTimeoutMs: 0 });
      watch.add(session.id, manager.folders(session).box, () => void mailbox.pull(session.id));
    },
    onStartFailed(session, failure) {
      void providers.closeSession(session);
      aftermath.fail(session, failure);
    },
    async onExit(session, exit, planned) {
      watch.remove(session.id);
      activity.delete(session.id);
      await providers.closeSession(session);
      await aftermath.settle(session, exit, planned);
      setImmediate(() => wakeIfDue(session.id));
    },
    log,
  });

  function wakeIfDue(sessionId: string): void {
    if (messages.dueSessions(Date.now()).includes(sessionId)) void runner.wake(sessionId);
  }

  const commands = createCommands({
    db,
    sessions,
    messages,
    takeOver,
    runner,
    activity,
    channelHasThreads: (channelType) => adapters.get(channelType)?.capabilities.threads ?? false,
    perform,
    delivery,
    log,
  });

  const router = createRouter({
    db,
    commit,
    messages,
    sessions,
    roles,
    capabilities: (channelType) => adapters.get(channelType)?.capabilities,
    command: commands.run,
    takeAttachments: (session, messageId, event) => takeAttachments(session, messageId, event),
    onStored(session, messageId, event) {
      manager.publish(session.id);
      watch.touch(session.id);
      typing.on(event, messageId);
      const known = activity.get(session.id);
      if (known) known.lastActivity = Date.now();
      void runner.wake(session.id);
      log.info('accepted', { session: session.id, messageId, channel: event.channelType });
    },
    log,
  });

  function takeAttachments(session: Session, messageId: string, event: InboundEvent) {
    const { inbound } = manager.ensureFolders(session, uidOf(session));
    return Promise.all(
      (event.attachments ?? []).map((attachment, index) => takeIn(inbound, messageId, index, attachment)),
    );
  }

  function uidOf(session: Session): number | undefined {
    const agent = getAgentGroup(db, session.agentGroupId);
    return agent && parts.uidFor(agent.uidOrdinal);
  }

  function view(sessionId: string, now: number): SandboxView | undefined {
    const known = activity.get(sessionId);
    const box = boxOf(sessionId);
    if (!known || !box) return undefined;
    return {
      ...known,
      heartbeatAgeMs: heartbeatAgeMs(box, now),
      dueSince: messages.due(sessionId, now).since,
    };
  }

  /** Takes up what an earlier host left: the last words of its sandboxes, unsent replies, open messages. */
  async function recover(): Promise<void> {
    const swept = await driver.sweep();
    const undrained = sessions.undrained();
    for (const id of undrained) {
      const session = sessions.get(id);
      if (session) await aftermath.recover(session);
    }
    recovered = true;
    const resumed = delivery.resume();
    if (swept + undrained.length + resumed > 0) {
      log.info('taken up from an earlier host', { sandboxes: swept, sessions: undrained.length, deliveries: resumed });
    }
  }

  const channelHost: ChannelHost = {
    accept: router.accept,
    available: (channelType) => delivery.available(channelType),
  };

  const disconnected = new Set(adapters.keys());

  return {
    disconnected: disconnected as ReadonlySet<string>,
    sessions,
    messages,
    runner,
    delivery,
    activity,
    adapters,
    providers,
    manager,
    driver,
    async start(): Promise<void> {
      await recover();
      await Promise.all(
        [...adapters.values()].map((adapter) =>
          adapter.start(channelHost).then(
            () => disconnected.delete(adapter.channelType),
            (error: unknown) => {
              log.error('channel did not start', { channel: adapter.channelType, error });
              throw error;
            },
          ),
        ),
      );
      const pass = () => {
        try {
          sweep(
            {
              messages,
              runner,
              view,
              wake: (id) => void runner.wake(id),
              onError: (error) => log.error('sweep', { error }),
            },
            Date.now(),
          );
          egress.flush();
          manager.publishFailed();
        } catch (error) {
          log.error('sweep failed', { error });
        }
      };
      pass();
      sweeper = setInterval(pass, SWEEP_MS);
    },
    async stop(reason: string): Promise<void> {
      clearInterval(sweeper);
      const steps = [
        () => Promise.all([...adapters.values()].map((adapter) => adapter.stop())),
        () => runner.stopAll(STOP_GRACE_MS, reason),
        () => delivery.stop(STOP_GRACE_MS),
        () => watch.stop(),
        () => typing.stop(),
        () => commit.flush(),
        () => egress.flush(),
        () => providers.stop(),
        () => reader.stop(),
      ];
      // Each on its own: what fails (a full disk) must not keep the rest from ending.
      for (const step of steps) {
        try {
          await step();
        } catch (error) {
          log.error('while stopping', { error });
        }
      }
    },
  };
}

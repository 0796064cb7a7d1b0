import { totalmem } from 'node:os';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { cleanText, faultPoint, INSIDE } from '@nanoclaw/protocol';
import { createCallers } from '../admin/agent-door/callers.ts';
import { type AgentCommands, createAgentDoor } from '../admin/agent-door/index.ts';
import { createApprovals } from '../admin/approvals/index.ts';
import { createChange } from '../admin/directory/change.ts';
import { createDirectory } from '../admin/directory/index.ts';
import { createHousekeeping } from '../admin/housekeeping/index.ts';
import { createOwnerWords } from '../admin/people/owner-words.ts';
import { createRename } from '../admin/people/rename.ts';
import { createActivities } from './activity.ts';
import { createAftermath } from './aftermath.ts';
import { createAnchor } from './audit/anchor.ts';
import { createCredentialUses } from './audit/credential-uses.ts';
import { createAudit } from './audit/index.ts';
import type { ChannelAdapter, ChannelHost, InboundEvent } from './channels/adapter.ts';
import { createInstances } from './channels/instances.ts';
import { createSupervisor } from './channels/supervisor.ts';
import { createTellOwner } from './channels/tell-owner.ts';
import { createWebDoors, webhookUrl } from './channels/web-server/index.ts';
import { createClockWatch, endLongWaits, shiftWaits } from './clock.ts';
import { createCommands } from './commands/index.ts';
import { createContainerRunner } from './container-runner.ts';
import { createDeliveries, outboundId } from './db/deliveries.ts';
import { createGroupCommit, transaction } from './db/group-commit.ts';
import { createMessages } from './db/messages.ts';
import { createSessions, type Session } from './db/sessions.ts';
import { createDelivery } from './delivery.ts';
import { createEgressCounters } from './egress-counters.ts';
import { NanoError } from './errors.ts';
import type { Failure } from './failures.ts';
import { getAgentGroup, listAgentGroups } from './groups/agent-groups.ts';
import { renameInGroupFolder } from './groups/compose.ts';
import { sweep } from './host-sweep.ts';
import type { Logger } from './log/index.ts';
import { takeIn } from './mailbox/attachments.ts';
import { dropTree } from './mailbox/drop-outbox.ts';
import { heartbeatTime } from './mailbox/heartbeat.ts';
import { createOutboundReader } from './mailbox/outbound-reader.ts';
import { dropStrays } from './mailbox/strays.ts';
import { createMailboxWatch } from './mailbox/watch.ts';
import { createMailboxPull } from './mailbox-pull.ts';
import type { Paths } from './paths.ts';
import { createRoles } from './people/roles.ts';
import { createProviders } from './providers/registry.ts';
import { createRoom } from './room.ts';
import { createRouter } from './router.ts';
import { createWirings } from './routing/wirings.ts';
import type { SandboxDriver } from './sandbox/driver.ts';
import { allowlistFile } from './sandbox/mounts/allowlist.ts';
import { createMounts, type LeftOut } from './sandbox/mounts/index.ts';
import { places } from './sandbox-queue.ts';
import { LIMITS, prepareSandbox } from './sandbox-spec.ts';
import { createSessionManager } from './session-manager.ts';
import { asNanoError } from './system-error.ts';
import { createTakeOver, type Effects, isNote } from './take-over.ts';
import { createTyping } from './typing.ts';

/** The host, put together: every part with its neighbours. `index.ts` gives it the adapters and the driver. */

export interface HostParts {
  /** The checkout: programs and what is mounted of them. */
  code: string;
  paths: Paths;
  db: DatabaseSync;
  /** Settings and credentials as they are now: .env, then the environment. */
  env(): Readonly<Record<string, string | undefined>>;
  adapters: readonly ChannelAdapter[];
  driver: SandboxDriver;
  /** What answers agents' `ncl`. */
  agentCommands(): AgentCommands;
  /** The host's uid for an agent's sandboxes; undefined when the host itself is unprivileged. */
  uidFor(ordinal: number): number | undefined;
  log: Logger;
}

export type Host = ReturnType<typeof createHost>;

const SWEEP_MS = 1_000;
const STOP_GRACE_MS = 3_000;
const SHOWN_ERROR = 200;
/** A host that was held for longer (a debugger, a stopped machine) has seen nothing of what its sandboxes did. Less than any patience. */
const PAUSED_MS = 30_000;

export function createHost(parts: HostParts) {
  const { code, paths, db, env, driver, log } = parts;
  const adapters = new Map(parts.adapters.map((adapter) => [adapter.channelType, adapter]));
  /** These the host can't do without; the others come and go. */
  const builtIn: ReadonlySet<string> = new Set(adapters.keys());
  const activity = createActivities();
  const quarantined = new Set<string>();
  let sweeper: NodeJS.Timeout | undefined;
  let recovered = false;

  const clock = createClockWatch();
  const commit = createGroupCommit(db);
  const messages = createMessages(db);
  const sessions = createSessions(db);
  const deliveries = createDeliveries(db);
  const instances = createInstances(db);
  const roles = createRoles(db);
  const anchor = createAnchor(db, paths.auditHead, log);
  const audit = createAudit(db, anchor.soon);
  const reader = createOutboundReader({
    log: (level, message, fields) => log[level](message, fields),
    isWanted: () => activity.size > 0,
  });
  const watch = createMailboxWatch();
  const typing = createTyping((channelType) => adapters.get(channelType));
  const takeOver = createTakeOver({ db, messages, deliveries, sessions });
  const egress = createEgressCounters(db, log);
  const credentials = createCredentialUses(db, audit);
  const providers = createProviders({ root: code, env, onEgress: egress.add, onCredential: credentials.add, log });
  const manager = createSessionManager({
    paths,
    db,
    sessions,
    messages,
    deliveries,
    onPublishError: handOnFailed,
    limit: (sessionId) => room.limit(sessionId),
    answers: (sessionId) => agentDoor.answers(sessionId),
  });
  const callers = createCallers(db, roles);
  const agentDoor = createAgentDoor({
    db,
    callers,
    audit,
    commands: parts.agentCommands,
    publish: manager.publish,
    log,
  });

  /** True: the chat has been told. */
  function handOnFailed(sessionId: string, error: unknown, isNew: boolean): boolean {
    if (isNew) log.error('inbound.db was not published', { session: sessionId, error });
    const open = messages.open(sessionId).find(({ trigger, platform_id }) => trigger && platform_id !== null);
    if (!open) return false;
    const text = `⚠️ I can't hand on what you wrote: ${asNanoError(error).message} I'll go on as soon as that is mended.`;
    try {
      delivery.enqueue([transaction(db, () => takeOver.say(open, sessionId, text, open.id, Date.now()))]);
      return true;
    } catch (failed) {
      if (isNew) log.error('nobody could be told', { session: sessionId, error: failed });
      return false;
    }
  }

  const boxOf = (sessionId: string) => {
    const session = sessions.get(sessionId);
    return session && manager.folders(session).box;
  };

  const delivery = createDelivery({
    db,
    deliveries,
    adapter: (channelType) =>
      builtIn.has(channelType) || channels.isUp(channelType) ? adapters.get(channelType) : undefined,
    isKnown: (channelType) => builtIn.has(channelType) || instances.get(channelType) !== undefined,
    boxOf,
    scratch: join(paths.run, 'outgoing'),
    onDelivered: (sessionId) => manager.publish(sessionId),
    onUndeliverable(delivery, error) {
      const { sessionId, messageId } = delivery;
      const session = sessionId === null ? undefined : sessions.get(sessionId);
      const now = Date.now();
      approvals.undeliverable(messageId, now);
      // What the host itself says, this notice too, is not worth another one.
      if (!session || isNote(messageId)) return [];
      takeOver.tellAgent(session, 'delivery', 'failed', `Message ${messageId} could not be delivered: ${error}`, now);
      const text = `⚠️ An answer of mine was refused here: ${cleanText(error.slice(0, SHOWN_ERROR))}`;
      return [takeOver.say(delivery, sessionId, text, delivery.inReplyTo, now)];
    },
    log,
  });

  const housekeeping = createHousekeeping({ db, paths, env, takeOver, audit, deliver: delivery.enqueue, log });

  function perform(session: Session, effects: Effects): void {
    if (effects.changed) manager.publish(session.id);
    // Until everything from before a crash is queued in its order, new rows wait in the database.
    if (recovered) delivery.enqueue(effects.deliver);
    for (const [id] of effects.putOff) typing.off(id);
    if (effects.settled.length > 0) activity.settled(session.id);
    for (const failed of effects.failed) log.warn('try failed', { session: session.id, ...failed });
    for (const request of effects.requests) agentDoor.request(session, request);
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
      activity.seen(session.id, snapshot);
      agentDoor.seen(session.id, snapshot.acks);
    },
    onHostile(session, reason) {
      if (quarantined.has(session.id)) return;
      quarantined.add(session.id);
      const failure: Failure = { kind: 'quarantine', retryable: false, message: reason };
      const entry = { actor: 'host', action: 'session.quarantined', subject: session.id, detail: { reason } };
      void runner
        .stop(session.id, 0, 'quarantine')
        .then(() => {
          faultPoint('quarantine.stopped');
          mailbox.putAside(session, Date.now());
          faultPoint('quarantine.aside');
        })
        // Told even if the file could not be moved; and after it, or a crash between the two would cost the next message.
        .finally(() => aftermath.fail(session, failure))
        .finally(() => transaction(db, () => audit.record(entry, Date.now())))
        .catch((error: unknown) => log.error('quarantine failed', { session: session.id, error }))
        .finally(() => quarantined.delete(session.id));
    },
    log,
  });

  const aftermath = createAftermath({ db, messages, sessions, takeOver, mailbox, perform, log });

  const mounts = createMounts({ db, audit, paths, code, allowlist: allowlistFile() });
  const maxSandboxes = places(memoryOfMachine(), LIMITS.memoryBytes, env().NANOCLAW_MAX_SANDBOXES);
  const runner = createContainerRunner({
    driver,
    places: maxSandboxes,
    isDue: (sessionId) => messages.due(sessionId, Date.now()).count > 0,
    onFull: () => room.soon(),
    session: sessions.get,
    prepare: async (session) => {
      await dropLeftovers(session);
      const { uidFor } = parts;
      return prepareSandbox({ code, paths, db, sessions, manager, providers, mounts, onLeftOut, uidFor }, session);
    },
    onStarted(session) {
      reader.warm();
      activity.started(session.id, sessions.get(session.id)?.hostSeq ?? 0);
      agentDoor.opened(session.id);
      watch.add(
        session.id,
        manager.folders(session).box,
        () => void mailbox.pull(session.id),
        () => void runner.stop(session.id, 0, 'lost'),
      );
    },
    onStartFailed(session, failure) {
      void providers.closeSession(session);
      aftermath.fail(session, failure);
    },
    async onExit(session, exit, planned) {
      watch.remove(session.id);
      agentDoor.closed(session.id);
      const known = activity.ended(session.id);
      await providers.closeSession(session);
      await aftermath.settle(session, exit, planned, known?.seqAtStart ?? 0);
      setImmediate(() => wakeIfDue(session.id));
    },
    log,
  });

  const room = createRoom({
    db,
    runner,
    activity,
    messages,
    sessions,
    takeOver,
    places: maxSandboxes,
    publish: manager.publish,
    deliver: delivery.enqueue,
    onError: (error) => log.error('a sandbox did not make room', { error }),
  });

  function wakeIfDue(sessionId: string): void {
    if (messages.dueSessions(Date.now()).includes(sessionId)) void runner.wake(sessionId);
  }

  const table = createWirings(db, roles);
  const commands = createCommands({
    db,
    sessions,
    messages,
    roles,
    table,
    takeOver,
    runner,
    activity,
    channelHasThreads: (channelType) => adapters.get(channelType)?.capabilities.threads ?? false,
    perform,
    delivery,
    log,
  });

  const directory = createDirectory({
    db,
    audit,
    paths,
    sessions,
    messages,
    takeOver,
    channelHasThreads: (channelType) => adapters.get(channelType)?.capabilities.threads ?? false,
    perform,
    runner,
    publish: manager.publish,
    renamed,
    endApprovals: (ids, now) => approvals.close(ids, now),
    log,
  });
  const approvals = createApprovals({
    db,
    commit,
    roles,
    audit,
    directory,
    takeOver,
    deliveries,
    sessions,
    adapter: (channelType) => adapters.get(channelType),
    accept: (event) => router.accept(event),
    deliver: delivery.enqueue,
    wake(sessionId) {
      manager.publish(sessionId);
      void runner.wake(sessionId);
    },
    noRoom: housekeeping.refusal,
    env,
    folder: paths.held,
    log,
  });

  const ownerWords = createOwnerWords({
    db,
    audit,
    directory,
    begin(session) {
      manager.publish(session.id);
      void runner.wake(session.id);
    },
  });

  /** Its sandboxes that run: they look at the name at each turn. */
  function renamed(agentGroupId: string): void {
    const agent = getAgentGroup(db, agentGroupId);
    for (const { sessionId } of runner.list()) {
      const session = sessions.get(sessionId);
      if (!agent || session?.agentGroupId !== agentGroupId) continue;
      renameInGroupFolder(manager.folders(session).group, agent.assistantName);
      manager.publish(sessionId);
    }
  }

  approvals.register({
    kind: 'ncl',
    perform: (action, { id }, decidedBy, now) => parts.agentCommands().perform(action, { id, decidedBy }, now),
  });

  /** Their files come before their rows. */
  const taking = new Set<string>();
  const router = createRouter({
    db,
    commit,
    messages,
    sessions,
    roles,
    capabilities: (channelType) => adapters.get(channelType)?.capabilities,
    command: commands.run,
    answer: commands.answer,
    words: [ownerWords, approvals.words, createRename({ db, roles, table, directory })],
    hold: { sender: approvals.holdSender, chat: approvals.holdChat },
    takeAttachments: (session, messageId, event) => takeAttachments(session, messageId, event),
    dropAttachments: (session, id) =>
      dropTree(manager.folders(session).inbound, ['inbox'], id).finally(() => taking.delete(id)),
    noRoom: housekeeping.refusal,
    onStored(session, messageId, event, receivedAt) {
      taking.delete(messageId);
      manager.publish(session.id);
      watch.touch(session.id);
      typing.on(event, messageId);
      activity.touched(session.id);
      faultPoint('accept.waking');
      void runner.wake(session.id);
      const { channelType: channel, platformId: chat, platformMessageId } = event;
      const ms = Date.now() - receivedAt;
      log.info('accepted', { session: session.id, messageId, channel, chat, platformMessageId, ms });
    },
    log,
  });

  function takeAttachments(session: Session, messageId: string, event: InboundEvent) {
    const { inbound } = manager.ensureFolders(session, uidOf(session));
    taking.add(messageId);
    return Promise.all(
      (event.attachments ?? []).map((attachment, index) => takeIn(inbound, messageId, index, attachment)),
    );
  }

  /** Told once for each reason, where somebody waits for this agent, and to the agent itself. */
  function onLeftOut(session: Session, leftOut: readonly LeftOut[]): void {
    const now = Date.now();
    const open = messages.open(session.id).find(({ trigger, platform_id }) => trigger && platform_id !== null);
    if (!open) return;
    const notes = transaction(db, () =>
      mounts.takeNews(session.agentGroupId, leftOut, now).map(({ name, sentence }) => {
        takeOver.tellAgent(session, 'mounts', 'left-out', `${INSIDE.extra}/${name} is not there: ${sentence}`, now);
        const text = `⚠️ I have to do without your folder “${name}”: ${sentence}. \`ncl mounts list\` says what helps.`;
        return takeOver.say(open, session.id, text, open.id, now);
      }),
    );
    delivery.enqueue(notes);
  }

  async function dropLeftovers(session: Session): Promise<void> {
    // What could not be read to its end may tell of files that nothing else knows.
    if (sessions.undrained().includes(session.id)) return;
    await dropStrays(manager.folders(session), {
      outbox: (id) => deliveries.get(outboundId(session.id, id)) !== undefined,
      inbox: (id) => taking.has(id) || messages.exists(id),
    }).catch((error: unknown) => log.warn('files of nobody stay', { session: session.id, error }));
  }

  function uidOf(session: Session): number | undefined {
    const agent = getAgentGroup(db, session.agentGroupId);
    return agent && parts.uidFor(agent.uidOrdinal);
  }

  function view(sessionId: string) {
    const box = boxOf(sessionId);
    return box === undefined
      ? undefined
      : activity.looked(sessionId, heartbeatTime(box), messages.due(sessionId, Date.now()).count > 0);
  }

  function showWork(sessionId: string): void {
    const now = Date.now();
    for (const { id, trigger, channel_type, platform_id, thread_id, processAfter } of messages.open(sessionId)) {
      const due = processAfter === null || Date.parse(processAfter) <= now;
      if (!trigger || !due || channel_type === null || platform_id === null) continue;
      typing.on({ channelType: channel_type, platformId: platform_id, threadId: thread_id }, id);
    }
  }

  function followClock(jump: number): void {
    log.warn('the clock was set, or the machine slept', { seconds: Math.round(jump / 1000) });
    for (const id of shiftWaits(db, jump, Date.now())) manager.publish(id);
    for (const channelType of adapters.keys()) delivery.available(channelType);
  }

  /** Takes up what an earlier host left: the last words of its sandboxes, unsent replies, open messages. */
  async function recover(): Promise<void> {
    const swept = await driver.sweep().catch((error: unknown) => {
      // Without bubblewrap nothing of it runs any more. A host that answers can tell each chat so; one that is gone can't.
      if (!(error instanceof NanoError)) throw error;
      log.error('no sandbox can be started', { error });
      return 0;
    });
    endLongWaits(db, Date.now());
    const undrained = sessions.undrained();
    for (const id of undrained) {
      const session = sessions.get(id);
      if (session) await aftermath.recover(session);
      faultPoint('boot.recovered');
    }
    recovered = true;
    const resumed = delivery.resume();
    faultPoint('boot.resumed');
    if (swept + undrained.length + resumed > 0) {
      log.info('taken up from an earlier host', { sandboxes: swept, sessions: undrained.length, deliveries: resumed });
    }
  }

  const channelHost: ChannelHost = {
    accept: router.accept,
    press: approvals.press,
    available: (channelType) => delivery.available(channelType),
  };

  const disconnected = new Set(builtIn);
  const tellOwner = createTellOwner(db, takeOver);
  const channels = createSupervisor({
    instances,
    code,
    folder: paths.channels,
    adapters,
    host: channelHost,
    tellOwner: (channelType, text) => delivery.enqueue(tellOwner(channelType, text)),
    web: createWebDoors({ env, log }),
    log,
  });

  return {
    disconnected: disconnected as ReadonlySet<string>,
    sessions,
    messages,
    runner,
    delivery,
    activity,
    adapters,
    builtIn,
    channels: {
      supervisor: channels,
      instances,
      adapter: (channelType: string) => adapters.get(channelType),
      deliveries,
      deliver: delivery.enqueue,
      change: createChange(db, audit),
      code,
      folder: paths.channels,
      webhookUrl: (instance: string) => webhookUrl(env().PUBLIC_URL, instance),
    },
    providers,
    manager,
    driver,
    housekeeping,
    mounts: { mounts, agents: () => listAgentGroups(db), change: createChange(db, audit), uidFor: parts.uidFor },
    callers,
    auditProblem: anchor.problem,
    approvals,
    directory,
    async start(): Promise<void> {
      await housekeeping.start();
      await recover();
      directory.resume();
      await approvals.start();
      await Promise.all(
        parts.adapters.map((adapter) =>
          adapter.start(channelHost).then(
            () => {
              disconnected.delete(adapter.channelType);
              // What an earlier host left unsaid was tried before the channel was there.
              delivery.available(adapter.channelType);
            },
            (error: unknown) => {
              log.error('channel did not start', { channel: adapter.channelType, error });
              throw error;
            },
          ),
        ),
      );
      channels.start();
      let lastPass = performance.now() - SWEEP_MS;
      const pass = () => {
        try {
          const pausedMs = performance.now() - lastPass - SWEEP_MS;
          lastPass = performance.now();
          if (pausedMs > PAUSED_MS) activity.paused(pausedMs);
          const jump = clock.look();
          if (jump !== 0) followClock(jump);
          sweep(
            {
              messages,
              runner,
              view,
              wake: (id) => void runner.wake(id),
              onDue: showWork,
              onError: (error) => log.error('sweep', { error }),
            },
            Date.now(),
            performance.now(),
          );
          channels.look();
          room.look(performance.now());
          egress.flush();
          credentials.flush();
          manager.publishFailed();
          approvals.sweep(Date.now());
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
        () => Promise.all([...adapters].map(([name, adapter]) => builtIn.has(name) && adapter.stop())),
        () => channels.stop(),
        () => housekeeping.stop(),
        () => runner.stopAll(STOP_GRACE_MS, reason),
        () => delivery.stop(STOP_GRACE_MS),
        () => watch.stop(),
        () => typing.stop(),
        () => directory.settled(),
        () => commit.flush(),
        () => egress.flush(),
        () => credentials.flush(),
        () => agentDoor.stop(),
        () => providers.stop(),
        () => reader.stop(),
        () => anchor.write(),
      ];
      // Each on its own: what fails (a full disk) must not keep the rest from ending.
      for (const step of steps) {
        try {
          await step();
          faultPoint('shutdown.step');
        } catch (error) {
          log.error('while stopping', { error });
        }
      }
    },
  };
}

/** What this process and its sandboxes may use: of the machine, or of the container that the host runs in. */
function memoryOfMachine(): number {
  const constrained = process.constrainedMemory();
  return constrained > 0 ? Math.min(totalmem(), constrained) : totalmem();
}

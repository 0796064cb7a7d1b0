import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { faultPoint } from '@nanoclaw/protocol';
import type { AgentCommands } from '../admin/agent-door/index.ts';
import { createAnchor } from '../admin/audit/anchor.ts';
import { createCredentialUses } from '../admin/audit/credential-uses.ts';
import { createDeadLetters } from '../admin/dead-letters.ts';
import { createChange } from '../admin/directory/change.ts';
import { createEgressCounters } from '../admin/egress-counters.ts';
import { createHousekeeping } from '../admin/housekeeping/index.ts';
import { createAdministration } from '../admin/index.ts';
import { createTyping } from '../assistant/alive/typing.ts';
import { createCommands } from '../assistant/commands/index.ts';
import { createAssistant, partsOf } from '../assistant/index.ts';
import { createActivities } from './activity.ts';
import { createAudit } from './audit/index.ts';
import type { ChannelAdapter } from './channels/adapter.ts';
import { createChannels } from './channels/index.ts';
import type { WebDoors } from './channels/plugin.ts';
import { createPresses } from './channels/presses.ts';
import { createTellOwner, type LocalOwner } from './channels/tell-owner.ts';
import type { Session } from './db/sessions.ts';
import { createStores } from './db/stores.ts';
import { createDelivery } from './delivery/index.ts';
import { createEachSecond } from './each-second.ts';
import { listAgentGroups } from './groups/agent-groups.ts';
import { inOrder } from './in-order.ts';
import type { Logger } from './log/index.ts';
import { createNotices } from './notices.ts';
import type { Paths } from './paths.ts';
import { createProviders } from './providers/registry.ts';
import { recover } from './recover.ts';
import { createRouter } from './router.ts';
import type { SandboxDriver } from './sandbox/driver.ts';
import { allowlistFile } from './sandbox/mounts/allowlist.ts';
import { createMounts } from './sandbox/mounts/index.ts';
import { createSandboxes } from './sandboxes.ts';
import { createTakeOver, type Effects } from './take-over/index.ts';

/** The host, put together: every part with its neighbours. `index.ts` gives it the adapters and the driver. */

export interface HostParts {
  /** The checkout: programs and what is mounted of them. */
  code: string;
  paths: Paths;
  db: DatabaseSync;
  /** Settings and credentials as they are now: .env, then the environment. */
  env(): Readonly<Record<string, string | undefined>>;
  /** These it can't do without; the others come and go. */
  adapters: readonly ChannelAdapter[];
  owner: LocalOwner;
  /** For platforms that call. */
  web: WebDoors;
  driver: SandboxDriver;
  /** What answers agents' `ncl`. */
  agentCommands(): AgentCommands;
  /** The host's uid for an agent's sandboxes; undefined when the host itself is unprivileged. */
  uidFor(ordinal: number): number | undefined;
  log: Logger;
}

export type Host = ReturnType<typeof createHost>;

const STOP_GRACE_MS = 3_000;

export function createHost(parts: HostParts) {
  const { code, paths, db, env, driver, log } = parts;
  const activity = createActivities();
  let recovered = false;

  const stores = createStores(db, (sessionId) => assistant.usage.isHeld(sessionId));
  const anchor = createAnchor(db, paths.auditHead, log);
  const audit = createAudit(db, anchor.soon);
  const later = partsOf(() => assistant);
  const takeOver = createTakeOver({ db, ...stores, ...later });
  const egress = createEgressCounters(db, log);
  const credentials = createCredentialUses(db, audit);
  const providers = createProviders({ ...parts, root: code, onEgress: egress.add, onCredential: credentials.add });
  const mounts = createMounts({ db, audit, paths, code, allowlist: allowlistFile() });
  function deliver(ids: readonly string[]): void {
    // Until everything from before a crash is queued in its order, new rows wait in the database.
    if (recovered) delivery.enqueue(ids);
  }

  /** What most parts share. */
  const base = {
    code,
    paths,
    db,
    env,
    ...stores,
    ...later,
    takeOver,
    audit,
    activity,
    providers,
    mounts,
    deliver,
    perform,
    log,
  };

  const channels = createChannels({
    ...base,
    builtIn: parts.adapters,
    owner: parts.owner,
    web: parts.web,
    folder: paths.channels,
    host: {
      accept(event) {
        assistant.afterwards.heard(event);
        return router.accept(event);
      },
      changed: (change) => assistant.afterwards.changed(change),
      reacted: (reaction) => assistant.afterwards.reacted(reaction),
      membership: (membership) => assistant.afterwards.membership(membership),
      press: createPresses(() => ({ a: admin.approvals.press, ...assistant.presses })),
      available: (channelType) => delivery.available(channelType),
    },
  });
  const typing = createTyping(channels.adapter);
  const isGone = (channelType: string, platformId: string) => assistant.afterwards.isGone(channelType, platformId);
  const notices = createNotices({ ...base, isGone });
  const { manager, files, runner, room, ...sandboxes } = createSandboxes({
    ...base,
    driver,
    most: env().NANOCLAW_MAX_SANDBOXES,
    uidFor: parts.uidFor,
    notices,
    agentDoor: () => admin.agentDoor,
    onLook: (sessionId) => assistant.afterwards.look(sessionId),
    lost: (...what) => assistant.alive.lost(...what),
  });

  const delivery = createDelivery({
    ...base,
    adapter: channels.ready,
    isKnown: channels.isKnown,
    isGone,
    boxOf: sandboxes.boxOf,
    scratch: join(paths.run, 'outgoing'),
    onDelivered(sessionId, delivered) {
      manager.publish(sessionId);
      typing.again(delivered);
    },
    onUndeliverable(failed, error) {
      const now = Date.now();
      admin.approvals.undeliverable(failed.messageId, now);
      assistant.questions.undeliverable(failed.messageId, error, now);
      return notices.undeliverable(failed, error, now);
    },
  });

  const housekeeping = createHousekeeping(base);

  function perform(session: Session, effects: Effects): void {
    if (effects.changed) manager.publish(session.id);
    deliver(effects.deliver);
    assistant.alive.said(session, effects, performance.now());
    if (effects.draft) assistant.drafts.grown(effects.draft);
    for (const [id] of effects.putOff) typing.off(id);
    if (effects.settled.length > 0) activity.settled(session.id);
    for (const failed of effects.failed) log.warn('try failed', { session: session.id, ...failed });
    for (const request of effects.requests) admin.agentDoor.request(session, request);
    for (const settled of effects.settled) {
      typing.off(settled.messageId);
      delivery.settled(settled);
      log.info('settled', { session: session.id, messageId: settled.messageId, outcome: settled.outcome });
    }
    if (effects.settled.length > 0) assistant.look();
  }

  const commands = createCommands({ ...base, runner, channelHasThreads: channels.hasThreads, delivery });

  const admin = createAdministration({
    ...base,
    runner,
    commands: parts.agentCommands,
    adapter: channels.adapter,
    settingsChanged: (agentGroupId) => assistant.instructions.changed(agentGroupId),
    publish: manager.publish,
    wake: sandboxes.wake,
    accept: (event) => router.accept(event),
    noRoom: housekeeping.refusal,
  });

  const assistant = createAssistant({
    ...base,
    wirings: stores.table,
    runner,
    groupFolder: (session) => manager.folders(session).group,
    capabilities: (channelType) => channels.adapter(channelType)?.capabilities,
    publish: manager.publish,
    wake: sandboxes.wake,
    directory: admin.directory,
    between: delivery.between,
    typing,
    deliver,
    onAnswered: activity.settled,
    changeHeld: admin.approvals.changeHeld,
    channelHasThreads: channels.hasThreads,
    tellOwner: (text) => deliver(createTellOwner(db, takeOver, parts.owner)('', text)),
  });

  const router = createRouter({
    ...base,
    capabilities: (channelType) => channels.adapter(channelType)?.capabilities,
    command: commands.run,
    answer: commands.answer,
    words: [...admin.words, ...assistant.words],
    hold: { sender: admin.approvals.holdSender, chat: admin.approvals.holdChat },
    takeAttachments: files.take,
    dropAttachments: files.drop,
    noRoom: housekeeping.refusal,
    onStored(session, messageId, event, receivedAt) {
      files.taken(messageId);
      manager.publish(session.id);
      sandboxes.watch.touch(session.id);
      if (!assistant.usage.isHeld(session.id)) typing.on(event, messageId);
      activity.touched(session.id);
      faultPoint('accept.waking');
      void runner.wake(session.id);
      const { channelType: channel, platformId: chat, platformMessageId } = event;
      const ms = Date.now() - receivedAt;
      log.info('accepted', { session: session.id, messageId, channel, chat, platformMessageId, ms });
    },
  });

  const eachSecond = createEachSecond({
    ...base,
    runner,
    showWork: assistant.alive.showWork,
    boxOf: sandboxes.boxOf,
    publish: manager.publish,
    onClock() {
      for (const channelType of channels.types()) delivery.available(channelType);
    },
    looks: [
      channels.look,
      () => room.look(performance.now()),
      egress.flush,
      credentials.flush,
      manager.publishFailed,
      () => admin.approvals.sweep(Date.now()),
      assistant.look,
      () => assistant.alive.look(performance.now()),
    ],
  });

  return {
    sessions: stores.sessions,
    runner,
    delivery,
    activity,
    channels,
    channelTools: { ...channels.tools, deliveries: createDeadLetters(db), change: createChange(db, audit) },
    providers,
    manager,
    driver,
    housekeeping,
    mounts: { mounts, agents: () => listAgentGroups(db), change: createChange(db, audit), uidFor: parts.uidFor },
    admin,
    assistant,
    auditProblem: anchor.problem,
    async start(): Promise<void> {
      await housekeeping.start();
      const resume = () => {
        recovered = true;
        return delivery.resume();
      };
      await recover({ ...base, driver, runner, aftermath: sandboxes.aftermath, resume });
      for (const { agentGroupId } of runner.list()) assistant.instructions.changed(agentGroupId);
      admin.directory.resume();
      await admin.approvals.start();
      await channels.start();
      eachSecond.start();
    },
    stop(reason: string): Promise<void> {
      eachSecond.stop();
      assistant.stop();
      const steps = [
        channels.stop,
        housekeeping.stop,
        () => runner.stopAll(STOP_GRACE_MS, reason),
        () => delivery.stop(STOP_GRACE_MS),
        sandboxes.watch.stop,
        typing.stop,
        admin.directory.settled,
        stores.commit.flush,
        egress.flush,
        credentials.flush,
        admin.agentDoor.stop,
        providers.stop,
        sandboxes.reader.stop,
        anchor.write,
      ];
      return inOrder(steps, log);
    },
  };
}

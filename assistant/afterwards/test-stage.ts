import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { isoTime } from '@nanoclaw/protocol';
import { createActivities } from '../../src/activity.ts';
import type { InboundEvent } from '../../src/channels/adapter.ts';
import { createGroupCommit, transaction } from '../../src/db/group-commit.ts';
import type { Session } from '../../src/db/sessions.ts';
import { createLogger } from '../../src/log/index.ts';
import { createRoles, ensureUser } from '../../src/people/roles.ts';
import { createRouter } from '../../src/router.ts';
import { createWirings } from '../../src/routing/wirings.ts';
import type { Effects } from '../../src/take-over/index.ts';
import { createInstall } from '../../test/support/central.ts';
import { createAfterwards } from './index.ts';

/** A real database with a real router before it; what its sandbox does is said by the test. */

export const PLACE = { channelType: 'terminal', platformId: 'local', threadId: null } as const;
export const OWNER = 'terminal:owner';

export function createStage() {
  const install = createInstall();
  const { db, messages, sessions, deliveries, chatId } = install;
  mkdirSync(join(install.root, 'logs'), { recursive: true });
  const log = createLogger({ folder: join(install.root, 'logs'), secrets: () => [] });
  const activity = createActivities();
  const roles = createRoles(db);
  const table = createWirings(db, roles);
  const commit = createGroupCommit(db);
  const performed: Effects[] = [];
  const published: string[] = [];
  const held: string[] = [];
  const afterwards = createAfterwards({
    db,
    commit,
    messages,
    sessions,
    roles,
    table,
    activity,
    changeHeld: ({ platformMessageId }) => {
      held.push(platformMessageId);
      return () => {};
    },
    perform: (_session, effects) => performed.push(effects),
    publish: (id) => published.push(id),
    log,
  });
  const dropped = () => ({ acceptance: { status: 'dropped' as const, reason: 'nobody' }, after() {} });
  const router = createRouter({
    db,
    commit,
    messages,
    sessions,
    roles,
    capabilities: () => ({ threads: false, maxTextLength: 1e6, buttons: false, edits: false }),
    command: () => () => {},
    answer: () => () => {},
    words: [],
    hold: { sender: dropped, chat: dropped },
    takeAttachments: async () => [{ type: 'image', name: 'cat.jpg' }],
    dropAttachments: async () => {},
    onStored: () => {},
    log,
  });
  const session = (): Session => install.newSession();

  /** A look at the sandbox: what it holds, and since when a turn runs. */
  function look(holds: readonly string[], phase: 'idle' | 'turn' = 'turn'): void {
    activity.seen(session().id, {
      messages: [],
      acks: holds.map((message_id) => ({
        message_id,
        status: 'processing',
        status_changed: isoTime(Date.now()),
        error: null,
      })),
      more: false,
      phase: { phase, updated_at: isoTime(Date.now()) },
      tools: [],
    });
    afterwards.look(session().id);
  }

  return {
    ...install,
    afterwards,
    performed,
    published,
    held,
    session,
    look,
    wake: () => activity.started(session().id, 0),
    async say(id: string, text: string, over: Partial<InboundEvent> = {}): Promise<string> {
      const acceptance = await router.accept({
        ...PLACE,
        platformMessageId: id,
        senderId: OWNER,
        senderName: 'Owner',
        text,
        timestamp: isoTime(Date.now()),
        isMention: true,
        isGroup: false,
        ...over,
      });
      return acceptance.status === 'stored' ? (acceptance.messageIds[0] ?? '') : '';
    },
    change: (id: string, text: string | null, senderId = OWNER, over = {}) =>
      afterwards.changed({ ...PLACE, platformMessageId: id, senderId, text, ...over }),
    react: (id: string, emoji: string, on = true, senderId = OWNER) =>
      afterwards.reacted({ ...PLACE, platformMessageId: id, senderId, emoji, on }),
    /** What the agent said, as the platform has it. */
    answer(id: string, text: string): void {
      transaction(db, () => {
        const origin = { channel_type: PLACE.channelType, platform_id: PLACE.platformId, thread_id: null };
        const row = { id: `out-${id}`, sessionId: session().id, seq: 101 + Number(id), kind: 'chat', inReplyTo: null };
        const content = JSON.stringify({ text });
        deliveries.addOutbound({ ...origin, ...row, timestamp: isoTime(Date.now()), content }, Date.now());
        deliveries.queue(row.id, null, Date.now());
        deliveries.sent(row.id, `p-${id}`, Date.now());
      });
    },
    settle: (id: string) => transaction(db, () => messages.settle(session().id, id, 'completed', 'reply', Date.now())),
    meet: (id: string, name: string) => transaction(db, () => ensureUser(db, id, name, Date.now())),
    /** What its agent would be shown now, oldest first. */
    shown: () =>
      messages
        .openRows(session().id)
        .map(({ trigger, content }) => `${trigger}: ${JSON.parse(content).edited ?? JSON.parse(content).text}`),
    notes: () =>
      messages
        .openRows(session().id)
        .filter(({ kind }) => kind === 'system')
        .map(({ content }) => String(JSON.parse(content).text)),
    chatId,
    [Symbol.dispose]() {
      log.close();
      install[Symbol.dispose]();
    },
  };
}

export type Stage = ReturnType<typeof createStage>;

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { isoTime } from '@nanoclaw/protocol';
import type { Approval, Approvals } from '../../admin/approvals/index.ts';
import type { Directory } from '../../admin/directory/index.ts';
import { createAdministration } from '../../admin/index.ts';
import { createAudit } from '../../src/audit/index.ts';
import type {
  Acceptance,
  ButtonPress,
  ChannelAdapter,
  DeliveryResult,
  InboundEvent,
  OutboundMessage,
} from '../../src/channels/adapter.ts';
import { createGroupCommit, transaction } from '../../src/db/group-commit.ts';
import { createDelivery } from '../../src/delivery/index.ts';
import { createLogger } from '../../src/log/index.ts';
import { takeIn } from '../../src/mailbox/attachments.ts';
import { pathsFor } from '../../src/paths.ts';
import { createRoles, ensureUser } from '../../src/people/roles.ts';
import { createRouter } from '../../src/router.ts';
import { createWirings } from '../../src/routing/wirings.ts';
import type { Install } from './central.ts';
import { until } from './until.ts';

/** Approvals with everything real around them but the sandboxes: two channels, played by the test, on a real database. */

/** What outlives the host: chats, and what was said in them. */
export interface FarEnd {
  said: OutboundMessage[];
  /** Handles of users to whom no direct chat can be opened. */
  closed: Set<string>;
  /** What becomes of a delivery; undefined: it is sent. */
  answer: (message: OutboundMessage) => DeliveryResult | undefined;
}

export function createFarEnd(): FarEnd {
  return { said: [], closed: new Set(), answer: () => undefined };
}

export interface World extends AsyncDisposable {
  approvals: Approvals;
  directory: Directory;
  far: FarEnd;
  woken: string[];
  accept(event: InboundEvent): Promise<Acceptance>;
  /** All that came in and was stored, oldest first. */
  stored(): string[];
  drops(): Record<string, number>;
  /** What the audit log has since this began. */
  audited(): string[];
  /** The newest, of those with such a title. */
  approval(title?: RegExp): Approval;
  /** The text of what was said in a chat, oldest first; edits replace. */
  shown(chat: string): string[];
  /** The newest card in a chat. */
  card(chat: string): Promise<OutboundMessage>;
  press(card: OutboundMessage, label: string, by: string, where?: Partial<ButtonPress>): Promise<string>;
  query(sql: string, ...values: (string | number | null)[]): Record<string, unknown>[];
}

export interface WorldOptions {
  far?: FarEnd;
  env?: Readonly<Record<string, string>>;
  /** Between what waited and the router. */
  replay?: (event: InboundEvent, accept: (event: InboundEvent) => Promise<Acceptance>) => Promise<Acceptance>;
}

export async function createWorld(install: Install, options: WorldOptions = {}): Promise<World> {
  const { db, root, sessions, messages, deliveries, takeOver } = install;
  const { far = createFarEnd(), replay = (event, accept) => accept(event) } = options;
  const woken: string[] = [];
  mkdirSync(join(root, 'logs'), { recursive: true });
  const log = createLogger({ folder: join(root, 'logs'), secrets: () => [] });
  const paths = pathsFor(root);
  const commit = createGroupCommit(db);
  const roles = createRoles(db);
  const audit = createAudit(db);
  const adapters = new Map(
    [createChannel(far, 'rich', true), createChannel(far, 'plain', false)].map((one) => [one.channelType, one]),
  );
  const delivery = createDelivery({
    db,
    deliveries,
    adapter: (channelType) => adapters.get(channelType),
    boxOf: () => undefined,
    scratch: join(root, 'scratch'),
    onDelivered: () => {},
    onUndeliverable(failed) {
      admin.approvals.undeliverable(failed.messageId, Date.now());
      return [];
    },
    log,
  });
  const table = createWirings(db, roles);
  const admin = createAdministration({
    db,
    commit,
    roles,
    table,
    audit,
    paths,
    sessions,
    messages,
    deliveries,
    takeOver,
    runner: { list: () => [], stop: async () => {}, forget: () => {} },
    commands: () => ({
      run: async () => ({ exit: 0, out: '', err: '' }),
      perform: () => ({ ok: true, data: '' }),
    }),
    adapter: (channelType) => adapters.get(channelType),
    code: join(import.meta.dirname, '../..'),
    settingsChanged: () => {},
    perform: () => {},
    publish: () => {},
    wake: (sessionId) => woken.push(sessionId),
    deliver: delivery.enqueue,
    accept: (event) => replay(event, router.accept),
    noRoom: () => undefined,
    env: () => options.env ?? {},
    log,
  });
  const { approvals, directory } = admin;
  const router = createRouter({
    db,
    commit,
    messages,
    sessions,
    roles,
    capabilities: (channelType) => adapters.get(channelType)?.capabilities,
    command: () => () => {},
    answer({ origin, inboundId, now }, text) {
      const id = takeOver.say(origin, null, text, inboundId, now);
      return () => delivery.enqueue([id]);
    },
    words: admin.words,
    hold: { sender: approvals.holdSender, chat: approvals.holdChat },
    takeAttachments: (session, id, { attachments = [] }) =>
      Promise.all(attachments.map((one, index) => takeIn(join(root, 'in', session.id), id, index, one))),
    dropAttachments: async () => {},
    onStored: () => {},
    log,
  });
  delivery.resume();
  await approvals.start();

  const query: World['query'] = (sql, ...values) => db.prepare(sql).all(...values);
  const column = (sql: string) => query(sql).map((row) => String(Object.values(row)[0]));
  const from = column('SELECT action FROM audit_log').length;
  const shown = (chat: string) => {
    const there = far.said.filter(({ platformId }) => platformId === chat);
    return there
      .filter(({ edits }) => edits === undefined)
      .map(({ id, text }) => there.findLast(({ edits }) => edits === `p-${id}`)?.text ?? text);
  };
  return {
    approvals,
    directory,
    far,
    woken,
    accept: router.accept,
    stored: () =>
      column(
        `SELECT json_extract(content, '$.text') FROM messages WHERE direction = 'in' AND session_id IS NOT NULL AND kind = 'chat'
         ORDER BY rowid`,
      ),
    drops: () =>
      Object.fromEntries(
        query('SELECT reason, sum(count) AS n FROM dropped_messages GROUP BY reason').map((row) => [
          String(row.reason),
          Number(row.n),
        ]),
      ),
    audited: () => column('SELECT action FROM audit_log ORDER BY seq').slice(from),
    approval(title = /^/) {
      const newest = approvals.list(100).find((one) => title.test(one.title));
      if (!newest) throw new Error('There is no approval.');
      return newest;
    },
    shown,
    async card(chat) {
      const find = () => far.said.findLast(({ platformId, card }) => platformId === chat && card !== undefined);
      await until(() => find() !== undefined);
      const found = find();
      if (!found) throw new Error(`There is no card in ${chat}.`);
      return found;
    },
    press(card, label, by, where = {}) {
      const data = card.card?.buttons.find((button) => button.label === label)?.data ?? label;
      return approvals.press({
        channelType: 'rich',
        platformId: card.platformId,
        threadId: null,
        platformMessageId: `p-${card.id}`,
        senderId: by,
        senderName: by,
        data,
        ...where,
      });
    },
    query,
    async [Symbol.asyncDispose]() {
      await delivery.stop(1_000);
      commit.flush();
      log.close();
    },
  };
}

function createChannel(far: FarEnd, channelType: string, rich: boolean): ChannelAdapter {
  return {
    channelType,
    capabilities: { threads: false, maxTextLength: 1e6, buttons: rich, edits: rich },
    start: async () => {},
    stop: async () => {},
    async deliver(message) {
      const scripted = far.answer(message);
      if (scripted) return scripted;
      far.said.push(message);
      return { status: 'sent', platformMessageId: message.edits ?? `p-${message.id}` };
    },
    typing: () => {},
    openDm: async (handle) => (far.closed.has(handle) ? undefined : `dm-${handle}`),
  };
}

let count = 0;

export function eventOf(over: Partial<InboundEvent> = {}): InboundEvent {
  count += 1;
  return {
    channelType: 'rich',
    platformId: 'room',
    threadId: null,
    platformMessageId: `m${count}`,
    senderId: 'rich:kim',
    senderName: 'Kim',
    text: `message ${count}`,
    timestamp: isoTime(Date.now()),
    isMention: true,
    isGroup: true,
    ...over,
  };
}

/** Gives a role; the agent group's, or everywhere. The first of them is the oldest. */
export function grant(
  install: Install,
  userId: string,
  role: 'owner' | 'admin' | 'member',
  agentGroupId?: string,
): void {
  count += 1;
  const at = isoTime(Date.UTC(2026, 0, 1) + count);
  transaction(install.db, () => {
    ensureUser(
      install.db,
      userId,
      userId.replace(/^.*:/, '').replace(/^./, (first) => first.toUpperCase()),
      Date.now(),
    );
    if (role === 'member') {
      install.db
        .prepare('INSERT INTO agent_group_members (user_id, agent_group_id, added_at) VALUES (?, ?, ?)')
        .run(userId, agentGroupId ?? install.agentId, at);
    } else {
      install.db
        .prepare('INSERT INTO user_roles (user_id, role, agent_group_id, granted_at) VALUES (?, ?, ?, ?)')
        .run(userId, role, agentGroupId ?? null, at);
    }
  });
}

/** The owner is Ann on the rich channel, and nobody else is; the first agent listens in `room` when it is mentioned. */
export function furnish(install: Install): void {
  install.db.exec(
    "DELETE FROM user_roles; INSERT INTO messaging_groups (id, channel_type, platform_id, name, is_group, unknown_sender_policy, created_at) VALUES ('mg-room', 'rich', 'room', 'Room', 1, 'request_approval', '2026-01-01T00:00:00.000Z')",
  );
  install.db
    .prepare(
      `INSERT INTO messaging_group_agents (id, messaging_group_id, agent_group_id, engage_mode, created_at)
       VALUES ('mga-room', 'mg-room', ?, 'mention', '2026-01-01T00:00:00.000Z')`,
    )
    .run(install.agentId);
  grant(install, 'rich:ann', 'owner');
}

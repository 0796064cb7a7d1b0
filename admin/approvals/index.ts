import type { DatabaseSync } from 'node:sqlite';
import { byteLength } from '@nanoclaw/protocol';
import type { Audit } from '../../src/audit/index.ts';
import type {
  Acceptance,
  ButtonPress,
  ChannelAdapter,
  ChannelHost,
  InboundEvent,
  MessageChange,
} from '../../src/channels/adapter.ts';
import type { Deliveries } from '../../src/db/deliveries.ts';
import { type GroupCommit, transaction } from '../../src/db/group-commit.ts';
import type { Sessions } from '../../src/db/sessions.ts';
import type { ErrorCode } from '../../src/errors.ts';
import type { Logger } from '../../src/log/index.ts';
import type { Roles } from '../../src/people/roles.ts';
import type { Held, Words } from '../../src/router.ts';
import { createDrops } from '../../src/routing/drops.ts';
import type { Wiring } from '../../src/routing/session-key.ts';
import type { TakeOver } from '../../src/take-over/index.ts';
import type { Directory } from '../directory/index.ts';
import type { Result } from '../view.ts';
import { createAsking, isCard } from './asking.ts';
import { readData } from './card.ts';
import { type Choice, createDeciding, type Decider, type Kind } from './deciding.ts';
import { createEnding } from './ending.ts';
import { createHeld } from './held.ts';
import { chatAbout, chatRequest, createUnknownChat } from './kinds/unknown-chat.ts';
import { createUnknownSender, senderAbout, senderRequest } from './kinds/unknown-sender.ts';
import { createReach } from './reach.ts';
import { createRequests, dropped } from './requests.ts';
import { isOpen } from './states.ts';
import { type Approval, createTable, type NewApproval } from './table.ts';
import { createApprovalWords } from './words.ts';

export type { Choice, Decider, Kind, Performed } from './deciding.ts';
export type { Approval, NewApproval, Option } from './table.ts';

/** Held actions that somebody must allow: one table, one state machine, for every kind. */

export interface ApprovalsParts {
  db: DatabaseSync;
  commit: GroupCommit;
  roles: Roles;
  audit: Audit;
  directory: Directory;
  takeOver: TakeOver;
  deliveries: Deliveries;
  sessions: Sessions;
  adapter(channelType: string): ChannelAdapter | undefined;
  /** What waited is handed on as if it had just come. */
  accept(event: InboundEvent): Promise<Acceptance>;
  deliver(messageIds: readonly string[]): void;
  /** A session's agent has something to read. */
  wake(sessionId: string): void;
  noRoom(): ErrorCode | undefined;
  env(): Readonly<Record<string, string | undefined>>;
  /** For files of messages that wait. */
  folder: string;
  log: Logger;
}

export interface Approvals {
  /** A stranger wants to talk to an agent. Inside a transaction; what is returned runs after the commit. */
  holdSender(event: InboundEvent, wiring: Wiring, now: number): Held;
  /** Somebody addresses the bot in a chat where no agent listens. The same. */
  holdChat(event: InboundEvent, now: number): Held;
  /** `/approve` and `/deny`, and words that a decision waits for. */
  words: Words;
  press: ChannelHost['press'];
  /** Another kind, with what it does. */
  register(kind: Kind): void;
  /**
   * Asks for one, or finds the open one for the same subject. Inside a transaction; `after` runs after the commit.
   * NC_FORBIDDEN: too many of that session wait already.
   */
  request(request: NewApproval, now: number): Result<{ id: string; after(): void }>;
  /** By `ncl` and whatever else isn't a chat. Not ok: a sentence says why not. */
  decide(choice: Choice, by: Decider): Promise<{ ok: boolean; text: string }>;
  get(id: string): Approval | undefined;
  /** The newest first. */
  list(limit: number): Approval[];
  /** A message that waits for a decision was changed or deleted. Inside a transaction; what is returned runs after the commit. */
  changeHeld(change: MessageChange, now: number): () => void;
  /** What these are about goes away. Inside a transaction; what follows comes by itself when that has ended. */
  close(ids: readonly string[], now: number): void;
  /** A card can't be delivered: the next one is asked. Inside a transaction. */
  undeliverable(messageId: string, now: number): void;
  /** Once everything from before a crash is queued, and before channels start: hands on what waited for a decision that was made. */
  start(): Promise<void>;
  /** Expires, asks the next one, tries again. Each second. */
  sweep(now: number): void;
}

const MAX_DATA_BYTES = 64;
const GONE = 'What this was about is gone.';
type Ended = 'approved' | 'denied' | 'expired';

export function createApprovals(parts: ApprovalsParts): Approvals {
  const { db, commit, roles, directory, log } = parts;
  const kinds = new Map<string, Kind>();
  const table = createTable(db);
  const capabilities = (channelType: string) => parts.adapter(channelType)?.capabilities;
  const held = createHeld({ ...parts, drop: createDrops(db) });
  /** Decided for, with messages that wait still. */
  const toReplay = new Set<string>();
  const replaying = new Set<string>();
  let naming: ReadonlySet<string> = new Set();

  const setting = (name: string, otherwise: number, unit: number) => {
    const number = Number(parts.env()[name] ?? otherwise);
    return (number > 0 && Number.isFinite(number) ? number : otherwise) * unit;
  };
  const nextMs = () => setting('NANOCLAW_APPROVAL_NEXT_MINUTES', 15, 60_000);
  const expiresMs = () => setting('NANOCLAW_APPROVAL_HOURS', 24, 3_600_000);

  const ending = createEnding({ ...parts, table, held, capabilities, noteNaming, replay: (id) => void replay(id) });
  const deciding = createDeciding({ ...parts, table, ending, kind: (name) => kinds.get(name) });
  const ask = createAsking({ ...parts, table, reach: createReach(parts), nextMs });
  const requests = createRequests({ ...parts, table, held, expiresMs, ask: (id) => void ask(id) });
  const words = createApprovalWords({ db, table, deciding, isNaming: (userId) => naming.has(userId) });
  const unknownChat = createUnknownChat(db, roles, directory);
  for (const kind of [unknownChat, createUnknownSender(db, roles, directory)]) kinds.set(kind.kind, kind);

  function noteNaming(): void {
    naming = new Set(
      table.open().flatMap(({ status, decided_by }) => (status === 'naming' && decided_by ? [decided_by] : [])),
    );
  }

  async function replay(id: string): Promise<void> {
    if (replaying.has(id)) return;
    replaying.add(id);
    if (await held.replay(id)) toReplay.delete(id);
    else toReplay.add(id);
    replaying.delete(id);
  }

  /** A card that was passed on shows up where it never was. */
  function isWhereShown(id: string, press: ButtonPress): boolean {
    return table.shown(id).some((card) => {
      if (!isCard(card) || card.channelType !== press.channelType || card.platformId !== press.platformId) return false;
      const sentAs = parts.deliveries.sentAs(card.messageId);
      // It may be pressed before its delivery is noted; and not every platform says which message it was.
      return sentAs === undefined || press.platformMessageId === undefined || sentAs === press.platformMessageId;
    });
  }

  async function decide(choice: Choice, by: Decider, isAllowed: () => boolean = () => true) {
    const done = await commit.run(() =>
      isAllowed()
        ? deciding.decide(choice, by, Date.now())
        : { ok: false, text: 'This card was passed on: it can be used only where it was first shown.', after() {} },
    );
    done.after();
    return { ok: done.ok, text: done.text };
  }

  function endNow(approval: Approval, status: Ended, result: string, now: number): () => void {
    return ending.follow(ending.claim(approval, status, { by: 'host', option: null, result }, now), now);
  }

  /** Those that nobody decides any more. Inside a transaction, if there are any. */
  function endOverdue(open: readonly Approval[], now: number): (() => void)[] {
    return open.flatMap((approval) => {
      const overtaken = kinds.get(approval.kind)?.overtaken?.(approval);
      if (overtaken) return [endNow(approval, overtaken, 'It was settled by other means.', now)];
      return Date.parse(approval.expires_at) <= now ? [endNow(approval, 'expired', '', now)] : [];
    });
  }

  return {
    words,
    request: requests.request,
    register: (kind) => void kinds.set(kind.kind, kind),
    holdSender: (event, wiring, now) =>
      requests.hold(senderAbout(event, wiring), event, now, () => senderRequest(db, event, wiring)),
    holdChat(event, now) {
      if (unknownChat.isDenied(event)) return dropped('denied-chat');
      return requests.hold(chatAbout(event), event, now, () => chatRequest(db, event));
    },
    async press(press, refused) {
      const data = byteLength(press.data) <= MAX_DATA_BYTES ? readData(press.data) : undefined;
      if (!data) {
        refused?.();
        return 'This button has no use any more.';
      }
      const by = { user: press.senderId, place: press };
      try {
        const { ok, text } = await decide(data, by, () => !table.get(data.id) || isWhereShown(data.id, press));
        if (!ok) refused?.();
        return text;
      } catch (error) {
        log.error('a decision was not taken', { approval: data.id, by: press.senderId, error });
        refused?.();
        return 'That could not be done now. Nothing was changed: please try again.';
      }
    },
    decide,
    get: table.get,
    list: table.list,
    changeHeld: held.change,
    close(ids, now) {
      for (const id of ids) {
        const approval = table.get(id);
        if (approval && isOpen(approval.status)) setImmediate(endNow(approval, 'expired', GONE, now));
      }
    },
    undeliverable(messageId, now) {
      const id = table.shownAs(messageId);
      if (id !== undefined) table.escalate(id, now);
    },
    async start() {
      noteNaming();
      held.tidy();
      for (const id of held.unreplayed()) await replay(id);
    },
    sweep(now) {
      const open = table.open();
      if (open.length > 0) for (const after of transaction(db, () => endOverdue(open, now))) after();
      for (const { id, escalate_at } of open) {
        if (escalate_at !== null && Date.parse(escalate_at) <= now) void ask(id);
      }
      for (const id of toReplay) void replay(id);
    },
  };
}

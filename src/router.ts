import { rm } from 'node:fs/promises';
import type { DatabaseSync } from 'node:sqlite';
import {
  byteLength,
  cleanText,
  faultPoint,
  isoTime,
  MAX_TEXT_BYTES,
  type Origin,
  truncateBytes,
} from '@nanoclaw/protocol';
import type { Acceptance, ChannelCapabilities, InboundEvent } from './channels/adapter.ts';
import { type CommandName, commanded, parseCommand } from './commands/parse.ts';
import { asDatabaseError } from './db/connection.ts';
import type { GroupCommit } from './db/group-commit.ts';
import { newId } from './db/ids.ts';
import type { Messages, NewInbound } from './db/messages.ts';
import type { Session, Sessions } from './db/sessions.ts';
import { ERRORS, type ErrorCode, errorText, NanoError } from './errors.ts';
import type { Logger } from './log/index.ts';
import { ensureUser, type Roles } from './people/roles.ts';
import { createBacklog } from './routing/backlog.ts';
import { mayTalk } from './routing/decide.ts';
import { createDrops } from './routing/drops.ts';
import { sessionKey, type Wiring } from './routing/session-key.ts';
import { type Chat, createWirings, isThread, type Planned } from './routing/wirings.ts';

/** Steps 1 to 3 of a message's way: who sent it, which agents are meant, may they, into which session. */

export interface RouterParts {
  db: DatabaseSync;
  commit: GroupCommit;
  messages: Messages;
  sessions: Sessions;
  roles: Roles;
  capabilities(channelType: string): ChannelCapabilities | undefined;
  /** Inside the transaction: what the command does to the database. What it returns runs after the commit. */
  command(name: CommandName, context: CommandContext): () => void;
  /** What the host answers to words that are for itself. The same. */
  answer(context: Pick<CommandContext, 'event' | 'origin' | 'inboundId' | 'now'>, text: string): () => void;
  /** Words that are for the host, from anybody: a decision, a code. The first that answers. */
  words: readonly Words[];
  /** What waits until somebody has decided. Inside the transaction. */
  hold: {
    sender(event: InboundEvent, wiring: Wiring, now: number): Held;
    chat(event: InboundEvent, now: number): Held;
  };
  /** Attachments are put in place before the commit; returns what the content says of them. */
  takeAttachments(session: Session, messageId: string, event: InboundEvent): Promise<unknown[]>;
  /** Of a message that was there already. */
  dropAttachments(session: Session, messageId: string): Promise<void>;
  /** Whether there is no room for another message. */
  noRoom?(): ErrorCode | undefined;
  /** After the commit; `receivedAt` in ms since the epoch. */
  onStored(session: Session, messageId: string, event: InboundEvent, receivedAt: number): void;
  log: Logger;
}

export interface CommandContext {
  event: InboundEvent;
  origin: Origin;
  inboundId: string;
  /** The agents that are meant, of those that the sender may talk to here. */
  wirings: readonly Wiring[];
  /** Several agents listen in this chat: an answer says whose it is. */
  several: boolean;
  now: number;
}

export interface Words {
  /** Quickly, without the database: every message is asked about. */
  mayBe(event: InboundEvent): boolean;
  /** Inside a transaction. Undefined: it is not for the host after all. `dropped`: for nobody, without a word. */
  answer(event: InboundEvent, now: number): Answered | { dropped: string } | undefined;
}

export interface Answered {
  text: string;
  /** After the commit. */
  after(): void;
}

export interface Held {
  acceptance: Acceptance;
  /** After the commit. */
  after(): void;
}

export interface Router {
  accept(event: InboundEvent): Promise<Acceptance>;
}

/** People choose their names themselves, and every message carries one. */
const MAX_NAME_BYTES = 512;

/** The clock may not be before this: times order messages. */
export const EARLIEST_CLOCK = Date.parse('2026-01-01T00:00:00Z');

export function createRouter(parts: RouterParts): Router {
  const { db, commit, messages, sessions, roles, log } = parts;
  const table = createWirings(db, roles);
  const backlog = createBacklog(db, messages);
  const noteDrop = createDrops(db);
  const noted = db.prepare(
    `SELECT 1 FROM messages WHERE ifnull(session_id, '') = '' AND direction = 'in' AND channel_type = ? AND platform_id = ?
       AND platform_message_id = ?`,
  );
  const addCommand = db.prepare(
    `INSERT INTO messages (id, direction, kind, timestamp, status, channel_type, platform_id, thread_id,
       platform_message_id, user_id, content, outcome, settled_at, created_at)
     VALUES (?, 'in', 'chat', ?, 'completed', ?, ?, ?, ?, ?, ?, 'reply', ?, ?) ON CONFLICT DO NOTHING`,
  );

  function dropped(event: InboundEvent, reason: string, now: number): Acceptance {
    noteDrop(event, reason, now);
    return { status: 'dropped', reason };
  }

  /** A message between a chat and the host itself. False when it is there already. */
  function noteForHost(id: string, event: InboundEvent, now: number): boolean {
    ensureUser(db, event.senderId, event.senderName, now);
    const { channel_type, platform_id, thread_id } = originOf(event);
    const content = JSON.stringify({ text: event.text, sender: event.senderName });
    const at = isoTime(now);
    const of = [
      event.timestamp,
      channel_type,
      platform_id,
      thread_id,
      event.platformMessageId,
      event.senderId,
    ] as const;
    return addCommand.run(id, ...of, content, at, at).changes > 0;
  }

  function runCommand(
    name: CommandName,
    event: InboundEvent,
    { unknownSenderPolicy }: Chat,
    { meant, several }: { meant: readonly Wiring[]; several: boolean },
    now: number,
  ): Promise<Acceptance> {
    const inboundId = newId('msg', now);
    return commit
      .run(() => {
        const allowed = meant.filter((wiring) =>
          mayTalk(wiring, { standing: roles.standing(event.senderId, wiring.agentGroupId), unknownSenderPolicy }),
        );
        if (allowed.length === 0) return { acceptance: dropped(event, 'command-not-allowed', now), after: () => {} };
        const origin = originOf(event);
        if (!noteForHost(inboundId, event, now)) {
          return { acceptance: { status: 'duplicate' } as Acceptance, after: () => {} };
        }
        const after = parts.command(name, { event, origin, inboundId, wirings: allowed, several, now });
        faultPoint('command.committing');
        return { acceptance: { status: 'answered' } as Acceptance, after };
      })
      .then(({ acceptance, after }) => {
        faultPoint('command.committed');
        after();
        log.info('command', { messageId: inboundId, command: name, status: acceptance.status });
        return acceptance;
      });
  }

  /** For the host itself: a decision, a code. Undefined when nothing here is meant. */
  async function answerWords(event: InboundEvent, now: number): Promise<Acceptance | undefined> {
    const asked = event.webhook ? [] : parts.words.filter((words) => words.mayBe(event));
    if (asked.length === 0) return undefined;
    const inboundId = newId('msg', now);
    const done = await commit.run((): Held | undefined => {
      // Before anybody is asked: what was a code, or a decision, the first time is none the second.
      if (noted.get(event.channelType, event.platformId, event.platformMessageId)) throw new Repeated();
      for (const words of asked) {
        const answered = words.answer(event, now);
        if (!answered) continue;
        if ('dropped' in answered) return { acceptance: dropped(event, answered.dropped, now), after() {} };
        noteForHost(inboundId, event, now);
        const say = parts.answer({ event, origin: originOf(event), inboundId, now }, answered.text);
        return {
          acceptance: { status: 'answered' },
          after() {
            answered.after();
            say();
          },
        };
      }
      return undefined;
    });
    done?.after();
    return done?.acceptance;
  }

  async function hold(event: InboundEvent, now: number, keep: () => Held): Promise<Acceptance> {
    const { acceptance, after } = await commit.run(() => {
      const held = keep();
      if (held.acceptance.status === 'dropped') noteDrop(event, held.acceptance.reason, now);
      return held;
    });
    after();
    return acceptance;
  }

  async function carryOut({ wiring, decision }: Planned, event: InboundEvent, now: number): Promise<Acceptance> {
    switch (decision.do) {
      case 'drop':
        return commit.run(() => dropped(event, decision.reason, now));
      case 'accumulate':
        if (parts.noRoom?.()) return commit.run(() => dropped(event, 'no-room', now));
        return commit.run(() =>
          backlog.keep(wiring.id, event) ? dropped(event, `${decision.reason}, kept`, now) : { status: 'duplicate' },
        );
      case 'ask':
        return hold(event, now, () => parts.hold.sender(event, wiring, now));
      case 'engage':
        return deliverTo(wiring, event, decision.stick && isThread(event), now);
    }
  }

  async function deliverTo(wiring: Wiring, event: InboundEvent, stick: boolean, now: number): Promise<Acceptance> {
    // Not for strangers to know; and a command needs little room, and may make some.
    const noRoom = parts.noRoom?.();
    if (noRoom) return refused(noRoom);
    const threads = parts.capabilities(event.channelType)?.threads ?? false;
    const key = sessionKey(wiring, event, threads);
    const id = newId('msg', now);
    const ensure = () => sessions.ensure(wiring.agentGroupId, key.messagingGroupId, key.threadId, now);
    // Files are moved into the session's folder, so that its row comes first; without files one commit does it all.
    const early = event.attachments?.length ? await commit.run(ensure) : undefined;
    const attachments = early ? await parts.takeAttachments(early, id, event) : [];
    if (early) faultPoint('attachments.moved');
    const session = await commit.run(() => {
      const own = early ?? ensure();
      ensureUser(db, event.senderId, event.senderName, now);
      if (stick) table.stick(wiring.id, event.threadId, now);
      backlog.moveTo(own.id, wiring.id, event, now);
      return messages.addInbound(inboundOf(event, own, id, attachments), now) ? own : undefined;
    });
    if (!session) {
      if (early) await parts.dropAttachments(early, id);
      return { status: 'duplicate' };
    }
    parts.onStored(session, id, event, now);
    return { status: 'stored', messageIds: [id] };
  }

  /** What was taken has a name of its own in the session's folder. */
  function discard(localPath: string): void {
    rm(localPath, { force: true }).catch((error: unknown) => log.warn('a file stays', { path: localPath, error }));
  }

  async function route(raw: InboundEvent, now: number): Promise<Acceptance> {
    const refusal = refusalOf(raw, now);
    if (refusal) return refusal;
    const threads = parts.capabilities(raw.channelType)?.threads ?? false;
    const event = {
      ...raw,
      text: cleanText(raw.text),
      senderName: truncateBytes(cleanText(raw.senderName), MAX_NAME_BYTES),
      threadId: threads ? raw.threadId : null,
    };
    const answered = await answerWords(event, now);
    if (answered) return answered;
    const chat = table.chat(event.channelType, event.platformId);
    const wirings = chat ? table.of(chat.id) : [];
    if (!chat || wirings.length === 0) {
      if (event.isMention) return hold(event, now, () => parts.hold.chat(event, now));
      return commit.run(() => dropped(event, chat ? 'no-agent-wired' : 'unknown-chat', now));
    }
    const command = event.webhook ? undefined : parseCommand(event.text);
    const meant = command ? commanded(command, event, wirings) : [];
    if (command && meant.length > 0) {
      return runCommand(command.name, event, chat, { meant, several: wirings.length > 1 }, now);
    }
    const results = await Promise.all(
      table.plan(chat, wirings, event, now).map((planned) =>
        // An error in one wiring must not stop another.
        carryOut(planned, event, now).catch((error: unknown): Acceptance => {
          const { platformMessageId } = event;
          log.error('a wiring failed', { wiring: planned.wiring.id, platformMessageId, error });
          return refusedBy(error);
        }),
      ),
    );
    const acceptance = summary(results);
    // The platform is told that it was taken, and won't send it again.
    const lost = acceptance.status === 'stored' || acceptance.status === 'held' ? results.filter(isRefused) : [];
    for (const { code } of lost) {
      await commit
        .run(() => noteDrop(event, `failed: ${code}`, now))
        .catch((error: unknown) => log.error('not counted', { code, error }));
    }
    return acceptance;
  }

  return {
    async accept(event) {
      try {
        return await route(event, Date.now());
      } catch (error) {
        if (error instanceof Repeated) return { status: 'duplicate' };
        log.error('an event was not taken', { platformMessageId: event.platformMessageId, error });
        return refusedBy(error);
      } finally {
        for (const { localPath } of event.attachments ?? []) discard(localPath);
      }
    },
  };
}

function refusalOf(event: InboundEvent, now: number): Acceptance | undefined {
  if (now < EARLIEST_CLOCK) return refused('NC_CLOCK');
  if (byteLength(event.text) > MAX_TEXT_BYTES) return refused('NC_MESSAGE_TOO_LARGE');
  if (event.text.trim() === '' && !event.attachments?.length) return refused('NC_MESSAGE_EMPTY');
  return undefined;
}

function refused(code: ErrorCode, detail?: string): Acceptance {
  const { sentence, remedy } = ERRORS[code];
  return { status: 'refused', code, sentence: [sentence, detail, remedy].filter(Boolean).join(' ') };
}

function refusedBy(error: unknown): Acceptance {
  const known = asDatabaseError(error);
  return known instanceof NanoError ? refused(known.code) : refused('NC_INTERNAL', errorText(error));
}

function inboundOf(event: InboundEvent, session: Session, id: string, attachments: readonly unknown[]): NewInbound {
  return {
    ...originOf(event),
    id,
    sessionId: session.id,
    kind: event.webhook ? 'webhook' : 'chat',
    timestamp: event.timestamp,
    trigger: true,
    content: event.webhook ?? {
      text: event.text,
      sender: event.senderName,
      senderId: event.senderId,
      ...(attachments.length > 0 && { attachments }),
      ...(event.replyTo && { replyTo: event.replyTo }),
    },
    platformMessageId: event.platformMessageId,
    // What a program passes on was written by anybody: an agent acts on it with nobody's rights.
    ...(!event.webhook && { userId: event.senderId }),
  };
}

function originOf(event: InboundEvent): Origin {
  return { channel_type: event.channelType, platform_id: event.platformId, thread_id: event.threadId };
}

/** The platform has sent it twice: whatever it did the second time is undone. */
class Repeated extends Error {}

function isRefused(acceptance: Acceptance): acceptance is Extract<Acceptance, { status: 'refused' }> {
  return acceptance.status === 'refused';
}

/** Stored anywhere is stored. What one wiring dropped doesn't hide that another could not take it: it has to come again. */
function summary(results: readonly Acceptance[]): Acceptance {
  const stored = results.filter((result) => result.status === 'stored');
  if (stored.length > 0) return { status: 'stored', messageIds: stored.flatMap((result) => result.messageIds) };
  const order = ['held', 'refused', 'answered', 'duplicate', 'dropped'];
  const [first] = results.toSorted((a, b) => order.indexOf(a.status) - order.indexOf(b.status));
  return first ?? { status: 'dropped', reason: 'no-agent-wired' };
}

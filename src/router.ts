import { rm } from 'node:fs/promises';
import type { DatabaseSync } from 'node:sqlite';
import { byteLength, cleanText, faultPoint, isoTime, MAX_TEXT_BYTES, type Origin } from '@nanoclaw/protocol';
import type { Acceptance, ChannelCapabilities, InboundEvent } from './channels/adapter.ts';
import { type CommandName, parseCommand } from './commands/parse.ts';
import { asDatabaseError } from './db/connection.ts';
import type { GroupCommit } from './db/group-commit.ts';
import { newId } from './db/ids.ts';
import type { Messages, NewInbound } from './db/messages.ts';
import type { Session, Sessions } from './db/sessions.ts';
import { ERRORS, type ErrorCode, errorText, NanoError } from './errors.ts';
import type { Logger } from './log/index.ts';
import { ensureUser, type Roles } from './people/roles.ts';
import { engages, sessionKey, type Wiring } from './routing/engage.ts';

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
  /** The agents that listen here and may be commanded by the sender. */
  wirings: readonly Wiring[];
  now: number;
}

export interface Router {
  accept(event: InboundEvent): Promise<Acceptance>;
}

interface Chat {
  id: string;
}

/** The clock may not be before this: times order messages. */
export const EARLIEST_CLOCK = Date.parse('2026-01-01T00:00:00Z');

export function createRouter(parts: RouterParts): Router {
  const { db, commit, messages, sessions, roles, log } = parts;
  const findChat = db.prepare('SELECT id FROM messaging_groups WHERE channel_type = ? AND platform_id = ?');
  const findWirings = db.prepare(
    `SELECT id, messaging_group_id, agent_group_id, session_mode, engage_mode, engage_pattern
     FROM messaging_group_agents WHERE messaging_group_id = ? ORDER BY priority DESC, id`,
  );
  const drop = db.prepare(
    `INSERT INTO dropped_messages (channel_type, platform_id, reason, count, first_seen, last_seen, sample_sender)
     VALUES (?1, ?2, ?3, 1, ?4, ?4, ?5)
     ON CONFLICT DO UPDATE SET count = count + 1, last_seen = excluded.last_seen, sample_sender = excluded.sample_sender`,
  );
  const addCommand = db.prepare(
    `INSERT INTO messages (id, direction, kind, timestamp, status, channel_type, platform_id, thread_id,
       platform_message_id, user_id, content, outcome, settled_at, created_at)
     VALUES (?, 'in', 'chat', ?, 'completed', ?, ?, ?, ?, ?, ?, 'reply', ?, ?) ON CONFLICT DO NOTHING`,
  );

  function dropped(event: InboundEvent, reason: string, now: number): Acceptance {
    drop.run(event.channelType, event.platformId, reason, isoTime(now), event.senderId);
    return { status: 'dropped', reason };
  }

  function wiringsOf(chat: Chat): Wiring[] {
    return findWirings.all(chat.id).map((row) => ({
      id: String(row.id),
      messagingGroupId: String(row.messaging_group_id),
      agentGroupId: String(row.agent_group_id),
      sessionMode: row.session_mode as Wiring['sessionMode'],
      engageMode: row.engage_mode as Wiring['engageMode'],
      engagePattern: row.engage_pattern as string | null,
    }));
  }

  function runCommand(
    name: CommandName,
    event: InboundEvent,
    wirings: readonly Wiring[],
    now: number,
  ): Promise<Acceptance> {
    const inboundId = newId('msg', now);
    return commit
      .run(() => {
        const allowed = wirings.filter((wiring) => roles.mayTalk(event.senderId, wiring.agentGroupId));
        if (allowed.length === 0) return { acceptance: dropped(event, 'command-not-allowed', now), after: () => {} };
        const origin = originOf(event);
        const { changes } = addCommand.run(
          inboundId,
          event.timestamp,
          origin.channel_type,
          origin.platform_id,
          origin.thread_id,
          event.platformMessageId,
          event.senderId,
          JSON.stringify({ text: event.text, sender: event.senderName }),
          isoTime(now),
          isoTime(now),
        );
        if (changes === 0) return { acceptance: { status: 'duplicate' } as Acceptance, after: () => {} };
        const after = parts.command(name, { event, origin, inboundId, wirings: allowed, now });
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

  async function deliverTo(wiring: Wiring, event: InboundEvent, now: number): Promise<Acceptance> {
    const engagement = engages(wiring, event);
    if (!engagement.engaged) return commit.run(() => dropped(event, engagement.reason, now));
    if (!roles.mayTalk(event.senderId, wiring.agentGroupId)) {
      return commit.run(() => dropped(event, 'unknown-sender', now));
    }
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
      senderName: cleanText(raw.senderName),
      threadId: threads ? raw.threadId : null,
    };
    const chat = findChat.get(event.channelType, event.platformId);
    const wirings = chat ? wiringsOf({ id: String(chat.id) }) : [];
    if (wirings.length === 0) return commit.run(() => dropped(event, chat ? 'no-agent-wired' : 'unknown-chat', now));
    const name = parseCommand(event.text);
    if (name) return runCommand(name, event, wirings, now);
    const results = await Promise.all(
      wirings.map((wiring) =>
        // An error in one wiring must not stop another.
        deliverTo(wiring, event, now).catch((error: unknown): Acceptance => {
          log.error('a wiring failed', { wiring: wiring.id, platformMessageId: event.platformMessageId, error });
          return refusedBy(error);
        }),
      ),
    );
    return summary(results);
  }

  return {
    async accept(event) {
      try {
        return await route(event, Date.now());
      } catch (error) {
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
    kind: 'chat',
    timestamp: event.timestamp,
    trigger: true,
    content: {
      text: event.text,
      sender: event.senderName,
      senderId: event.senderId,
      ...(attachments.length > 0 && { attachments }),
      ...(event.replyTo && { replyTo: event.replyTo }),
    },
    platformMessageId: event.platformMessageId,
    userId: event.senderId,
  };
}

function originOf(event: InboundEvent): Origin {
  return { channel_type: event.channelType, platform_id: event.platformId, thread_id: event.threadId };
}

/** Stored anywhere is stored; otherwise the first thing that was said. */
function summary(results: readonly Acceptance[]): Acceptance {
  const stored = results.filter((result) => result.status === 'stored');
  if (stored.length > 0) return { status: 'stored', messageIds: stored.flatMap((result) => result.messageIds) };
  return results[0] ?? { status: 'dropped', reason: 'no-agent-wired' };
}

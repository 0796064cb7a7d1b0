import type { DatabaseSync } from 'node:sqlite';
import {
  AckError,
  ChatOut,
  faultPoint,
  isoTime,
  type MessageOutRow,
  type Origin,
  type SystemNote,
  SystemOut,
} from '@nanoclaw/protocol';
import { z } from 'zod';
import type { NclRequest } from '../admin/agent-door/index.ts';
import { type Deliveries, outboundId } from './db/deliveries.ts';
import { newId } from './db/ids.ts';
import type { MessageOutcome, Messages, OpenMessage } from './db/messages.ts';
import type { Session, Sessions } from './db/sessions.ts';
import { decideRetry, type Failure, failureOfAck, noticeText } from './failures.ts';
import type { OutboundSnapshot } from './mailbox/outbound-reader.ts';

/** Step 5 of a message's way: what an agent wrote becomes rows of the central database, each once. */

export interface Settled extends Origin {
  messageId: string;
  platformMessageId: string | null;
  outcome: MessageOutcome;
}

/** What the host has to do after the transaction stands. */
export interface Effects {
  /** Message ids to deliver, oldest first. */
  deliver: string[];
  settled: Settled[];
  /** Put off: [message id, milliseconds since the epoch]. */
  putOff: [string, number][];
  /** Tries that failed, for the log. */
  failed: { messageId: string; tries: number; kind: string; error: string; retryMs: number | undefined }[];
  /** What its `ncl` asks of the host. */
  requests: NclRequest[];
  /** Rows that the agent may not send, or that make no sense. */
  refused: number;
  /** True when inbound.db is to be published again. */
  changed: boolean;
}

export interface TakeOver {
  /** Inside a transaction. Trusts nothing in the snapshot but its row shapes. */
  apply(session: Session, snapshot: OutboundSnapshot, now: number): Effects;
  /** The same decisions for messages that failed on the host's side: no start, a dead sandbox. Inside a transaction. */
  fail(session: Session, messages: readonly OpenMessage[], failure: Failure, now: number): Effects;
  /**
   * Tells the agent what became of something that it did: with its next turn, or, given an origin, in a turn of its own
   * that is answered there. Inside a transaction.
   */
  tellAgent(session: Session, subject: string, status: string, text: string, now: number, wakeFor?: Origin): void;
  /** What the host itself says in a chat. Inside a transaction; returns the id to deliver. */
  say(
    origin: Origin,
    sessionId: string | null,
    text: string,
    inReplyTo: string | null,
    now: number,
    extra?: Pick<HostOut, 'card' | 'edits'>,
  ): string;
}

export interface TakeOverParts {
  db: DatabaseSync;
  messages: Messages;
  deliveries: Deliveries;
  sessions: Sessions;
}

export function noEffects(): Effects {
  return { deliver: [], settled: [], putOff: [], failed: [], requests: [], refused: 0, changed: false };
}

export function createTakeOver({ db, messages, deliveries, sessions }: TakeOverParts): TakeOver {
  const ownChat = db.prepare('SELECT channel_type, platform_id FROM messaging_groups WHERE id = ?');
  const reachable = db.prepare(
    `SELECT 1 FROM messaging_groups g JOIN agent_destinations d ON d.target_type = 'channel' AND d.target_id = g.id
     WHERE d.agent_group_id = ? AND g.channel_type = ? AND g.platform_id = ?`,
  );
  const wired = db.prepare(
    `SELECT 1 FROM messaging_groups g JOIN messaging_group_agents w ON w.messaging_group_id = g.id
     WHERE w.agent_group_id = ? AND g.channel_type = ? AND g.platform_id = ?`,
  );
  const addUsage = db.prepare(
    `INSERT INTO usage (session_id, provider, model, input_tokens, output_tokens, cache_read_tokens, cache_write_tokens,
       cost_usd, duration_ms, at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  );

  // What was said after a message was sent, or just before, stands for it, too; and so does what is said of one that waits.
  // With an answer in between it is another story.
  const findTold = db.prepare(
    `SELECT 1 FROM messages n LEFT JOIN messages other ON other.id = n.in_reply_to
     WHERE n.session_id = ?1 AND n.direction = 'out' AND n.seq IS NULL AND n.content = ?2
       AND n.channel_type IS ?3 AND n.platform_id IS ?4 AND n.thread_id IS ?5
       AND (other.status IN ('pending', 'paused') OR n.created_at BETWEEN ?6 AND ?7 AND n.created_at >= ifnull(
         (SELECT created_at FROM messages WHERE session_id = ?1 AND direction = 'out' AND seq IS NOT NULL
          ORDER BY seq DESC LIMIT 1), ''))`,
  );

  /** Where a row goes, under the destination ACL: the session's own chat, or one that the agent was given. */
  function target(session: Session, row: MessageOutRow): Origin | undefined {
    const own = session.messagingGroupId === null ? undefined : ownChat.get(session.messagingGroupId);
    if (row.channel_type === null || row.platform_id === null) {
      if (!own) return undefined;
      return {
        channel_type: String(own.channel_type),
        platform_id: String(own.platform_id),
        thread_id: session.threadId,
      };
    }
    const isOwn = own
      ? own.channel_type === row.channel_type && own.platform_id === row.platform_id
      : // A session of all of an agent's chats answers in each of them.
        wired.get(session.agentGroupId, row.channel_type, row.platform_id) !== undefined;
    if (!isOwn && !reachable.get(session.agentGroupId, row.channel_type, row.platform_id)) return undefined;
    return { channel_type: row.channel_type, platform_id: row.platform_id, thread_id: row.thread_id };
  }

  function takeChat(session: Session, row: MessageOutRow, now: number, effects: Effects): void {
    const content = parseJson(row.content, ChatOut);
    const origin = target(session, row);
    const id = outboundId(session.id, row.id);
    const place = origin ?? row;
    const added = deliveries.addOutbound(
      { ...row, ...pick(place), id, sessionId: session.id, inReplyTo: row.in_reply_to },
      now,
    );
    if (!added) return;
    const problem = !content ? 'The message has no readable content.' : !origin ? 'You may not send there.' : undefined;
    if (problem) {
      effects.refused += 1;
      deliveries.refuse(id, problem, now);
      tellAgent(session, 'delivery', 'failed', `Message ${row.seq} was not sent: ${problem}`, now);
      return;
    }
    const answers = content?.answers ?? [];
    // Written before the agent heard of it: who has read “Stopped.” is not answered after it.
    if (answers.length > 0 && answers.every((answered) => messages.openById(session.id, answered) === undefined)) {
      deliveries.refuse(id, 'What it answers had ended before.', now);
      return;
    }
    for (const answered of answers) messages.noteOutcome(session.id, answered, 'reply');
    deliveries.queue(id, row.deliver_after, now);
    effects.deliver.push(id);
  }

  function takeSystem(session: Session, row: MessageOutRow, now: number, effects: Effects): void {
    const content = parseJson(row.content, SystemOut);
    if (content?.action === 'ncl') {
      // Not kept: what comes of it is in the audit log, and of a question nothing.
      const { requestId, argv } = content;
      effects.requests.push({ requestId, argv, seq: sessions.takeSeq(session.id) });
      return;
    }
    const id = outboundId(session.id, row.id);
    if (!deliveries.addOutbound({ ...row, id, sessionId: session.id, inReplyTo: row.in_reply_to }, now)) return;
    if (!content) {
      tellAgent(session, 'request', 'failed', 'The host did not understand a request.', now);
    } else if (content.action === 'usage') {
      addUsage.run(
        session.id,
        content.provider,
        content.model ?? null,
        content.inputTokens,
        content.outputTokens,
        content.cacheReadTokens ?? 0,
        content.cacheWriteTokens ?? 0,
        content.costUsd ?? null,
        content.durationMs ?? null,
        isoTime(now),
      );
    } else {
      const outcome = content.action === 'silence' ? 'silence' : 'stopped';
      for (const answered of content.answers) messages.noteOutcome(session.id, answered, outcome);
    }
  }

  function tellAgent(
    session: Session,
    subject: string,
    status: string,
    text: string,
    now: number,
    wakeFor?: Origin,
  ): void {
    // They wait for a turn: one that makes ever more of them doesn't need to read them all.
    if (!wakeFor && messages.countNotes(session.id) >= MAX_NOTES) return;
    const note: SystemNote = { action: 'note', subject, status, text };
    messages.addInbound(
      {
        id: newId('sys', now),
        sessionId: session.id,
        kind: 'system',
        timestamp: isoTime(now),
        trigger: wakeFor !== undefined,
        content: note,
        ...(wakeFor ? pick(wakeFor) : { channel_type: null, platform_id: null, thread_id: session.threadId }),
      },
      now,
    );
  }

  function say(...[origin, sessionId, text, inReplyTo, now, extra]: Parameters<TakeOver['say']>): string {
    const id = newId(NOTE, now);
    const content = JSON.stringify({ text, ...extra } satisfies HostOut);
    deliveries.addOutbound(
      { ...pick(origin), id, sessionId, seq: null, kind: 'chat', timestamp: isoTime(now), inReplyTo, content },
      now,
    );
    deliveries.queue(id, null, now);
    return id;
  }

  function isTold(sessionId: string, message: OpenMessage, text: string, now: number): boolean {
    const content = JSON.stringify({ text } satisfies ChatOut);
    const { channel_type, platform_id, thread_id } = message;
    const since = isoTime(Date.parse(message.createdAt) - BURST_MS);
    return findTold.get(sessionId, content, channel_type, platform_id, thread_id, since, isoTime(now)) !== undefined;
  }

  function fail(session: Session, failed: readonly OpenMessage[], failure: Failure, now: number): Effects {
    const effects = noEffects();
    for (const message of failed) {
      const decision = decideRetry(failure, message.tries);
      const text = noticeText(failure, message.tries, decision);
      if (text !== undefined && message.platform_id !== null && !isTold(session.id, message, text, now)) {
        effects.deliver.push(say(message, session.id, text, message.id, now));
      }
      effects.changed = true;
      const retryMs = decision.retry ? decision.afterMs : undefined;
      const { kind, message: error } = failure;
      effects.failed.push({ messageId: message.id, tries: message.tries + 1, kind, error, retryMs });
      if (decision.retry) {
        messages.retry(session.id, message.id, now + decision.afterMs);
        effects.putOff.push([message.id, now + decision.afterMs]);
      } else {
        settle(session, message.id, 'failed', 'notice', now, effects);
      }
    }
    return effects;
  }

  function settle(
    session: Session,
    id: string,
    status: 'completed' | 'failed',
    outcome: MessageOutcome,
    now: number,
    effects: Effects,
  ): void {
    const message = messages.settle(session.id, id, status, outcome, now);
    if (!message) return;
    effects.changed = true;
    effects.settled.push({
      ...pick(message),
      messageId: id,
      platformMessageId: message.platformMessageId,
      outcome,
    });
  }

  function applyAcks(session: Session, snapshot: OutboundSnapshot, now: number, effects: Effects): void {
    const failures = new Map<string, { failure: Failure; messages: OpenMessage[] }>();
    for (const ack of snapshot.acks) {
      const message = messages.openById(session.id, ack.message_id);
      if (!message) continue;
      if (ack.status === 'completed') {
        const outcome = message.trigger ? (messages.notedOutcome(session.id, message.id) ?? 'silence') : 'context';
        settle(session, message.id, 'completed', outcome, now, effects);
      } else if (ack.status === 'failed') {
        const error = parseJson(ack.error ?? '', AckError) ?? UNREADABLE;
        // An acknowledgement of an earlier try says nothing about the one that is due.
        if (error !== UNREADABLE && error.tries !== message.tries) continue;
        const key = JSON.stringify([error.class, error.retryable, error.message]);
        const group = failures.get(key) ?? { failure: failureOfAck(error), messages: [] };
        group.messages.push(message);
        failures.set(key, group);
      }
    }
    for (const group of failures.values()) merge(effects, fail(session, group.messages, group.failure, now));
  }

  return {
    apply(session, snapshot, now) {
      const effects = noEffects();
      for (const row of snapshot.messages) {
        if (row.kind === 'system') takeSystem(session, row, now, effects);
        else takeChat(session, row, now, effects);
      }
      const last = snapshot.messages.at(-1);
      if (last) {
        sessions.setReceived(session.id, last.seq);
        effects.changed = true;
      }
      // With rows left to read, an acknowledgement may be about an answer that has not been seen yet.
      if (!snapshot.more) applyAcks(session, snapshot, now, effects);
      if (effects.changed) faultPoint('takeover.committing');
      return effects;
    },
    fail,
    say,
    tellAgent,
  };
}

/** Messages that follow each other this closely are told of together, however quickly the first one failed. */
const BURST_MS = 3_000;
const NOTE = 'note';

/** Said by the host itself. */
export function isNote(messageId: string): boolean {
  return messageId.startsWith(`${NOTE}-`);
}

/** What the host itself says may hold more than what agents say. Nothing that an agent wrote is read by this. */
const HostOut = ChatOut.extend({
  card: z
    .object({
      title: z.string(),
      body: z.string(),
      buttons: z.array(z.object({ data: z.string().max(64), label: z.string() })).readonly(),
    })
    .optional(),
  /** An earlier message of the host's, by our id, and what it is from now on. Where that can't be done, `text` is said. */
  edits: z.object({ message: z.string(), text: z.string() }).optional(),
});
export type HostOut = z.infer<typeof HostOut>;

/** An outgoing row's content, by who wrote it. Throws on what isn't one. */
export function readContent(messageId: string, content: string): HostOut {
  return (isNote(messageId) ? HostOut : ChatOut).parse(JSON.parse(content));
}

/** Notes that wait for an agent's next turn. */
const MAX_NOTES = 20;

const UNREADABLE: AckError = {
  class: 'crash',
  retryable: false,
  message: 'The agent reported an unreadable error.',
  tries: 0,
};

function pick(origin: Origin): Origin {
  return { channel_type: origin.channel_type, platform_id: origin.platform_id, thread_id: origin.thread_id };
}

export function merge(into: Effects, from: Effects): void {
  into.deliver.push(...from.deliver);
  into.settled.push(...from.settled);
  into.putOff.push(...from.putOff);
  into.failed.push(...from.failed);
  into.changed ||= from.changed;
}

function parseJson<T>(
  text: string,
  schema: { safeParse(value: unknown): { success: boolean; data?: T } },
): T | undefined {
  try {
    const parsed = schema.safeParse(JSON.parse(text));
    return parsed.success ? parsed.data : undefined;
  } catch {
    return undefined;
  }
}

import { rm } from 'node:fs/promises';
import { cleanText, faultPoint, truncateBytes } from '@nanoclaw/protocol';
import { commanded, parseCommand } from '../assistant/commands/parse.ts';
import type { Acceptance, ChannelCapabilities, InboundEvent } from './channels/adapter.ts';
import { newId } from './db/ids.ts';
import type { Messages, NewInbound } from './db/messages.ts';
import type { Session, Sessions } from './db/sessions.ts';
import type { ErrorCode } from './errors.ts';
import { ensureUser } from './people/roles.ts';
import { isRefused, refusalOf, refused, refusedBy, summary } from './routing/acceptance.ts';
import { createBacklog } from './routing/backlog.ts';
import { createDrops } from './routing/drops.ts';
import { createForHost, type ForHostParts, type Held, originOf, Repeated } from './routing/for-host.ts';
import { sessionKey, type Wiring } from './routing/session-key.ts';
import { createWirings, isThread, type Planned } from './routing/wirings.ts';

/** Steps 1 to 3 of a message's way: who sent it, which agents are meant, may they, into which session. */

export type { Answered, CommandContext, Held, Words } from './routing/for-host.ts';

export interface RouterParts extends ForHostParts {
  messages: Messages;
  sessions: Sessions;
  capabilities(channelType: string): ChannelCapabilities | undefined;
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
}

export interface Router {
  accept(event: InboundEvent): Promise<Acceptance>;
}

/** People choose their names themselves, and every message carries one. */
const MAX_NAME_BYTES = 512;

export function createRouter(parts: RouterParts): Router {
  const { db, commit, messages, sessions, roles, log } = parts;
  const table = createWirings(db, roles);
  const backlog = createBacklog(db, messages);
  const noteDrop = createDrops(db);
  const { runCommand, answerWords } = createForHost(parts, dropped);

  function dropped(event: InboundEvent, reason: string, now: number): Acceptance {
    noteDrop(event, reason, now);
    return { status: 'dropped', reason };
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
    if (command) {
      const meant = commanded(command, event, wirings);
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

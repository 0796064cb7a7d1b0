import type { DatabaseSync } from 'node:sqlite';
import { faultPoint, isoTime, type Origin } from '@nanoclaw/protocol';
import type { CommandName } from '../../assistant/commands/parse.ts';
import type { Acceptance, InboundEvent } from '../channels/adapter.ts';
import type { GroupCommit } from '../db/group-commit.ts';
import { newId } from '../db/ids.ts';
import type { Logger } from '../log/index.ts';
import { ensureUser, type Roles } from '../people/roles.ts';
import { mayTalk } from './decide.ts';
import type { Wiring } from './session-key.ts';
import type { Chat } from './wirings.ts';

/** What is said to the host itself and not to an agent: commands, decisions, codes. */

export interface ForHostParts {
  db: DatabaseSync;
  commit: GroupCommit;
  roles: Roles;
  /** Inside the transaction: what the command does to the database. What it returns runs after the commit. */
  command(name: CommandName, context: CommandContext): () => void;
  /** What the host answers to words that are for itself. The same. */
  answer(context: Pick<CommandContext, 'event' | 'origin' | 'inboundId' | 'now'>, text: string): () => void;
  /** Words that are for the host, from anybody: a decision, a code. The first that answers. */
  words: readonly Words[];
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

export interface ForHost {
  runCommand(
    name: CommandName,
    event: InboundEvent,
    chat: Chat,
    who: { meant: readonly Wiring[]; several: boolean },
    now: number,
  ): Promise<Acceptance>;
  /** Undefined when nothing of the host's is meant. */
  answerWords(event: InboundEvent, now: number): Promise<Acceptance | undefined>;
}

/** Inside a transaction. */
type Dropped = (event: InboundEvent, reason: string, now: number) => Acceptance;

export function createForHost(parts: ForHostParts, dropped: Dropped): ForHost {
  const { db, commit, roles, log } = parts;
  const noted = db.prepare(
    `SELECT 1 FROM messages WHERE ifnull(session_id, '') = '' AND direction = 'in' AND channel_type = ? AND platform_id = ?
       AND platform_message_id = ?`,
  );
  const addCommand = db.prepare(
    `INSERT INTO messages (id, direction, kind, timestamp, status, channel_type, platform_id, thread_id,
       platform_message_id, user_id, content, outcome, settled_at, created_at)
     VALUES (?, 'in', 'chat', ?, 'completed', ?, ?, ?, ?, ?, ?, 'reply', ?, ?) ON CONFLICT DO NOTHING`,
  );

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
        const why = meant.length === 0 ? 'for-another-bot' : 'command-not-allowed';
        if (allowed.length === 0) return { acceptance: dropped(event, why, now), after: () => {} };
        const origin = originOf(event);
        const isNew = noteForHost(inboundId, event, now);
        if (!isNew) return { acceptance: { status: 'duplicate' } as Acceptance, after: () => {} };
        const after = parts.command(name, { event, origin, inboundId, wirings: allowed, several, now });
        faultPoint('command.committing');
        return { acceptance: { status: 'answered', messageIds: [inboundId] } as Acceptance, after };
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
    const isRepeat = () => noted.get(event.channelType, event.platformId, event.platformMessageId) !== undefined;
    if (asked.length === 0) {
      // Nothing is asked any more, and these may be the words that answered it: a platform repeats what it was not told of.
      if (isRepeat()) throw new Repeated();
      return undefined;
    }
    const inboundId = newId('msg', now);
    const done = await commit.run((): Held | undefined => {
      // Before anybody is asked: what was a code, or a decision, the first time is none the second.
      if (isRepeat()) throw new Repeated();
      for (const words of asked) {
        const answered = words.answer(event, now);
        if (!answered) continue;
        if ('dropped' in answered) return { acceptance: dropped(event, answered.dropped, now), after() {} };
        noteForHost(inboundId, event, now);
        const say = parts.answer({ event, origin: originOf(event), inboundId, now }, answered.text);
        return {
          acceptance: { status: 'answered', messageIds: [inboundId] },
          after() {
            answered.after();
            say();
          },
        };
      }
      return undefined;
    });
    if (done) faultPoint('answer.committed');
    done?.after();
    return done?.acceptance;
  }

  return { runCommand, answerWords };
}

export function originOf(event: InboundEvent): Origin {
  return { channel_type: event.channelType, platform_id: event.platformId, thread_id: event.threadId };
}

/** The platform has sent it twice: whatever it did the second time is undone. */
export class Repeated extends Error {}

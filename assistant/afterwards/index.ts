import type { DatabaseSync } from 'node:sqlite';
import type { Activities } from '../../src/activity.ts';
import type { ChannelHost, InboundEvent, MessageChange } from '../../src/channels/adapter.ts';
import { type GroupCommit, transaction } from '../../src/db/group-commit.ts';
import type { Messages } from '../../src/db/messages.ts';
import type { Session, Sessions } from '../../src/db/sessions.ts';
import type { Logger } from '../../src/log/index.ts';
import type { Roles } from '../../src/people/roles.ts';
import { createBacklog } from '../../src/routing/backlog.ts';
import type { Wirings } from '../../src/routing/wirings.ts';
import type { Effects } from '../../src/take-over/index.ts';
import { createChanges } from './changes.ts';
import { createCopies } from './copies.ts';
import { createMemberships } from './memberships.ts';
import { createNotes } from './notes.ts';
import { createReactions } from './reactions.ts';
import { createUnread } from './unread.ts';

/** What people do to what was said already: they change it, take it back, react to it. None of it begins a turn. */

export interface AfterwardsParts {
  db: DatabaseSync;
  commit: GroupCommit;
  messages: Messages;
  sessions: Sessions;
  roles: Roles;
  table: Wirings;
  activity: Activities;
  /** Messages that wait for a decision. Inside a transaction; what is returned runs after the commit. */
  changeHeld(change: MessageChange, now: number): () => void;
  perform(session: Session, effects: Effects): void;
  publish(sessionId: string): void;
  log: Logger;
}

export interface Afterwards extends Required<Pick<ChannelHost, 'changed' | 'reacted' | 'membership'>> {
  /** Something came from a chat: the bot is there. */
  heard(event: Pick<InboundEvent, 'channelType' | 'platformId'>): void;
  /** Whether the bot is no longer in that chat. */
  isGone(channelType: string, platformId: string): boolean;
  /** After a look at what a session's agent does. */
  look(sessionId: string): void;
}

export function createAfterwards(parts: AfterwardsParts): Afterwards {
  const { db, commit, messages, activity, perform, publish, log } = parts;
  const unread = createUnread({ db, messages, activity: activity.get });
  const notes = createNotes(db, messages, unread);
  const copies = createCopies(db, parts.sessions);
  const change = createChanges({ copies, messages, notes, unread });
  const react = createReactions({ ...parts, copies, notes });
  const backlog = createBacklog(db, messages);
  const memberships = createMemberships(db);

  async function quietly(what: string, work: () => Promise<void>): Promise<void> {
    await work().catch((error: unknown) => log.error(`${what} was not taken`, { error }));
  }

  return {
    changed: (given) =>
      quietly('a change of a message', async () => {
        const { changed, after } = await commit.run(() => {
          const now = Date.now();
          backlog.change(given);
          return { changed: change(given, now), after: parts.changeHeld(given, now) };
        });
        after();
        for (const { session, effects } of changed) perform(session, effects);
      }),
    reacted: (reaction) =>
      quietly('a reaction', async () => {
        for (const { id } of await commit.run(() => react(reaction, Date.now()))) publish(id);
      }),
    membership: (given) => quietly('a membership', () => commit.run(() => memberships.apply(given, Date.now()))),
    heard({ channelType, platformId }) {
      void quietly('a return', async () => {
        if (!memberships.isGone(channelType, platformId)) return;
        await commit.run(() => memberships.back(channelType, platformId));
      });
    },
    isGone: memberships.isGone,
    look(sessionId) {
      const told = unread.look(sessionId);
      if (told.length === 0) return;
      try {
        transaction(db, () => {
          for (const tell of told) tell();
        });
        publish(sessionId);
      } catch (error) {
        log.error('an agent was not told of a change', { session: sessionId, error });
      }
    },
  };
}

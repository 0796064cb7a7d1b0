import type { DatabaseSync } from 'node:sqlite';
import { z } from 'zod';
import type { Reaction } from '../../src/channels/adapter.ts';
import type { Session } from '../../src/db/sessions.ts';
import type { Roles } from '../../src/people/roles.ts';
import { mayTalk } from '../../src/routing/decide.ts';
import type { Wirings } from '../../src/routing/wirings.ts';
import type { Copies, Copy } from './copies.ts';
import type { Notes } from './notes.ts';
import { emojiOf, reactedNote } from './words.ts';

/** Somebody reacted to something that an agent said, or has heard: it is told of it, by whoever may talk to it there. */

export interface ReactionsParts {
  db: DatabaseSync;
  copies: Copies;
  notes: Notes;
  roles: Pick<Roles, 'standing'>;
  table: Pick<Wirings, 'chat' | 'of'>;
}

const Text = z.looseObject({ text: z.string() });

export function createReactions({ db, copies, notes, roles, table }: ReactionsParts) {
  const userName = db.prepare('SELECT display_name FROM users WHERE id = ?');

  function isHeard({ channelType, platformId, senderId }: Reaction, { agentGroupId }: Session): boolean {
    const chat = table.chat(channelType, platformId);
    const wiring = chat && table.of(chat.id).find((one) => one.agentGroupId === agentGroupId);
    if (!wiring) return false;
    const { unknownSenderPolicy } = chat;
    return mayTalk(wiring, { standing: roles.standing(senderId, agentGroupId), unknownSenderPolicy });
  }

  function tell(reaction: Reaction, copy: Copy, isOwn: boolean, now: number): boolean {
    const { session } = copy;
    const emoji = emojiOf(reaction.emoji);
    const about = JSON.stringify([copy.id, reaction.senderId, emoji]);
    if (!reaction.on) return notes.drop(session, 'reaction', about, now);
    if (emoji === '' || !isHeard(reaction, session)) return false;
    const who = String(userName.get(reaction.senderId)?.display_name ?? reaction.senderId);
    const { text = '' } = Text.safeParse(copy.content).data ?? {};
    notes.put(session, 'reaction', about, 'on', reactedNote(who, emoji, isOwn ? undefined : copy.seq, text), now);
    return true;
  }

  /** Inside a transaction. Returns sessions whose agents have something to read. */
  return (reaction: Reaction, now: number): Session[] => {
    const own = copies.said(reaction);
    const all = own ? [own] : copies.of(reaction);
    return all.flatMap((copy) => (tell(reaction, copy, copy === own, now) ? [copy.session] : []));
  };
}

import { cleanText, MAX_TEXT_BYTES, truncateBytes } from '@nanoclaw/protocol';
import { z } from 'zod';
import type { MessageChange } from '../../src/channels/adapter.ts';
import type { MessageOutcome, Messages } from '../../src/db/messages.ts';
import type { Session } from '../../src/db/sessions.ts';
import { type Effects, noEffects } from '../../src/take-over/index.ts';
import type { Copies, Copy } from './copies.ts';
import type { Notes } from './notes.ts';
import type { Unread } from './unread.ts';
import { changedNote, deletedNote } from './words.ts';

/** A message that was edited or deleted where it stands: what each agent that has it is to make of that. */

export interface ChangesParts {
  copies: Copies;
  messages: Messages;
  notes: Notes;
  unread: Unread;
}

/** What a session's row came to; nothing when it had all that before. */
export interface Changed {
  session: Session;
  effects: Effects;
}

const Said = z.looseObject({
  text: z.string(),
  sender: z.string(),
  attachments: z.array(z.unknown()).optional(),
  /** What it says since its agent has read it. */
  edited: z.string().optional(),
  deleted: z.boolean().optional(),
});

export function createChanges({ copies, messages, notes, unread }: ChangesParts) {
  function withdraw({ id, session, ...row }: Copy, now: number): Effects {
    const outcome: MessageOutcome = 'withdrawn';
    const ended = messages.settle(session.id, id, 'completed', outcome, now);
    const settled = ended ? [{ ...ended, messageId: id, outcome }] : [];
    return { ...noEffects(), changed: true, settled: row.trigger ? settled : [] };
  }

  function changeOne(copy: Copy, change: MessageChange, now: number): Effects | undefined {
    const said = Said.safeParse(copy.content).data;
    if (!said || said.deleted) return undefined;
    const { session, seq } = copy;
    const tell = (status: string, text: string) => notes.put(session, 'message', copy.id, status, text, now);
    if (change.text === null) {
      if (unread.is(copy)) return withdraw(copy, now);
      copies.write(copy.id, { ...said, deleted: true });
      tell('deleted', deletedNote(said.sender, seq));
      return { ...noEffects(), changed: true };
    }
    // An edit by somebody else is none: people change what they have said themselves.
    const text = truncateBytes(cleanText(change.text), MAX_TEXT_BYTES);
    const isEmpty = text.trim() === '' && !said.attachments?.length;
    if (change.senderId !== copy.userId || isEmpty || text === (said.edited ?? said.text)) return undefined;
    if (unread.is(copy)) {
      unread.rewrite(copy, { ...said, text }, () => tell('changed', changedNote(said.sender, seq, text)));
    } else {
      copies.write(copy.id, { ...said, edited: text });
      tell('changed', changedNote(said.sender, seq, text));
    }
    return { ...noEffects(), changed: true };
  }

  /** Inside a transaction. */
  return (change: MessageChange, now: number): Changed[] =>
    copies.of(change).flatMap((copy) => {
      const effects = changeOne(copy, change, now);
      return effects ? [{ session: copy.session, effects }] : [];
    });
}

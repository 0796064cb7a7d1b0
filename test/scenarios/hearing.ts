import type { CardFrame, MessageFrame, ServerFrame } from '../../channels/terminal/frames.ts';
import type { Stage } from './stage.ts';

/** What was said in the chats of one scenario. Each message is expected once; what nobody expected is told at the end. */

export interface Where {
  channel: string;
  in: string;
  thread?: string;
}

type Spoken = MessageFrame | CardFrame;
type Edited = Extract<ServerFrame, { type: 'edited' }>;

export function createHearing({ cast }: Pick<Stage, 'cast'>, chats: () => readonly Where[]) {
  const from = cast.frames.length;
  const heard = new Set<ServerFrame>();
  const since = () => cast.frames.slice(from);
  const there = ({ channel, in: chat, thread }: Where) => {
    const isThere = (frame: Spoken | Edited) =>
      (frame.channel ?? 'terminal') === channel &&
      (frame.chat ?? 'local') === chat &&
      (thread === undefined || frame.thread === thread);
    return isThere;
  };
  const spoken = (where: Where): Spoken[] => since().filter(isSpoken).filter(there(where));
  const edits = (where: Where): Edited[] => since().filter(isEdited).filter(there(where));

  return {
    /** The first that was not expected yet and fits; from now on it was. */
    take(where: Where, fits: (frame: Spoken) => boolean): Spoken | undefined {
      const found = spoken(where).find((frame) => !heard.has(frame) && fits(frame));
      if (found) heard.add(found);
      return found;
    },
    takeEdit(where: Where, fits: (text: string) => boolean): Edited | undefined {
      const found = edits(where).find((frame) => !heard.has(frame) && fits(frame.text));
      if (found) heard.add(found);
      return found;
    },
    /** The newest of those that were expected here: others play in the owner's chat as well. */
    newest: (where: Where, fits: (frame: Spoken) => boolean): Spoken | undefined =>
      spoken(where).findLast((frame) => heard.has(frame) && fits(frame)),
    texts: (where: Where): string[] => [...spoken(where), ...edits(where)].map(({ text }) => text),
    /** In the scenario's own chats. */
    unexpected: (): string[] =>
      chats().flatMap((where) =>
        spoken(where).flatMap((frame) => (heard.has(frame) ? [] : `${where.in} heard ${JSON.stringify(frame.text)}`)),
      ),
  };
}

export type Hearing = ReturnType<typeof createHearing>;

function isSpoken(frame: ServerFrame): frame is Spoken {
  return frame.type === 'message' || frame.type === 'card';
}

function isEdited(frame: ServerFrame): frame is Edited {
  return frame.type === 'edited';
}

/** `…` stands for anything. */
export function patternOf(text: string): RegExp {
  const parts = text.split('…').map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${parts.join('[\\s\\S]*')}$`, 'u');
}

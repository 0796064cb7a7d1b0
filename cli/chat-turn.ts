import type { ServerFrame } from '../channels/terminal/frames.ts';
import type { End, Said } from './chat-text.ts';

type Edited = Extract<ServerFrame, { type: 'edited' }>;

/** What one message's sender is shown, and when it is over. */
export interface TurnStep {
  /** The answer. */
  answer?: Said;
  /** An answer to somebody else, or to a message of before: it may have waited for the next who looks. */
  other?: Said;
  /** What else comes up in the chat and wants to be seen: somebody is asked, or what they were asked is decided. */
  aside?: Said | Edited;
  progress?: string;
  refused?: { code: string; sentence: string };
  end?: End;
}

/** Follows one message of ours through the frames of a chat that others may use at the same time. */
export function createTurn(id: string): (frame: ServerFrame) => TurnStep[] {
  const names = new Set([id]);
  /** Came before we knew what the host calls our message. */
  let early: (Said | Edited)[] | undefined = [];
  let answered = false;
  let byHost = false;
  let lastOther: Said | undefined;
  /** A card from before is another's matter. */
  let watching = false;

  function place(frame: Said | Edited): TurnStep[] {
    if (frame.type === 'edited') return [{ aside: frame }];
    const isOurs = frame.inReplyTo !== null && names.has(frame.inReplyTo);
    if (frame.type === 'card' && !isOurs) return [{ aside: frame }];
    // What the host answers itself always says what it answers.
    if (!isOurs && (frame.inReplyTo !== null || byHost)) {
      lastOther = frame;
      return [{ other: frame }];
    }
    answered = true;
    return [{ answer: frame }];
  }

  function placeEarly(): TurnStep[] {
    const steps = early?.flatMap(place) ?? [];
    early = undefined;
    return steps;
  }

  return (frame) => {
    switch (frame.type) {
      case 'accepted':
        if (frame.id !== id) return [];
        for (const name of frame.messageIds) names.add(name);
        byHost = frame.answered === true;
        return [...placeEarly(), ...(frame.held ? [{ end: 'held' as const }] : [])];
      case 'refused': {
        if (frame.id !== id && frame.id !== null) return [];
        return [...placeEarly(), { refused: { code: frame.code, sentence: frame.sentence } }];
      }
      case 'progress':
        return [{ progress: frame.text }];
      case 'card':
      case 'message':
      case 'edited':
        if (frame.type === 'card' && !watching) return [];
        if (!early) return place(frame);
        early.push(frame);
        return [];
      case 'settled': {
        if (frame.id !== id) return [];
        const late = placeEarly();
        // One turn may answer several messages and name only one of them.
        const shared = frame.outcome === 'reply' && !answered ? lastOther : undefined;
        return [...late, { end: frame.outcome, ...(shared && { answer: shared }) }];
      }
      case 'watching':
        watching = true;
        return [];
      case 'typing':
      case 'pressed':
      case 'ended':
        return [];
    }
  };
}

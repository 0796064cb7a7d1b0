import type { ServerFrame } from '../src/channels/terminal/frames.ts';

type MessageFrame = Extract<ServerFrame, { type: 'message' }>;

/** What one message's sender is shown, and when it is over. */
export interface TurnStep {
  /** The answer. */
  answer?: MessageFrame;
  progress?: string;
  refused?: { code: string; sentence: string };
  end?: 'reply' | 'silence' | 'notice' | 'stopped';
}

/** Follows one message of ours through the frames of a chat that others may use at the same time. */
export function createTurn(id: string): (frame: ServerFrame) => TurnStep[] {
  const names = new Set([id]);
  /** Came before we knew what the host calls our message. */
  let early: MessageFrame[] | undefined = [];
  let answered = false;
  let byHost = false;
  let lastOther: MessageFrame | undefined;

  function place(frame: MessageFrame): TurnStep[] {
    // A command of the host's has no name here to reply to.
    if (frame.inReplyTo !== null && !names.has(frame.inReplyTo) && !byHost) {
      lastOther = frame;
      return [];
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
        return placeEarly();
      case 'refused': {
        if (frame.id !== id && frame.id !== null) return [];
        return [...placeEarly(), { refused: { code: frame.code, sentence: frame.sentence } }];
      }
      case 'progress':
        return [{ progress: frame.text }];
      case 'message':
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
      case 'typing':
      case 'ended':
        return [];
    }
  };
}

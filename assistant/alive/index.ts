import type { Messages } from '../../src/db/messages.ts';
import { type BehindParts, createBehind } from './behind.ts';
import { createLines, type Lines, type LinesParts } from './lines.ts';
import type { Typing } from './typing.ts';

/** That work goes on, where somebody waits for it: the sign of typing, a line after a minute of silence, and what goes on behind the turns. */

export type AliveParts = Omit<LinesParts, 'redact'> &
  Omit<BehindParts, 'redact'> & {
    messages: Pick<Messages, 'open'>;
    typing: Typing;
    log: { redact(text: string): string };
  };

export interface Alive extends Lines, ReturnType<typeof createBehind> {
  /** Its session has something to do: after a pause or a start, its chat sees that again. */
  showWork(sessionId: string): void;
}

export function createAlive(parts: AliveParts): Alive {
  const { messages, typing, rests, log } = parts;
  const { redact } = log;
  return {
    ...createLines({ ...parts, redact }),
    ...createBehind({ ...parts, redact }),
    showWork(sessionId) {
      const now = Date.now();
      for (const { id, kind, trigger, channel_type, platform_id, thread_id, processAfter } of messages.open(
        sessionId,
      )) {
        const due = processAfter === null || Date.parse(processAfter) <= now;
        // Of a task, nobody waits there for the answer.
        if (!trigger || kind === 'task' || !due || channel_type === null || platform_id === null) continue;
        if (rests(sessionId)) typing.off(id);
        else typing.on({ channelType: channel_type, platformId: platform_id, threadId: thread_id }, id);
      }
    },
  };
}

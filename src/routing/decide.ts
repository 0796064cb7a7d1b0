/** The one table of routing: what a wiring does with a message. Pure. `docs/routing.md` shows it, and tests read it from there. */

/** What somebody is to an agent. */
export const STANDINGS = ['owner', 'admin', 'member', 'unknown', 'denied'] as const;
export type Standing = (typeof STANDINGS)[number];

/** What a wiring's pattern makes of a text. What can't be decided in time does not match. */
export type PatternResult = 'match' | 'no-match' | 'invalid' | 'too-slow';

export interface Terms {
  engageMode: 'pattern' | 'mention' | 'mention-sticky';
  senderScope: 'all' | 'known';
  ignoredMessagePolicy: 'drop' | 'accumulate';
}

export interface Facts {
  /** The agent is meant: by a mention, by its name, by an answer to what it said. */
  addressed: boolean;
  pattern: PatternResult;
  /** It was addressed in this thread before, and nobody has let it go. */
  sticky: boolean;
  standing: Standing;
  unknownSenderPolicy: 'strict' | 'request_approval' | 'public';
  /** An exclusive wiring of a higher priority engages. */
  taken: boolean;
}

export type DropReason =
  | 'not-mentioned'
  | 'no-match'
  | 'pattern-invalid'
  | 'pattern-too-slow'
  | 'taken'
  | 'unknown-sender'
  | 'denied-sender';

export type Decision =
  /** `stick`: from now on the thread needs no mention. */
  | { do: 'engage'; stick: boolean }
  /** Whether this sender may talk to the agent is asked of somebody who may say so. */
  | { do: 'ask' }
  /** Kept as context for the next time that the agent engages. */
  | { do: 'accumulate'; reason: DropReason }
  | { do: 'drop'; reason: DropReason };

export function decide(terms: Terms, facts: Facts): Decision {
  const refusal = refusalOf(terms, facts);
  const reason = facts.taken ? 'taken' : notEngaged(terms, facts);
  // Context is what those have said who might have engaged the agent: a stranger's words reach no prompt.
  if (reason !== undefined) {
    const keep = terms.ignoredMessagePolicy === 'accumulate' && refusal === undefined;
    return keep ? { do: 'accumulate', reason } : { do: 'drop', reason };
  }
  if (refusal === 'ask') return { do: 'ask' };
  if (refusal !== undefined) return { do: 'drop', reason: refusal };
  return { do: 'engage', stick: terms.engageMode === 'mention-sticky' };
}

function notEngaged({ engageMode }: Terms, { addressed, pattern, sticky }: Facts): DropReason | undefined {
  if (engageMode === 'pattern') {
    if (pattern === 'match') return undefined;
    return pattern === 'no-match' ? 'no-match' : `pattern-${pattern}`;
  }
  return addressed || (engageMode === 'mention-sticky' && sticky) ? undefined : 'not-mentioned';
}

type Access = Pick<Facts, 'standing' | 'unknownSenderPolicy'>;

/** Whether this sender may talk to the agent at all, meant or not. */
export function mayTalk(terms: Pick<Terms, 'senderScope'>, access: Access): boolean {
  return refusalOf(terms, access) === undefined;
}

function refusalOf(
  { senderScope }: Pick<Terms, 'senderScope'>,
  { standing, unknownSenderPolicy }: Access,
): 'ask' | 'unknown-sender' | 'denied-sender' | undefined {
  if (standing === 'denied') return 'denied-sender';
  if (standing !== 'unknown') return undefined;
  if (unknownSenderPolicy === 'request_approval') return 'ask';
  return unknownSenderPolicy === 'public' && senderScope === 'all' ? undefined : 'unknown-sender';
}

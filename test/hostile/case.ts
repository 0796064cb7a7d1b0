import type { Heard, Place, Stage } from './stage.ts';

/** One hostile thing, and what its chat hears of it. */
export interface HostileCase {
  name: string;
  /** What it is, in a sentence. */
  about: string;
  /** For how long, in seconds, the agent is at work when it happens; default: long enough. Null: it does nothing. */
  workS?: number | null;
  /** What takes its time to be made, and harms nobody yet. */
  prepare?(place: Place): void | Promise<void>;
  plant(place: Place, stage: Stage): void | Promise<void>;
  /** What the chat hears. */
  told: RegExp;
  /** Within this, default 10 s. */
  withinMs?: number;
  /** More that has to hold, once the chat has been told. */
  check?(heard: Heard, place: Place, stage: Stage): void | Promise<void>;
  /** Only root can plant it. */
  root?: boolean;
  /** What is left of the race may be met by the next runner, too: the message after the next one is answered. */
  leavesWorse?: boolean;
  /** Takes seconds by its nature: runs beside the others. */
  slow?: boolean;
}

export const QUARANTINED = /mailbox file broke its rules/;
/** Ended and tried again, with or without a word, according to how long the turn had run. */
export const AGAIN = /Something broke|I waited/;
export const ANSWERED = /^I waited/;
/** Whatever a race comes to: a word there is. */
export const ANY_WORD = /mailbox file broke its rules|Something broke|^I waited/;

import type { Random } from '../../faults/random.ts';

/** One platform of the run, played by the test: a new one is a file beside this and a line in lanes.ts. */

/** Where somebody writes, as the channel names it; its answers have to come there. */
export interface Place {
  chat: string;
  thread: string | null;
}

export interface Said extends Place {
  text: string;
}

export interface Account {
  /** The channel type. */
  instance: string;
  channel: string;
  /** The folder of a package that is none of ours. */
  source: string | null;
  settings: Readonly<Record<string, string>>;
  /** Lines of the host's .env. */
  env?: Readonly<Record<string, string>>;
}

export interface Lane extends AsyncDisposable {
  account: Account;
  places: readonly Place[];
  /** The platform, or its stand-in, knows a message by our id: no repeat at all is allowed. */
  hasKey: boolean;
  /** Once the host runs on this folder, before anybody writes. */
  ready?(home: string): Promise<void>;
  /** Somebody writes; resolves with the platform's id. The platform goes on until the host has taken it. */
  send(place: Place, text: string): Promise<string>;
  /** The platform sends one that it sent before once more. */
  repeat(place: Place, id: string): Promise<void> | void;
  /**
   * What goes wrong next: a refusal of the next send, a line that breaks, an answer that is lost. Without `mayLose` nothing
   * by which nobody knows whether a message was taken: what is in doubt twice is given up, as it should be.
   */
  disturb(random: Random, mayLose: boolean): void;
  /** Messages' ids in the order that the platform has them, where that isn't the one in which they were sent. */
  order?(): Promise<readonly string[]>;
  /** What was said there so far, oldest first. */
  said(): Promise<readonly Said[]> | readonly Said[];
}

import type { MessageInRow, Origin } from '@nanoclaw/protocol';
import type { Outcome, Rejected } from '../output/outcome.ts';
import type { Asker } from './behind.ts';

/** One prompt at the provider. */
export interface Push {
  id: string;
  /** In the order of `seq`. */
  triggers: readonly MessageInRow[];
  context: readonly MessageInRow[];
  /** Of a correction: what the answer before it came to. It is sent together with what comes of the correction. */
  held?: Outcome;
  /** Of a turn that nobody asked for: whose work it tells of, whatever else runs. */
  own?: Asker;
}

/** The ids by which the host knows what they hold. */
export function messagesOf(pushes: Iterable<Push>): string[] {
  return [...pushes].flatMap((push) => push.triggers.map((row) => row.id));
}

/** The agent's work on the messages of one origin, until the provider is done with every prompt. */
export class Turn {
  readonly origin: Origin;
  /** The id of its oldest message. */
  readonly first: string;
  readonly open = new Map<string, Push>();
  /** Triggers taken in all. */
  taken = 0;
  /** The id of the newest trigger. */
  replyTo: string | null = null;
  corrected = false;
  /** A tool has said something to the origin since the last answer. */
  said = false;
  /** Parts of progress texts that couldn't be sent. */
  rejected: Rejected[] = [];

  constructor({ id, ...origin }: Origin & { id: string }) {
    this.first = id;
    this.origin = { channel_type: origin.channel_type, platform_id: origin.platform_id, thread_id: origin.thread_id };
  }

  add(push: Push): void {
    this.open.set(push.id, push);
    if (push.held) return;
    this.taken += push.triggers.length;
    this.replyTo = push.triggers.at(-1)?.id ?? this.replyTo;
  }

  /** Whom it speaks to now: what nobody asked for is told before the rest is begun. */
  get asker(): Asker {
    return this.own ?? { origin: this.origin, asked: this.replyTo };
  }

  get own(): Asker | undefined {
    return [...this.open.values()].find((push) => push.own)?.own;
  }

  get held(): number {
    let count = 0;
    for (const push of this.open.values()) count += push.triggers.length;
    return count;
  }
}

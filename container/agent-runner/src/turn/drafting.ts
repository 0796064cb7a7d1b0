import { DRAFT, type Draft, faultPoint } from '@nanoclaw/protocol';
import type { Outbound } from '../mailbox/outbound.ts';
import { readPartial } from '../output/partial.ts';
import { messagesOf, type Turn } from './turn.ts';

/** A short answer is better read at once, when it is finished: it costs no look of the host's, either. */
const FROM_CHARS = 200;
const FROM_MS = 1_000;
const EVERY_MS = 300;

/** Keeps what the model is writing where the host sees it grow. */
export class Drafting {
  readonly #outbound: Outbound;
  #begun: number | null = null;
  #writtenAt = Number.NEGATIVE_INFINITY;
  #text = '';

  constructor(outbound: Outbound) {
    this.#outbound = outbound;
  }

  show(turn: Turn, text: string): void {
    // It answers nothing that a draft could stand for, and may belong to another chat.
    if (turn.own) return;
    const now = performance.now();
    this.#begun ??= now;
    if (now - this.#writtenAt < EVERY_MS) return;
    const held = [...turn.open.values()].flatMap((push) => push.held?.own ?? []);
    const shown = readPartial([...held, text].join('\n\n'));
    const isShort = shown.length < FROM_CHARS && now - this.#begun < FROM_MS;
    if (isShort || shown === '' || shown === this.#text) return;
    const draft: Draft = { answers: messagesOf(turn.open.values()), text: shown };
    this.#outbound.write((tx) => tx.setState(DRAFT, JSON.stringify(draft)));
    this.#text = shown;
    this.#writtenAt = now;
    faultPoint('runner.drafting');
  }

  /** It has become rows, or never will: those who wrote that have dropped it from the file. */
  over(): void {
    this.#begun = null;
    this.#text = '';
  }
}

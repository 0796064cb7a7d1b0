/** Nobody is shown more than a part of this before it is finished. */
const MOST = 64 * 1024;

/**
 * Keeps what the model says apart: the text of the turn's last message is its answer, all text before it is progress.
 * The harness reports one message in several parts, each a block, under one id.
 */
export class TurnText {
  readonly #progress: (text: string) => void;
  readonly #partial: (text: string) => void;
  #id = '';
  #text = '';
  #goesOn = false;
  /** Of the message that the model is at: its id, and what has come of a block that isn't reported yet. */
  #writing = '';
  #block = '';

  constructor(progress: (text: string) => void, partial: (text: string) => void) {
    this.#progress = progress;
    this.#partial = partial;
  }

  begins(messageId: string): void {
    this.#writing = messageId;
    this.#block = '';
  }

  writes(text: string): void {
    this.#block += text;
    if (this.#text.length + this.#block.length > MOST) return;
    const before = this.#writing === this.#id || this.#goesOn ? this.#text : '';
    this.#partial(before + this.#block);
  }

  said(messageId: string, text: string, callsTool: boolean): void {
    if (messageId !== this.#id) {
      if (!this.#goesOn) this.#release();
      this.#goesOn = false;
      this.#id = messageId;
    }
    this.#text += text;
    this.#block = '';
    if (callsTool) this.#release();
  }

  /** The message ended at the model's length limit: the next one is the rest of it. */
  cutOff(): void {
    this.#goesOn = true;
  }

  /** The answer, and a clean slate for the next turn. */
  take(): string {
    const text = this.#text;
    this.#id = '';
    this.#text = '';
    this.#goesOn = false;
    this.begins('');
    return text;
  }

  #release(): void {
    if (this.#text.trim() !== '') this.#progress(this.#text);
    this.#text = '';
  }
}

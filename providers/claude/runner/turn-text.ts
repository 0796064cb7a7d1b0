/**
 * Keeps what the model says apart: the text of the turn's last message is its answer, all text before it is progress.
 * The harness reports one message in several parts, each a block, under one id.
 */
export class TurnText {
  readonly #progress: (text: string) => void;
  #id = '';
  #text = '';
  #goesOn = false;

  constructor(progress: (text: string) => void) {
    this.#progress = progress;
  }

  said(messageId: string, text: string, callsTool: boolean): void {
    if (messageId !== this.#id) {
      if (!this.#goesOn) this.#release();
      this.#goesOn = false;
      this.#id = messageId;
    }
    this.#text += text;
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
    return text;
  }

  #release(): void {
    if (this.#text.trim() !== '') this.#progress(this.#text);
    this.#text = '';
  }
}

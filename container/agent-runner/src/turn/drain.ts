/** How long a stopped turn may take to wind up before its query is given up. */
const PATIENCE_MS = 3000;

/** A stopped turn's prompts, until the provider has let go of all of them and has confirmed the interruption. */
export class Drain {
  readonly #ids: Set<string>;
  readonly #until: number;
  #interrupted = false;

  constructor(ids: Iterable<string>, now: number) {
    this.#ids = new Set(ids);
    this.#until = now + PATIENCE_MS;
  }

  interrupted(): void {
    this.#interrupted = true;
  }

  /** The provider is done with these; with all when it names none. Returns whether any belonged here. */
  release(ids: readonly string[] = [...this.#ids]): boolean {
    return ids.filter((id) => this.#ids.delete(id)).length > 0;
  }

  get isDone(): boolean {
    return this.#ids.size === 0 && this.#interrupted;
  }

  isOverdue(now: number): boolean {
    return now >= this.#until;
  }
}

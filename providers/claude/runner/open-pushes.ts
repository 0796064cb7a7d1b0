type Uuid = ReturnType<typeof crypto.randomUUID>;
export type PushState = 'waiting' | 'queued' | 'started' | 'completed' | 'cancelled';

export interface Push {
  readonly uuid: Uuid;
  /** The caller's own name for it. */
  readonly id: string;
  state: PushState;
}

/** The pushes that nobody has been told the end of. A push leaves exactly once, with its outcome. */
export class OpenPushes {
  readonly #byUuid = new Map<string, Push>();
  readonly #waiters = new Set<() => void>();

  get size(): number {
    return this.#byUuid.size;
  }

  add(id: string): Push {
    const push: Push = { uuid: crypto.randomUUID(), id, state: 'waiting' };
    this.#byUuid.set(push.uuid, push);
    return push;
  }

  /** A turn that the harness began by itself counts as one, too. */
  adopt(): Push {
    const push = this.add(crypto.randomUUID());
    push.state = 'started';
    return push;
  }

  /** The push that changed, or undefined when it isn't open or isn't ours. */
  move(uuid: string, state: PushState): Push | undefined {
    const push = this.#byUuid.get(uuid);
    if (push) push.state = state;
    this.#changed();
    return push;
  }

  has(push: Push): boolean {
    return this.#byUuid.has(push.uuid);
  }

  find(uuid: string): Push | undefined {
    return this.#byUuid.get(uuid);
  }

  /** Takes out those that match: their ids, in the order of pushing. */
  take(condition: (push: Push) => boolean): string[] {
    const taken = [...this.#byUuid.values()].filter(condition);
    for (const push of taken) this.#byUuid.delete(push.uuid);
    this.#changed();
    return taken.map((push) => push.id);
  }

  all(): readonly Push[] {
    return [...this.#byUuid.values()];
  }

  /** True as soon as the condition holds; false after `deadlineMs`. Looked at with every change. */
  until(condition: () => boolean, deadlineMs: number): Promise<boolean> {
    if (condition()) return Promise.resolve(true);
    return new Promise((resolve) => {
      const done = (held: boolean): void => {
        clearTimeout(timer);
        this.#waiters.delete(look);
        resolve(held);
      };
      const look = (): void => {
        if (condition()) done(true);
      };
      const timer = setTimeout(() => done(false), deadlineMs);
      this.#waiters.add(look);
    });
  }

  #changed(): void {
    for (const look of [...this.#waiters]) look();
  }
}

import type { ProviderEvent } from '@nanoclaw/agent-runner/provider';
import { showable } from './subject.ts';

export interface Job {
  id: string;
  what: string;
  /** Of what a helper has begun. */
  parent?: string;
}

/** What the harness does behind its turns: commands and helpers that go on when the turn that began them has ended. */
export class Behind {
  readonly #send: (event: ProviderEvent) => void;
  #running: readonly Job[] = [];
  #ended: string[] = [];
  #wasEver = false;

  constructor(send: (event: ProviderEvent) => void) {
    this.#send = send;
  }

  get isRunning(): boolean {
    return this.#running.length > 0;
  }

  /** A turn that nobody has asked for can only come of it. */
  get mayWake(): boolean {
    return this.#wasEver;
  }

  has(id: string): boolean {
    return this.#running.some((job) => job.id === id);
  }

  /** All that runs now. */
  changed(jobs: readonly Job[]): void {
    this.#ended.push(...this.#running.filter(({ id }) => !jobs.some((job) => job.id === id)).map(({ id }) => id));
    this.#running = jobs.map((job) => ({ ...job, what: showable(job.what) || 'something' }));
    this.#wasEver = true;
    this.#send({ type: 'background', running: this.#running });
  }

  /** What has ended since the harness last went on by itself. */
  takeEnded(): string[] {
    return this.#ended.splice(0);
  }

  /** The harness is gone, and all of it. */
  lost(): void {
    if (this.isRunning || this.#ended.length > 0) this.#send({ type: 'background', running: [], isLost: true });
    this.#running = [];
    this.#ended = [];
    this.#wasEver = false;
  }
}

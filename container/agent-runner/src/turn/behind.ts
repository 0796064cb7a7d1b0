import { BACKGROUND, type Background, cleanText, type Origin } from '@nanoclaw/protocol';
import type { Log } from '../log.ts';
import type { Outbound, OutboundTx } from '../mailbox/outbound.ts';
import type { ProviderEvent } from '../provider.ts';
import { remark } from './write.ts';

/** What the provider does behind the turns, for whom, until it has been told of. */

export interface Asker {
  origin: Origin;
  /** The message that it was begun for. */
  asked: string | null;
}

interface Job extends Asker {
  id: string;
  what: string;
  hasEnded: boolean;
}

/** That the host is told of. */
const MAX_JOBS = 50;
const LOST = '⚠️ What I was doing in the background was lost';

export class Behind {
  readonly #options: { outbound: Outbound; outbox: string; log: Log };
  #jobs: readonly Job[] = [];
  /** Of the newest that were told of in a turn: it may have been too early for them. */
  #told: readonly Job[] = [];

  constructor(options: { outbound: Outbound; outbox: string; log: Log }) {
    this.#options = options;
  }

  get #going(): readonly Job[] {
    return this.#jobs.filter(({ hasEnded }) => !hasEnded);
  }

  /** Something would end with the provider's query, or has ended and nobody was told of it. */
  get isBusy(): boolean {
    return this.#jobs.length > 0;
  }

  /** Something has ended that nobody was told of. */
  get isUntold(): boolean {
    return this.#jobs.some(({ hasEnded }) => hasEnded);
  }

  /** Who has asked for what the provider now speaks of by itself. */
  asker(ended: readonly string[]): Asker | undefined {
    return [...this.#told, ...this.#jobs].findLast(({ id }) => ended.includes(id)) ?? this.#jobs.at(-1);
  }

  /** What runs now. What is lost and was asked for is said to be so. */
  change({ running, isLost = false }: Extract<ProviderEvent, { type: 'background' }>, asker: Asker | null): void {
    const { outbound, outbox, log } = this.#options;
    const going = this.#jobs.map((job) => ({ ...job, hasEnded: !running.some(({ id }) => id === job.id) }));
    const begun = running.flatMap(({ id, what, parent }) => {
      const { origin, asked } = this.#jobs.find((job) => job.id === parent) ?? asker ?? {};
      const isNew = origin !== undefined && asked !== undefined && !this.#jobs.some((job) => job.id === id);
      return isNew ? [{ id, what, origin, asked, hasEnded: false }] : [];
    });
    const jobs = isLost ? [] : [...going, ...begun];
    outbound.write((tx) => {
      for (const job of isLost ? this.#jobs : []) tx.message(remark(outbox, job, `${LOST}: ${job.what}.`));
      save(tx, jobs);
    });
    this.#jobs = jobs;
    log(isLost ? 'warn' : 'info', 'background', { jobs: running.map(({ id }) => id), isLost });
  }

  /** The ended turn has told of what had ended before it. Part of its transaction; `told` comes after that. */
  tell(tx: OutboundTx): void {
    if (this.isUntold) save(tx, this.#going);
  }

  told(): void {
    if (!this.isUntold) return;
    this.#told = this.#jobs.filter(({ hasEnded }) => hasEnded);
    this.#jobs = this.#going;
  }

  /** Its user wants to hear of none of it. The state goes in a transaction of the caller's. */
  forget(): void {
    this.#jobs = [];
  }
}

function save(tx: OutboundTx, all: readonly Job[]): void {
  const jobs: Background = all.slice(-MAX_JOBS).map(({ id, what, asked }) => ({
    id: id.slice(0, 128),
    what: cleanText(what).slice(0, 120),
    asked,
  }));
  if (jobs.length === 0) tx.dropState(BACKGROUND);
  else tx.setState(BACKGROUND, JSON.stringify(jobs));
}

import type { Briefing } from './addendum.ts';
import type { Log } from './log.ts';
import { errorText } from './log.ts';
import type { AgentQuery, Provider, ProviderEvent } from './provider.ts';

/** How long an ended query may take to wind up before the next one is opened beside it. */
const RETIRE_MS = 3000;

export interface ConversationEvents {
  event(event: ProviderEvent): Promise<void>;
  /** The query has ended by itself, or failed. */
  lost(reason: string): Promise<void>;
  /** The next query may be opened. */
  ready(): void;
}

/** The one query at the provider, and its succession: an old one is wound up before the next is opened. */
export class Conversation {
  readonly #provider: Provider;
  readonly #events: ConversationEvents;
  readonly #log: Log;
  #query: AgentQuery | null = null;
  #pumping: Promise<void> = Promise.resolve();
  #retiring = false;
  /** What the newest query was told at its start. */
  #briefing = '';

  constructor(provider: Provider, events: ConversationEvents, log: Log) {
    this.#provider = provider;
    this.#events = events;
    this.#log = log;
  }

  get isOpen(): boolean {
    return this.#query !== null;
  }

  isBriefed(briefing: Briefing): boolean {
    return this.#briefing === JSON.stringify(briefing);
  }

  get isRetiring(): boolean {
    return this.#retiring;
  }

  /** Throws what the provider throws. */
  open(briefing: Briefing, continuation: string | undefined): void {
    const query = this.#provider.query({ ...briefing, ...(continuation === undefined ? {} : { continuation }) });
    this.#query = query;
    this.#briefing = JSON.stringify(briefing);
    this.#pumping = this.#pump(query);
    this.#log('info', 'query-opened', { provider: this.#provider.name, resumed: continuation !== undefined });
  }

  push(id: string, text: string, images?: readonly string[]): void {
    if (!this.#query) throw new Error('No query is open');
    this.#query.push(id, text, images);
  }

  compact(id: string): void {
    if (!this.#query) throw new Error('No query is open');
    this.#query.compact(id);
  }

  /** Never rejects. */
  async interrupt(): Promise<void> {
    try {
      await this.#query?.interrupt();
    } catch (error) {
      this.#log('warn', 'interrupt-failed', { error: errorText(error) });
    }
  }

  /** Ends the query. Nothing that it still reports is heard. Resolves when it has wound up, or after a while. */
  async retire({ interrupt = false, withinMs = RETIRE_MS } = {}): Promise<void> {
    const query = this.#query;
    if (!query) return;
    this.#retiring = true;
    const interrupted = interrupt ? this.interrupt() : Promise.resolve();
    this.#query = null;
    try {
      query.end();
    } catch (error) {
      this.#log('warn', 'end-failed', { error: errorText(error) });
    }
    const { promise: deadline, resolve } = Promise.withResolvers<'late'>();
    const timer = setTimeout(resolve, withinMs, 'late');
    const outcome = await Promise.race([Promise.all([interrupted, this.#pumping]), deadline]);
    clearTimeout(timer);
    if (outcome === 'late') this.#log('warn', 'query-slow-to-end');
    this.#retiring = false;
    this.#events.ready();
  }

  async #pump(query: AgentQuery): Promise<void> {
    let reason = 'The provider ended by itself';
    try {
      for await (const event of query.events) {
        // Read on when retired, so that the harness isn't held up by what nobody hears. What it cost counts all the same.
        if (this.#query === query || event.type === 'usage') await this.#events.event(event);
      }
    } catch (error) {
      reason = errorText(error);
    }
    if (this.#query !== query) return;
    this.#query = null;
    await this.#events.lost(reason);
  }
}

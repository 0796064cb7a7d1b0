import type { AgentQuery, Provider, ProviderEvent, QueryInput } from '../src/provider.ts';

/** A provider whose every word the test decides. */
export class ScriptedProvider implements Provider {
  readonly name = 'scripted';
  readonly reportsById: boolean;
  readonly queries: ScriptedQuery[] = [];
  /** The continuations that nobody goes on with. */
  readonly archived: string[] = [];
  /** Called for each push; what it does is the script. */
  onPush: (query: ScriptedQuery, id: string, text: string) => void = () => {};
  onCompact: (query: ScriptedQuery, id: string) => void = (query, id) => query.settle([id], 'Summarised.');
  onInterrupt: (query: ScriptedQuery) => void = (query) => query.settle(query.open, '');

  constructor(reportsById = true) {
    this.reportsById = reportsById;
  }

  query(input: QueryInput): AgentQuery {
    const query = new ScriptedQuery(this, input);
    this.queries.push(query);
    return query;
  }

  async archive(continuation: string): Promise<void> {
    this.archived.push(continuation);
  }

  get last(): ScriptedQuery {
    const query = this.queries.at(-1);
    if (!query) throw new Error('No query yet');
    return query;
  }

  get pushes(): { id: string; text: string }[] {
    return this.queries.flatMap((query) => query.pushes);
  }
}

export class ScriptedQuery implements AgentQuery {
  readonly input: QueryInput;
  readonly pushes: { id: string; text: string }[] = [];
  readonly events: AsyncIterable<ProviderEvent>;
  open: string[] = [];
  ended = false;
  interrupts = 0;
  readonly #provider: ScriptedProvider;
  readonly #stream: ReadableStreamDefaultController<ProviderEvent>;

  constructor(provider: ScriptedProvider, input: QueryInput) {
    this.#provider = provider;
    this.input = input;
    let controller: ReadableStreamDefaultController<ProviderEvent> | undefined;
    this.events = new ReadableStream<ProviderEvent>({
      start: (made) => {
        controller = made;
      },
    });
    if (!controller) throw new Error('No stream');
    this.#stream = controller;
  }

  push(id: string, text: string): void {
    this.pushes.push({ id, text });
    this.open.push(id);
    this.#provider.onPush(this, id, text);
  }

  compact(id: string): void {
    this.open.push(id);
    this.#provider.onCompact(this, id);
  }

  async interrupt(): Promise<void> {
    this.interrupts++;
    this.#provider.onInterrupt(this);
  }

  end(): void {
    if (this.ended) return;
    this.ended = true;
    this.#stream.close();
  }

  emit(event: ProviderEvent): void {
    if (!this.ended) this.#stream.enqueue(event);
  }

  settle(ids: readonly string[], text: string, continuation?: string): void {
    this.open = this.open.filter((id) => !ids.includes(id));
    this.emit({ type: 'settled', ids, text, ...(continuation === undefined ? {} : { continuation }) });
  }

  fail(error: Error): void {
    this.ended = true;
    this.#stream.error(error);
  }
}

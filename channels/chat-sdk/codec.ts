import { AsyncLocalStorage } from 'node:async_hooks';
import { type ActionEvent, type Adapter, Chat, type Logger, type Message, type ReactionEvent } from 'chat';
import { createState } from './state.ts';

/** What an adapter of the Chat SDK makes of an event. */
export interface Sink {
  message(threadId: string, message: Message): Promise<void>;
  changed(threadId: string, message: Message): Promise<void>;
  deleted(threadId: string, messageId: string, previous: Message | undefined): Promise<void>;
  action(event: Pick<ActionEvent, 'actionId' | 'messageId' | 'threadId' | 'user' | 'value' | 'raw'>): Promise<void>;
  reaction(event: Pick<ReactionEvent, 'added' | 'messageId' | 'rawEmoji' | 'threadId' | 'user'>): Promise<void>;
}

/** As adapters declare themselves: their types know no difference between what is missing and what is undefined. */
export type AnyAdapter = Omit<Adapter, 'botUserId'> & { readonly botUserId?: string | undefined };

export function isAdapter(adapter: AnyAdapter): adapter is Adapter {
  return ['initialize', 'handleWebhook', 'postMessage'].every(
    (name) => typeof Reflect.get(adapter, name) === 'function',
  );
}

type Made<T> = T | (() => Promise<T>);

/**
 * The SDK's own handling answers a platform first, and remembers what it has seen before anything is durable: a crash in
 * between loses the message for good, and so do its locks and queues. So the adapter is a codec here: what it reads goes
 * to the sink, and `receive` waits until that is done.
 */
export class Codec extends Chat {
  readonly #sink: Sink;
  readonly #name: string;
  readonly #tasks = new AsyncLocalStorage<Promise<void>[]>();

  constructor(adapter: Adapter, sink: Sink, logger: Logger) {
    super({ userName: adapter.userName, adapters: { [adapter.name]: adapter }, state: createState(), logger });
    this.#sink = sink;
    this.#name = adapter.name;
  }

  /**
   * A raw event, as the platform's webhook would bring it. Resolves with the adapter's answer when all of it was taken;
   * rejects when something was not: then the platform must not hear that it was.
   */
  async receive(request: Request): Promise<Response> {
    const handle = this.webhooks[this.#name];
    if (!handle) throw new Error(`There is no adapter ${this.#name}.`);
    const tasks: Promise<void>[] = [];
    const other: Promise<unknown>[] = [];
    const response = await this.#tasks.run(tasks, () =>
      handle(request, { waitUntil: (task) => void other.push(task) }),
    );
    // What runs behind the answer may begin more.
    for (let done = 0; done < tasks.length + other.length; ) {
      done = tasks.length + other.length;
      await Promise.allSettled([...tasks, ...other]);
    }
    await Promise.all(tasks);
    return response;
  }

  #take(run: () => Promise<void>): Promise<void> {
    const task = run();
    this.#tasks.getStore()?.push(task);
    // Whoever waits for it learns of it in `receive`.
    task.catch(() => {});
    return task;
  }

  override processMessage(_: Adapter, threadId: string, message: Made<Message>): Promise<void> {
    return this.#take(async () => this.#sink.message(threadId, await made(message)));
  }

  override processMessageUpdated({ threadId, message }: { threadId: string; message: Made<Message> }): Promise<void> {
    return this.#take(async () => this.#sink.changed(threadId, await made(message)));
  }

  override processMessageDeleted(event: Parameters<Chat['processMessageDeleted']>[0]): Promise<void> {
    return this.#take(() => this.#sink.deleted(event.threadId, event.messageId, event.previousMessage));
  }

  override processAction(event: Parameters<Sink['action']>[0]): Promise<void> {
    return this.#take(() => this.#sink.action(event));
  }

  override processReaction(event: Parameters<Sink['reaction']>[0]): Promise<void> {
    return this.#take(() => this.#sink.reaction(event));
  }
}

function made<T>(value: Made<T>): Promise<T> {
  return typeof value === 'function' ? (value as () => Promise<T>)() : Promise.resolve(value);
}

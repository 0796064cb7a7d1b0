import { type FSWatcher, watch } from 'node:fs';
import type { ContainerConfig, MessageInRow } from '@nanoclaw/protocol';
import { type Briefing, readBriefing } from './addendum.ts';
import { Conversation } from './conversation.ts';
import { createHeartbeat } from './heartbeat.ts';
import { errorText, type Log } from './log.ts';
import { type ReadMessage, readMessage } from './mailbox/content.ts';
import type { Inbound, InboundReader } from './mailbox/inbound.ts';
import type { Outbound } from './mailbox/outbound.ts';
import type { RunnerPaths } from './paths.ts';
import { Persistence, RETRY_MS } from './persistence.ts';
import { imagesOf, renderPrompt } from './prompt.ts';
import type { Provider, ProviderEvent } from './provider.ts';
import { TaskScripts } from './task-scripts.ts';
import type { Situation } from './tools/situation.ts';
import { Desk } from './turn/desk.ts';
import { nextBatch, nextDue, nextPushes, openRows } from './turn/select.ts';
import { Wake } from './wake.ts';

const LOOK_MS = 5;
const LOOK_QUIET_MS = 50;
const QUIET_AFTER_MS = 30_000;
const SHUTDOWN_MS = 700;

export interface LoopOptions {
  paths: RunnerPaths;
  config: ContainerConfig;
  inbound: InboundReader;
  outbound: Outbound;
  log: Log;
}

/** Looks at the mailbox, hands messages to the provider and takes its events. */
export class Loop {
  readonly #options: LoopOptions;
  readonly #desk: Desk;
  readonly #wake = new Wake();
  readonly #persistence: Persistence;
  readonly #beat: (now: number) => boolean;
  readonly #scripts: TaskScripts;
  #provider: Provider | null = null;
  #conversation: Conversation | null = null;
  #inbound: Inbound | null = null;
  #onWake = new Set<string>();
  /** Something has changed since the rows were last gone through. */
  #dirty = true;
  #pruneDue = false;
  #nextDue = Number.POSITIVE_INFINITY;
  #lastActivity = performance.now();
  /** Open a query before there is something to ask. */
  #warmUp = true;
  #stopping = false;

  constructor(options: LoopOptions) {
    this.#options = options;
    this.#persistence = new Persistence(options.log, () => this.#wake.raise());
    this.#beat = createHeartbeat(options.paths.heartbeat, options.log);
    this.#desk = new Desk({
      outbound: options.outbound,
      outbox: options.paths.outbox,
      providerName: options.config.provider,
      log: options.log,
      destinations: () => this.#inbound?.destinations ?? [],
      push: (id, text) => this.#talk.push(id, text),
      startAfresh: (continuation) => void this.#talk.retire().then(() => this.#keep(continuation)),
    });
    this.#scripts = new TaskScripts({
      cwd: options.paths.agent,
      changed: () => this.#changed(),
      settle: (row, problem) =>
        problem === undefined ? this.#desk.leave(row) : this.#desk.refuse(row, problem, 'script'),
    });
  }

  /** Runs until `shutdown`. Rejects when the mailbox can't be written any more. */
  async run(provider: Provider): Promise<void> {
    const { log } = this.#options;
    this.#provider = provider;
    this.#conversation = new Conversation(
      provider,
      {
        event: (event) => this.#persistence.insist(() => this.#onEvent(event)),
        lost: (reason) => this.#persistence.insist(() => this.#onLost(reason)),
        ready: () => this.#changed(),
      },
      log,
    );
    const watcher = this.#watch();
    log('info', 'first-look', { sinceStartMs: Math.round(performance.now()) });
    while (!this.#stopping && this.#persistence.fatal === null) await this.#wake.wait(this.#tick(Date.now()));
    watcher?.close();
    await this.#talk.retire({ interrupt: true, withinMs: SHUTDOWN_MS });
    await this.#persistence.insist(() => this.#desk.book());
    if (this.#persistence.fatal !== null) throw this.#persistence.fatal;
  }

  /** Ends `run` within a second. What is held stays so, for the host to offer it to the next process. */
  shutdown(): void {
    this.#stopping = true;
    this.#wake.raise();
  }

  situation(): Situation {
    const { turn, last, isDraining } = this.#desk;
    return {
      origin: turn?.asker.origin ?? this.#inbound?.routing ?? last?.origin ?? null,
      replyTo: turn?.asker.asked ?? null,
      turn,
      destinations: this.#inbound?.destinations ?? [],
      delivered: this.#inbound?.delivered ?? [],
      messages: this.#inbound?.messages ?? [],
      stopped: isDraining || this.#stopping,
      said: () => {
        if (turn) turn.said = true;
      },
    };
  }

  get #talk(): Conversation {
    if (!this.#conversation) throw new Error('The loop has not been started');
    return this.#conversation;
  }

  /** It only shortens a wait: without it, the next look comes all the same. */
  #watch(): FSWatcher | null {
    const failed = (error: unknown) => this.#options.log('warn', 'watch-failed', { error: errorText(error) });
    try {
      return watch(this.#options.paths.inbound, () => this.#wake.raise()).on('error', failed);
    } catch (error) {
      failed(error);
      return null;
    }
  }

  /** Returns how long to wait for the next look, in ms. */
  #tick(now: number): number {
    const succeeded = this.#persistence.tick(() => {
      if (this.#beat(now)) this.#options.outbound.mustBeThere();
      this.#look();
      if (this.#desk.isDrainOverdue()) void this.#talk.retire();
      if (!this.#dirty && now < this.#nextDue) return;
      this.#dirty = false;
      this.#work(now);
    });
    if (!succeeded) {
      this.#dirty = true;
      return RETRY_MS;
    }
    return performance.now() - this.#lastActivity < QUIET_AFTER_MS ? LOOK_MS : LOOK_QUIET_MS;
  }

  #look(): void {
    const fresh = this.#options.inbound.look();
    if (!fresh) return;
    if (!this.#inbound) this.#onWake = new Set(fresh.messages.filter((row) => row.on_wake === 1).map((row) => row.id));
    this.#inbound = fresh;
    this.#pruneDue = true;
    this.#dirty = true;
    this.#lastActivity = performance.now();
  }

  #work(now: number): void {
    if (!this.#inbound) return;
    const { messages } = this.#inbound;
    const { acks } = this.#desk;
    const open = this.#scripts.sift(openRows(messages, acks, now, this.#onWake), messages);
    this.#nextDue = nextDue(messages, acks, now);
    if (this.#handleControls(open)) return;
    if (this.#talk.isRetiring || this.#desk.isDraining) return;
    if (this.#desk.turn) this.#join(open, now);
    else if (!this.#begin(open, now)) this.#rest();
    this.#prune();
  }

  /** True when there was one: then what is open has changed. */
  #handleControls(open: readonly MessageInRow[]): boolean {
    // What ends a turn first: a summary is a turn, and one that it leaves waiting isn't for it to end.
    for (const control of open.filter((row) => row.kind === 'system').sort((a, b) => a.trigger - b.trigger)) {
      const read = readMessage(control);
      if ('problem' in read) this.#desk.refuse(control, read.problem);
      else if (read.body.type !== 'control') continue;
      else if (read.body.action !== 'compact') this.#control(control, read.body.action === 'clear');
      else if (this.#desk.turn || this.#desk.isDraining || this.#talk.isRetiring) continue;
      else this.#hand(this.#desk.take([control], []).id, [read], 0, this.#briefing());
      this.#changed();
      return true;
    }
    return false;
  }

  #control(control: MessageInRow, forget: boolean): void {
    const { continuation } = this.#desk;
    const ran = this.#desk.stop(control, forget);
    if (forget) {
      this.#warmUp = true;
      void this.#talk.retire({ interrupt: true }).then(() => this.#keep(continuation));
    } else if (ran) {
      void this.#talk.interrupt().then(() => {
        this.#desk.interrupted();
        this.#changed();
      });
    }
  }

  /** What was said in it, once its query has wound up. */
  #keep(continuation: string | undefined): void {
    if (continuation !== undefined) void this.#provider?.archive?.(continuation);
  }

  /** Begins a turn. False when nothing asks for one. */
  #begin(open: readonly MessageInRow[], now: number): boolean {
    const batch = nextBatch(open, this.#options.config.maxMessagesPerPrompt);
    if (!batch) return false;
    const briefing = this.#briefing();
    if (this.#talk.isOpen && !this.#desk.behind.isBusy && !this.#talk.isBriefed(briefing)) {
      void this.#talk.retire();
      return true;
    }
    const triggers = this.#understand(batch.triggers);
    const context = this.#understand(batch.context);
    if (triggers.length === 0) {
      this.#changed();
      return true;
    }
    const push = this.#desk.take(rowsOf(triggers), rowsOf(context));
    const messages = [...triggers, ...context].sort((a, b) => a.row.seq - b.row.seq);
    this.#hand(push.id, messages, now, briefing);
    return true;
  }

  /** Hands over what came for the running turn. */
  #join(open: readonly MessageInRow[], now: number): void {
    const { turn } = this.#desk;
    if (!turn || !this.#provider?.reportsById || !this.#talk.isOpen) return;
    const rows = nextPushes(open, turn, this.#options.config.maxMessagesPerPrompt);
    for (const message of this.#understand(rows)) {
      // It waits for the end of the turn.
      if (message.body.type === 'control') continue;
      const push = this.#desk.take([message.row], []);
      this.#hand(push.id, [message], now);
    }
  }

  #hand(id: string, messages: readonly ReadMessage[], now: number, briefing?: Briefing): void {
    const { timezone } = this.#options.config;
    const destinations = this.#inbound?.destinations ?? [];
    try {
      if (briefing !== undefined && !this.#talk.isOpen) this.#talk.open(briefing, this.#desk.continuation);
      const images = messages.flatMap((message) => imagesOf(message, this.#options.paths.inbound));
      if (messages[0]?.body.type === 'control') this.#talk.compact(id);
      else this.#talk.push(id, renderPrompt(messages, { timezone, now, destinations }), images);
      this.#options.log('info', 'pushed', { push: id, messages: messages.map((message) => message.row.id) });
    } catch (error) {
      this.#desk.apply({ type: 'error', class: 'crash', retryable: true, message: errorText(error), ids: [id] });
      this.#changed();
    }
  }

  #understand(rows: readonly MessageInRow[]): ReadMessage[] {
    return rows.flatMap((row) => {
      const read = readMessage(row);
      if (!('problem' in read)) return [read];
      this.#desk.refuse(row, read.problem);
      return [];
    });
  }

  /** With nothing to do: have a query ready that knows what the next turn should know. */
  #rest(): void {
    const briefing = this.#briefing();
    if (this.#talk.isOpen) {
      if (this.#desk.behind.isBusy || this.#talk.isBriefed(briefing)) return;
      this.#warmUp = true;
      void this.#talk.retire();
    } else if (this.#warmUp) {
      this.#warmUp = false;
      try {
        this.#talk.open(briefing, this.#desk.continuation);
      } catch (error) {
        // The next message will try again, and tell its sender.
        this.#options.log('warn', 'query-not-opened', { error: errorText(error) });
      }
    }
  }

  #prune(): void {
    if (!this.#pruneDue || !this.#inbound) return;
    this.#pruneDue = false;
    const { messages, received } = this.#inbound;
    const published = new Set(messages.map((row) => row.id));
    const isNeeded = (id: string) => published.has(id) || this.#desk.isHeld(id);
    for (const id of this.#options.outbound.prune(received, isNeeded)) this.#desk.acks.delete(id);
  }

  #briefing(): Briefing {
    return readBriefing(this.#options.paths, this.#inbound?.destinations ?? []);
  }

  #onEvent(event: ProviderEvent): void {
    // An interrupted turn's last words are not its answer. What it cost counts.
    if (this.#stopping && event.type !== 'usage') return;
    this.#lastActivity = performance.now();
    this.#desk.apply(event);
    // With the answer, which follows at once; or alone, where none does.
    if (event.type === 'usage') setImmediate(() => void this.#persistence.insist(() => this.#desk.book()));
    if (event.type === 'settled' || event.type === 'error' || event.type === 'background') this.#changed();
  }

  #onLost(reason: string): void {
    if (this.#stopping) return;
    this.#desk.lost(reason);
    this.#changed();
  }

  #changed(): void {
    this.#dirty = true;
    this.#wake.raise();
  }
}

function rowsOf(messages: readonly ReadMessage[]): MessageInRow[] {
  return messages.map((message) => message.row);
}

import { randomUUID } from 'node:crypto';
import { BACKGROUND, type DestinationRow, DRAFT, faultPoint, type MessageInRow } from '@nanoclaw/protocol';
import type { Log } from '../log.ts';
import type { Ack, NewMessage, Outbound, OutboundTx } from '../mailbox/outbound.ts';
import { correctionText, joinOutcomes, NOTHING, type Outcome, readOutcome } from '../output/outcome.ts';
import { renderResponse } from '../prompt.ts';
import type { ProviderEvent } from '../provider.ts';
import { type Asker, Behind } from './behind.ts';
import { Drafting } from './drafting.ts';
import { Drain } from './drain.ts';
import { ackError, toolFields, usageContent, wholeMs } from './records.ts';
import { sameOrigin } from './select.ts';
import { messagesOf, type Push, Turn } from './turn.ts';
import { remark, silenceReason, writeOutcome, writeProgress } from './write.ts';

type Event<T extends ProviderEvent['type']> = Extract<ProviderEvent, { type: T }>;

export interface DeskOptions {
  outbound: Outbound;
  outbox: string;
  providerName: string;
  log: Log;
  destinations(): readonly DestinationRow[];
  /** Hands a prompt to the provider. May throw. */
  push(id: string, text: string): void;
  /** The provider's conversation can't be gone on with. */
  startAfresh(continuation: string | undefined): void;
}

const UNTOLD = '⚠️ What I did in the background has ended, and I could not report on it. Ask me for it.';

/** How often a running turn is shown to go on. */
const ALIVE_MS = 5000;

/**
 * What is being worked on, and what becomes of it. Each step is one transaction in `outbound.db` first, and memory after
 * that: a step that fails can be tried again, and a process that dies leaves nothing half done.
 */
export class Desk {
  readonly #options: DeskOptions;
  readonly acks: Map<string, Ack>;
  readonly #drafting: Drafting;
  /** Of a turn that is over: the answer follows at once, and a commit for both is half as long as one for each. */
  #figures: NewMessage[] = [];
  readonly behind: Behind;
  turn: Turn | null = null;
  /** Whom the last turn was for. */
  last: Asker | null = null;
  continuation: string | undefined;
  /** Prompts of a stopped turn that the provider hasn't let go of. */
  #drain: Drain | null = null;
  #alive = Number.NEGATIVE_INFINITY;
  /** How long the provider waits for a word of the model. */
  #silenceMs: number | null = null;

  constructor(options: DeskOptions) {
    this.#options = options;
    this.acks = options.outbound.takeOver();
    this.#drafting = new Drafting(options.outbound);
    this.behind = new Behind(options);
    this.continuation = options.outbound.state(this.#continuationKey);
  }

  get isDraining(): boolean {
    return this.#drain !== null;
  }

  isHeld(messageId: string): boolean {
    return this.acks.get(messageId)?.status === 'processing';
  }

  /** Takes messages up for a prompt: they begin a turn, or join it. Context isn't held: until it was read, it stays open. */
  take(triggers: readonly MessageInRow[], context: readonly MessageInRow[]): Push {
    const first = triggers[0];
    if (!first) throw new Error('A prompt needs a trigger');
    this.#options.outbound.write((tx) => {
      for (const row of triggers) tx.ack(row.id, 'processing');
      tx.inTurn(this.#silenceMs);
    });
    this.#alive = performance.now();
    faultPoint('runner.taken');
    for (const row of triggers) this.acks.set(row.id, { status: 'processing' });
    this.turn ??= new Turn(first);
    const push = { id: randomUUID(), triggers, context };
    this.turn.add(push);
    this.last = this.turn.asker;
    return push;
  }

  /** A row that can't be understood, or a task's script that has failed: settled as failed, for good. */
  refuse(row: MessageInRow, problem: string, why: 'crash' | 'script' = 'crash'): void {
    const error = ackError(row, { class: why, retryable: false, message: problem });
    this.#options.outbound.write((tx) => tx.fail(row.id, error));
    this.acks.set(row.id, { status: 'failed', tries: row.tries });
    this.#options.log('warn', 'message-refused', { messages: [row.id], problem });
  }

  /** A task for which the agent needs no waking. */
  leave(row: MessageInRow): void {
    const body = { action: 'silence' as const, answers: [row.id], reason: 'its script said so' };
    this.#options.outbound.write((tx) => {
      tx.message({ origin: row, inReplyTo: row.id, content: { kind: 'system', body } });
      tx.ack(row.id, 'completed');
    });
    this.acks.set(row.id, { status: 'completed' });
  }

  /** Ends the running turn, if any, without an answer, and what goes on behind it. What waits for a turn, the host withdraws. Returns whether anything ran. */
  stop(control: MessageInRow, forget: boolean): boolean {
    const { turn } = this;
    const ran = turn !== null || this.behind.isBusy;
    const pushes = [...(turn?.open.values() ?? [])];
    const rows = pushes.flatMap((push) => [...push.triggers, ...push.context]);
    const answers = pushes.flatMap((push) => push.triggers.map((row) => row.id));
    this.#options.outbound.write((tx) => {
      for (const row of [control, ...rows]) tx.ack(row.id, 'completed');
      if (turn) {
        const body = { action: 'stopped' as const, answers };
        tx.message({ origin: turn.origin, inReplyTo: control.id, content: { kind: 'system', body } });
      }
      if (forget) tx.dropState(this.#continuationKey);
      tx.idle();
      tx.dropState(BACKGROUND);
    });
    this.behind.forget();
    this.#drafting.over();
    faultPoint('runner.stopped');
    for (const row of [control, ...rows]) this.acks.set(row.id, { status: 'completed' });
    this.turn = null;
    if (forget) this.continuation = undefined;
    // A forgotten conversation's query is ended altogether: there is nothing to wait for.
    if (forget) this.#drain = null;
    else if (turn) this.#drain = new Drain(turn.open.keys(), performance.now());
    this.#options.log('info', 'turn-stopped', { forget, control: control.id, messages: rows.map((row) => row.id) });
    return ran;
  }

  /** The provider has confirmed the interruption. */
  interrupted(): void {
    this.#drain?.interrupted();
    this.#released([]);
  }

  /** True once, when a stopped turn doesn't wind up in time. */
  isDrainOverdue(): boolean {
    if (!this.#drain?.isOverdue(performance.now())) return false;
    this.#drain = null;
    return true;
  }

  apply(event: ProviderEvent): void {
    if (event.type !== 'settled') this.book();
    switch (event.type) {
      case 'init':
        // Kept in the file only with the first answer: until then there may be nothing to resume.
        this.continuation = event.continuation;
        break;
      case 'partial':
        if (this.turn) this.#drafting.show(this.turn, event.text);
        break;
      case 'progress':
        this.#progress(event.text);
        break;
      case 'activity':
        this.#activity(event);
        break;
      case 'background':
        this.behind.change(event, this.#asker);
        break;
      case 'resumed':
        this.#resumed(event);
        break;
      case 'settled':
        this.#settled(event);
        this.book();
        break;
      case 'usage':
        this.#usage(event);
        break;
      case 'error':
        this.#failed(event);
        break;
      case 'started':
        this.#options.log('info', 'read', { push: event.id, messages: messagesOf(this.#pushes([event.id])) });
        break;
    }
    this.#showAlive();
  }

  /** Writes what the last turn has cost, if it was not written with what came of it. */
  book(): void {
    if (this.#figures.length > 0) this.#options.outbound.write((tx) => this.#bookIn(tx));
    this.#figures = [];
  }

  #bookIn(tx: OutboundTx): void {
    for (const message of this.#figures) tx.message(message);
  }

  /** The query is gone, and with it every prompt that it had. */
  lost(reason: string): void {
    this.#drain = null;
    if (this.turn) this.#failed({ type: 'error', class: 'crash', retryable: true, message: reason });
    else this.#options.log('warn', 'query-lost', { reason });
  }

  get #continuationKey(): string {
    return `continuation:${this.#options.providerName}`;
  }

  #progress(text: string): void {
    const { turn } = this;
    if (!turn) return;
    const outcome = readOutcome(text, this.#options.destinations(), turn.asker.origin);
    writeProgress(this.#options.outbound, this.#options.outbox, turn.asker, outcome);
    this.#drafting.over();
    turn.rejected.push(...outcome.rejected);
  }

  #activity({ tool, silenceMs }: Event<'activity'>): void {
    if (silenceMs !== undefined && wholeMs(silenceMs) !== this.#silenceMs) {
      this.#silenceMs = wholeMs(silenceMs);
      // Shown at once: until then the host goes by the old one.
      this.#alive = Number.NEGATIVE_INFINITY;
    }
    if (!tool || !this.turn) return;
    const { id, name, timeout } = toolFields(tool);
    this.#options.outbound.write((tx) => {
      if (tool.phase === 'start') tx.toolStarted(id, name, timeout);
      else tx.toolEnded(id, this.#silenceMs);
    });
    const messages = messagesOf(this.turn.open.values());
    this.#options.log('info', `tool-${tool.phase}`, { tool: name, id, timeoutMs: timeout, messages });
    if (tool.phase === 'start') faultPoint('runner.tool');
  }

  /** A turn that nobody asked for, where its work was asked for. Whatever else was just handed over waits behind it. */
  #resumed({ id, ended }: Event<'resumed'>): void {
    const asker = this.behind.asker(ended) ?? this.#asker;
    // Of a stopped turn nothing more is said.
    if (!asker || this.#drain) return;
    this.#options.outbound.write((tx) => tx.inTurn(this.#silenceMs));
    this.turn ??= new Turn({ ...asker.origin, id });
    this.turn.replyTo ??= asker.asked;
    this.last = asker;
    this.turn.add({ id, triggers: [], context: [], own: asker });
    this.#options.log('info', 'resumed', { push: id, ended });
  }

  get #asker(): Asker | null {
    return this.turn?.asker ?? this.behind.asker([]) ?? this.last;
  }

  #settled({ ids, text, continuation }: Event<'settled'>): void {
    if (continuation !== undefined) this.continuation = continuation;
    if (this.#released(ids)) {
      this.#options.outbound.write((tx) => this.#keepContinuation(tx));
      return;
    }
    const { turn } = this;
    const pushes = this.#pushes(ids);
    if (!turn || pushes.length === 0) {
      this.#options.log('info', 'settled-without-prompt', { pushes: ids });
      return;
    }
    const outcome = joinOutcomes([
      // What the agent was told of and didn't repeat, it has given up.
      ...pushes.flatMap((push) => (push.held ? { ...push.held, rejected: [] } : [])),
      readOutcome(text, this.#options.destinations(), askerOf(turn, pushes).origin),
      { ...NOTHING, rejected: turn.rejected },
    ]);
    if (outcome.rejected.length === 0 || turn.corrected || !this.#correct(turn, pushes, outcome)) {
      this.#finish(turn, pushes, outcome, silenceReason(turn, outcome, text));
    }
  }

  /** Gives the agent one chance to do better; until then nothing of this answer is sent. False when that can't be done. */
  #correct(turn: Turn, pushes: readonly Push[], held: Outcome): boolean {
    const triggers = pushes.flatMap((push) => push.triggers).sort((a, b) => a.seq - b.seq);
    const own = ownOf(pushes);
    const context = pushes.flatMap((push) => push.context);
    const correction: Push = { id: randomUUID(), triggers, context, held, ...(own && { own }) };
    const text = correctionText(held.rejected, this.#options.destinations());
    try {
      this.#options.push(correction.id, renderResponse('answer', 'not sent', text));
    } catch (error) {
      this.#options.log('warn', 'correction-not-taken', { error: String(error), messages: messagesOf(pushes) });
      return false;
    }
    for (const push of pushes) turn.open.delete(push.id);
    turn.add(correction);
    turn.corrected = true;
    turn.rejected = [];
    this.#options.log('info', 'correction-pushed', { push: correction.id, messages: messagesOf([correction]) });
    return true;
  }

  /** Settles these prompts with what came of them, all in one transaction. */
  #finish(turn: Turn, pushes: readonly Push[], outcome: Outcome, reason: string): void {
    const rows = pushes.flatMap((push) => [...push.triggers, ...push.context]);
    const ends = turn.open.size === pushes.length;
    faultPoint('runner.answered');
    const { origin, asked: about } = askerOf(turn, pushes);
    writeOutcome(this.#options.outbound, this.#options.outbox, {
      origin,
      outcome,
      about,
      answers: pushes.flatMap((push) => push.triggers).sort((a, b) => a.seq - b.seq),
      reason,
      also: (tx) => {
        for (const row of rows) tx.ack(row.id, 'completed');
        this.#bookIn(tx);
        this.#keepContinuation(tx);
        this.behind.tell(tx);
        // Its words were read with another chat's, and stand there.
        for (const { own } of pushes)
          if (own && !sameOrigin(own.origin, origin)) tx.message(remark(this.#options.outbox, own, UNTOLD));
        if (ends) tx.idle();
        faultPoint('runner.finishing');
      },
    });
    this.#figures = [];
    this.#drafting.over();
    faultPoint('runner.finished');
    this.behind.told();
    for (const row of rows) this.acks.set(row.id, { status: 'completed' });
    turn.said = false;
    turn.rejected = [];
    this.#close(turn, pushes);
    this.#options.log('info', 'settled', { messages: rows.map((row) => row.id), ends });
  }

  #failed(event: Event<'error'>): void {
    const { turn } = this;
    // Without its conversation the provider can't go on with the others either.
    const ids = event.continuationLost ? undefined : event.ids;
    this.#released(ids);
    const pushes = [...(turn?.open.values() ?? [])].filter((push) => !ids || ids.includes(push.id));
    const rows = pushes.flatMap((push) => (push.held ? [] : push.triggers));
    const held = pushes.filter((push) => push.held);
    const untold = this.behind.isUntold ? pushes.flatMap((push) => (push.held ? [] : (push.own ?? []))) : [];
    this.#options.outbound.write((tx) => {
      for (const row of rows) tx.fail(row.id, ackError(row, event));
      if (event.continuationLost) tx.dropState(this.#continuationKey);
      for (const own of untold) tx.message(remark(this.#options.outbox, own, UNTOLD));
      if (untold.length > 0) this.behind.tell(tx);
      if (turn && turn.open.size === pushes.length && held.length === 0) tx.idle();
      else tx.dropState(DRAFT);
    });
    this.#drafting.over();
    for (const row of rows) this.acks.set(row.id, { status: 'failed', tries: row.tries });
    if (untold.length > 0) this.behind.told();
    this.#options.log('warn', 'provider-error', {
      class: event.class,
      retryable: event.retryable,
      error: event.message.slice(0, 500),
      messages: messagesOf(pushes),
    });
    if (event.continuationLost) {
      this.#options.startAfresh(this.continuation);
      this.continuation = undefined;
    }
    if (!turn) return;
    this.#close(
      turn,
      pushes.filter((push) => !push.held),
    );
    // The answer was there already; only its correction failed.
    for (const push of held) this.#finish(turn, [push], push.held ?? NOTHING, 'the answer could not be sent');
  }

  #usage(event: Event<'usage'>): void {
    const body = usageContent(this.#options.providerName, event);
    if (!body) {
      this.#options.log('warn', 'usage-invalid', { messages: messagesOf(this.turn?.open.values() ?? []) });
      return;
    }
    const origin = this.turn?.origin ?? this.last?.origin;
    if (!origin) return;
    const [about = this.turn?.replyTo ?? null] = messagesOf(this.#pushes(event.turn === undefined ? [] : [event.turn]));
    const message = { origin, inReplyTo: about, content: { kind: 'system' as const, body } };
    if (event.soFar) this.#options.outbound.write((tx) => tx.message(message));
    else this.#figures.push(message);
  }

  #pushes(ids: readonly string[]): Push[] {
    return ids.flatMap((id) => this.turn?.open.get(id) ?? []);
  }

  #keepContinuation(tx: OutboundTx): void {
    if (this.continuation !== undefined) tx.setState(this.#continuationKey, this.continuation);
  }

  #close(turn: Turn, pushes: readonly Push[]): void {
    for (const push of pushes) turn.open.delete(push.id);
    if (turn.open.size === 0) this.turn = null;
  }

  /** Whether any of these belonged to a stopped turn. */
  #released(ids: readonly string[] | undefined): boolean {
    const known = this.#drain?.release(ids) ?? false;
    if (this.#drain?.isDone) this.#drain = null;
    return known;
  }

  #showAlive(): void {
    const now = performance.now();
    if (!this.turn || now - this.#alive < ALIVE_MS) return;
    this.#options.outbound.write((tx) => tx.inTurn(this.#silenceMs));
    this.#alive = now;
  }
}

/** Whom it answers: what nobody asked for has a place of its own. */
function askerOf(turn: Turn, pushes: readonly Push[]): Asker {
  return ownOf(pushes) ?? { origin: turn.origin, asked: turn.replyTo };
}

function ownOf(pushes: readonly Push[]): Asker | undefined {
  return pushes.every((push) => push.own) ? pushes[0]?.own : undefined;
}

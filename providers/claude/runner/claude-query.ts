import type { AgentQuery, ProviderEvent, ProviderOptions, QueryInput } from '@nanoclaw/agent-runner/provider';
import { archive } from './archive/index.ts';
import { Behind } from './behind.ts';
import { classify, type Failure, givesUp, isLostContinuation } from './classify.ts';
import { compactionText } from './compaction.ts';
import { EventChannel } from './event-channel.ts';
import { Harness } from './harness.ts';
import { type HarnessMessage, readHarnessMessage } from './harness-message.ts';
import { type Env, harnessOptions } from './harness-options.ts';
import { readImages } from './images.ts';
import { Meter } from './meter.ts';
import { OpenPushes, type Push } from './open-pushes.ts';
import { probe } from './probe.ts';
import { learn } from './rates.ts';
import { ToolsInFlight } from './tools-in-flight.ts';
import { Turn } from './turn.ts';
import { usageEvent } from './usage.ts';
import { Watchdog } from './watchdog.ts';

const API = 'https://api.anthropic.com';
/** No word from the model for this long, while no tool runs. The harness's own limit can't be set below 5 minutes. */
const SILENCE_MS = 90_000;
/** A start, or a summary of a whole conversation, may be silent for longer: times the limit. */
const SLOW_WORK = 3;
/** How long the harness may take to follow an interrupt. */
const INTERRUPT_MS = 5_000;
/** How long it may take to end once it has nothing left to do. */
const GOODBYE_MS = 3_000;
/** The longest `retry-after` that the harness would follow itself. */
const LONGEST_WAIT_MS = 60_000;
const ACTIVITY_EVERY_MS = 1_000;

const CRASH: Failure = { class: 'crash', retryable: true };
type Message<Kind extends HarnessMessage['kind']> = Extract<HarnessMessage, { kind: Kind }>;
type Detail = { retryAfterMs?: number; continuationLost?: boolean };

/**
 * A conversation over one harness process, or several one after the other: when one dies or is given up, the next push
 * starts another that resumes where it was. README.md has what the harness reports when; this rests on it.
 */
export class ClaudeQuery implements AgentQuery {
  readonly #options: ProviderOptions;
  readonly #runner: Env;
  readonly #briefing: Omit<QueryInput, 'continuation'>;
  readonly #channel = new EventChannel<ProviderEvent>();
  readonly #pushes = new OpenPushes();
  readonly #turn = new Turn(
    (text) => this.#channel.send({ type: 'progress', text }),
    (text) => this.#channel.send({ type: 'partial', text }),
  );
  readonly #behind = new Behind((event) => this.#channel.send(event));
  readonly #meter = new Meter();
  readonly #tools: ToolsInFlight;
  readonly #watchdog: Watchdog;
  #harness: Harness | undefined;
  /** The turn that it runs, where it has begun that by itself. */
  #own: Push | undefined;
  #baseUrl = API;
  #continuation: string | undefined;
  /** The API has answered in this conversation: it holds more than the newest message. */
  #hasHistory: boolean;
  /** The answer of the turn before this one. */
  #lastText = '';
  #activeAt = 0;
  /** What was last told of the watchdog's limit. */
  #silenceMs = 0;
  #ended = false;

  constructor(options: ProviderOptions, input: QueryInput, runner: Env) {
    this.#options = options;
    this.#runner = runner;
    const { continuation, ...briefing } = input;
    this.#briefing = briefing;
    this.#continuation = continuation;
    this.#hasHistory = input.continuation !== undefined;
    this.#tools = new ToolsInFlight({
      send: (event) => this.#channel.send(event),
      log: (line) => options.log(`claude: ${line}`),
      env: options.env,
      isBehind: (agent) => this.#behind.has(agent),
    });
    const silenceMs = Number(options.env.CLAUDE_STREAM_IDLE_TIMEOUT_MS) || SILENCE_MS;
    this.#watchdog = new Watchdog(
      silenceMs,
      () => this.#tools.size > 0,
      (forMs) => this.#giveUp({ class: 'network', retryable: true }, `nothing came for ${Math.round(forMs)} ms`),
    );
    // Before the first push: it then costs a quarter of what a cold start does.
    this.#start();
  }

  get events(): AsyncIterable<ProviderEvent> {
    return this.#channel;
  }

  push(id: string, text: string, images: readonly string[] = []): void {
    if (this.#ended) {
      this.#report([id], CRASH, 'pushed after the end');
      return;
    }
    const harness = this.#harness ?? this.#start();
    if (harness === undefined) {
      this.#report([id], { class: 'crash', retryable: false }, 'the harness can not be started');
      return;
    }
    this.#watchdog.watch();
    harness.send(this.#pushes.add(id).uuid, text, readImages(images));
  }

  /** The one command of the harness that is called. */
  compact(id: string): void {
    this.push(id, '/compact');
  }

  async interrupt(): Promise<void> {
    const harness = this.#harness;
    // An interrupt leaves alone what runs behind the turns: with the process, all of it is gone.
    if (this.#behind.isRunning) return this.#giveUp(CRASH, 'stopped, with all that went on behind its turns');
    if (harness === undefined || this.#pushes.size === 0) return;
    const mine = this.#pushes.all();
    const isOpen = (): boolean => this.#harness === harness && mine.some((push) => this.#pushes.has(push));
    // What the harness has not yet taken in would outlive the interrupt.
    const takenIn = (): boolean => !isOpen() || mine.every((push) => push.state !== 'waiting');
    const inTime = await this.#pushes.until(takenIn, INTERRUPT_MS);
    if (!isOpen()) return;
    if (inTime) {
      this.#turn.interrupted = true;
      this.#tools.condemn();
      try {
        await harness.interrupt();
      } catch (cause) {
        this.#options.log(`interrupt: ${cause instanceof Error ? cause.message : String(cause)}`);
      }
      if (await this.#pushes.until(() => !isOpen(), INTERRUPT_MS)) return;
    }
    if (isOpen()) this.#giveUp(CRASH, 'the harness did not stop when it was interrupted');
  }

  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    const harness = this.#harness;
    harness?.finish();
    if (harness === undefined) this.#channel.close();
    else if (this.#pushes.size === 0) this.#goodbye(harness);
  }

  /** Undefined when the harness isn't there to be started. */
  #start(): Harness | undefined {
    const input: QueryInput = {
      ...this.#briefing,
      ...(this.#continuation === undefined ? {} : { continuation: this.#continuation }),
    };
    const options = harnessOptions(this.#options, input, this.#runner);
    this.#baseUrl = options.env.ANTHROPIC_BASE_URL ?? API;
    let harness: Harness;
    try {
      harness = new Harness(
        { ...options, hooks: this.#tools.hooks() },
        {
          message: (message) => {
            if (this.#harness !== harness) return;
            this.#spent(this.#meter.hear(message));
            this.#hear(readHarnessMessage(message));
          },
          ended: (failure) => {
            if (this.#harness === harness) this.#giveUp(CRASH, failure ?? 'the harness ended');
          },
        },
      );
    } catch (cause) {
      this.#options.log(`claude: ${cause instanceof Error ? cause.message : String(cause)}`);
      return undefined;
    }
    this.#harness = harness;
    this.#allow(SLOW_WORK);
    // Beside the start, not before it: a path that works costs nothing.
    void this.#checkPath(harness);
    return harness;
  }

  async #checkPath(harness: Harness): Promise<void> {
    const trouble = await probe(this.#baseUrl);
    if (trouble !== undefined && this.#harness === harness && !this.#turn.heardModel)
      this.#giveUp({ class: 'network', retryable: true }, trouble);
  }

  #hear(message: HarnessMessage): void {
    this.#watchdog.heard();
    const now = performance.now();
    if (now - this.#activeAt > ACTIVITY_EVERY_MS && this.#pushes.size > 0) {
      this.#activeAt = now;
      this.#channel.send({ type: 'activity' });
    }
    if (message.kind === 'session') this.#inSession(message);
    else if (message.kind === 'lifecycle') this.#moved(message);
    else if (message.kind === 'behind') this.#behind.changed(message.jobs);
    else if (message.kind === 'said') this.#said(message);
    else if (message.kind === 'begins' || message.kind === 'writes') this.#writes(message);
    else if (message.kind === 'streaming') this.#turn.heardModel = true;
    else if (message.kind === 'cut-off' && message.byAgent) this.#turn.text.cutOff();
    else if (message.kind === 'status') this.#allow(message.compacting ? SLOW_WORK : 1);
    else if (message.kind === 'tool-results') for (const id of message.ids) this.#tools.end(id);
    else if (message.kind === 'retry') this.#retried(message);
    else if (message.kind === 'limited') this.#turn.limitedUntil = message.untilMs;
    else if (message.kind === 'command-output') this.#turn.commandOutput = message.text;
    else if (message.kind === 'compacted') this.#compacted(message);
    else if (message.kind === 'result') this.#turnEnded(message);
  }

  /** Told, so that nobody else takes the silence for an end. */
  #allow(factor: number): void {
    const silenceMs = this.#watchdog.allow(factor);
    if (silenceMs === this.#silenceMs) return;
    this.#silenceMs = silenceMs;
    this.#channel.send({ type: 'activity', silenceMs });
  }

  #inSession({ id, failedServers }: Message<'session'>): void {
    for (const name of failedServers) this.#options.log(`claude: the MCP server ${name} did not start`);
    if (this.#continuation !== id) {
      this.#continuation = id;
      this.#channel.send({ type: 'init', continuation: id });
    }
    // Each turn begins so; one that answers a push has been said to start.
    if (!this.#turn.running && this.#behind.mayWake) this.#goesOnByItself();
  }

  #goesOnByItself(): void {
    this.#own = this.#pushes.adopt();
    this.#turn.running = true;
    this.#watchdog.watch();
    this.#channel.send({ type: 'resumed', id: this.#own.id, ended: this.#behind.takeEnded() });
  }

  #moved({ uuid, state }: Message<'lifecycle'>): void {
    const before = this.#pushes.find(uuid)?.state;
    const push = this.#pushes.move(uuid, state);
    if (push === undefined) return;
    if (state === 'started') {
      this.#turn.running = true;
      this.#meter.began(push.id);
      this.#channel.send({ type: 'started', id: push.id });
    } else if (state === 'cancelled' && !(this.#turn.running && before === 'started'))
      this.#unread((open) => open === push);
    else if (state === 'completed' && !this.#turn.running)
      this.#settle(
        this.#pushes.take((open) => open === push),
        this.#lastText,
      );
    this.#restWhenIdle();
  }

  #compacted(message: Message<'compacted'>): void {
    this.#turn.compacted = message;
    void archive(this.#options, this.#runner, message.session, message.uuid);
  }

  #writes(message: Message<'begins'> | Message<'writes'>): void {
    this.#turn.heardModel = true;
    if (!message.byAgent || this.#turn.interrupted) return;
    if (message.kind === 'begins') this.#turn.text.begins(message.messageId);
    else this.#turn.text.writes(message.text);
  }

  #said({ byAgent, error, messageId, text, callsTool }: Message<'said'>): void {
    if (!byAgent) return;
    this.#turn.error = error;
    if (error !== undefined) return;
    this.#turn.retryingSince = undefined;
    this.#turn.text.said(messageId, text, callsTool);
  }

  #retried(retry: Message<'retry'>): void {
    const now = performance.now();
    this.#turn.retryingSince ??= now;
    this.#turn.heardModel = false;
    if (givesUp(retry, now - this.#turn.retryingSince)) {
      const failure = classify({ ...retry, text: retry.status === null ? 'connection' : '' });
      const asked = retry.status === 429 || retry.status === 529 ? { retryAfterMs: retry.delayMs } : {};
      this.#giveUp({ ...failure, ...asked }, `${retry.error}, status ${retry.status}`);
    } else if (retry.status === null && this.#harness) void this.#checkPath(this.#harness);
  }

  #turnEnded(result: Message<'result'>): void {
    this.#tools.endTurn();
    if (this.#own) this.#pushes.move(this.#own.uuid, 'completed');
    this.#own = undefined;
    learn(result.usage);
    this.#spent(usageEvent(result.usage, result.durationMs, this.#meter.turn) ?? this.#meter.reckoned());
    this.#meter.over();
    const { interrupted, commandOutput, compacted } = this.#turn;
    const said = this.#turn.text.take();
    const failure = result.failed ? this.#failure(result) : undefined;
    this.#turn.over();
    this.#lastText = result.local ? compactionText(said || commandOutput, compacted) : said;
    // The result names what its turn has read; a push that joined late may only have been reported as completed.
    const read = this.#pushes.take(({ uuid, state }) => result.read.includes(uuid) || state === 'completed');
    if (failure === undefined || (interrupted && result.aborted)) {
      this.#hasHistory = true;
      this.#settle(read, this.#lastText);
    } else if (failure.continuationLost) this.#lost(failure, result.text, read);
    else this.#report(read, failure, result.text);
    this.#unread(({ state }) => state === 'cancelled');
    this.#restWhenIdle();
  }

  #spent(figures: ProviderEvent | undefined): void {
    if (figures) this.#channel.send(figures);
  }

  #settle(read: readonly string[], text: string): void {
    if (read.length === 0 && text.trim() === '') return;
    const ids = read.length > 0 ? read : [this.#unasked()];
    const continuation = this.#continuation === undefined ? {} : { continuation: this.#continuation };
    this.#channel.send({ type: 'settled', ids, text, ...continuation });
  }

  /** The harness spoke by itself, of nothing that we know. */
  #unasked(): string {
    const id = crypto.randomUUID();
    this.#channel.send({ type: 'resumed', id, ended: [] });
    return id;
  }

  #unread(which: (push: Push) => boolean): void {
    const ids = this.#pushes.take(which);
    if (ids.length > 0) this.#report(ids, CRASH, 'interrupted before the model read it');
  }

  #failure(result: Message<'result'>): Failure & Detail {
    if (isLostContinuation(result.text)) return { ...CRASH, continuationLost: true };
    const { error, limitedUntil, retryingSince } = this.#turn;
    const failure = classify({ error, status: result.status, text: result.text, reason: result.reason });
    // The harness has already tried to make it shorter. What helps is to begin anew, if there is anything to leave behind.
    if (failure.class === 'context' && this.#hasHistory) return { ...failure, retryable: true, continuationLost: true };
    if (failure.class !== 'rate-limit') return failure;
    if (limitedUntil !== undefined) return { ...failure, retryAfterMs: Math.max(0, limitedUntil - Date.now()) };
    // It says nothing of a wait that it finds too long.
    return retryingSince === undefined ? { ...failure, retryAfterMs: LONGEST_WAIT_MS } : failure;
  }

  #lost(failure: Failure & Detail, text: string, read: readonly string[]): void {
    const rest = this.#pushes.take(() => true);
    this.#abandon();
    this.#continuation = undefined;
    this.#hasHistory = false;
    this.#report([...read, ...rest], failure, text);
    this.#closeIfEnded();
  }

  /** Ends the process and what was open. The next push starts another. */
  #giveUp(failure: Failure & Detail, message: string): void {
    const open = this.#pushes.take(() => true);
    this.#abandon();
    this.#report(open, failure, message);
    this.#closeIfEnded();
  }

  /** What concerns nobody is for the log. */
  #report(ids: readonly string[], failure: Failure & Detail, message: string): void {
    if (ids.length > 0 || failure.continuationLost) this.#channel.send({ type: 'error', ids, message, ...failure });
    else this.#options.log(`claude: ${message}`);
  }

  #abandon(): void {
    this.#harness?.kill();
    this.#harness = undefined;
    this.#spent(this.#meter.reckoned());
    this.#meter.over();
    this.#own = undefined;
    this.#tools.endAll();
    this.#behind.lost();
    this.#turn.over();
    this.#watchdog.rest();
  }

  #restWhenIdle(): void {
    if (this.#pushes.size > 0) return;
    this.#watchdog.rest();
    if (this.#ended && this.#harness) this.#goodbye(this.#harness);
  }

  #goodbye(harness: Harness): void {
    setTimeout(() => {
      if (this.#harness === harness) this.#giveUp(CRASH, 'it did not end by itself');
    }, GOODBYE_MS).unref();
  }

  #closeIfEnded(): void {
    if (this.#ended) this.#channel.close();
  }
}

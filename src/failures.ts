import type { AckError, ErrorClass } from '@nanoclaw/protocol';
import type { PlannedEnd } from './container-runner.ts';
import { sqliteCode } from './db/connection.ts';
import { type ErrorCode, errorText, isNoRoom, NanoError } from './errors.ts';
import type { SandboxExit } from './sandbox/driver.ts';

/** What can go wrong with a turn, what the chat is told, and when it is tried again. */

export type FailureKind =
  | ErrorClass
  | 'out-of-memory'
  | 'no-progress'
  | 'stuck-tool'
  | 'too-long'
  | 'disk-full'
  | 'sandbox-start'
  | 'sandbox-engine'
  | 'sandbox-image'
  | 'sandbox-unusable'
  | 'provider-missing'
  | 'credential-missing'
  | 'quarantine';

export interface Failure {
  kind: FailureKind;
  retryable: boolean;
  /** For the log. */
  message: string;
  retryAfterMs?: number;
  /** Which tool, say: follows the sentence in the chat. */
  detail?: string | undefined;
  /** What a sandbox printed before it crashed: one line of it. */
  lastWords?: string | undefined;
}

interface Row {
  /** When it is met; for docs/failures.md. */
  when: string;
  /** What happened, as a sentence for the person in the chat. */
  what: string;
  /** What they or the owner can do, when it isn't tried again. */
  remedy: string;
  /** Whether it is tried again by itself. A provider says so with each error. */
  retry: boolean;
}

export const FAILURES: Readonly<Record<FailureKind, Row>> = {
  auth: {
    when: 'The model answers 401 or 403.',
    what: 'The model refused my key.',
    remedy: 'The owner can put a valid one into .env; then send your message again.',
    retry: false,
  },
  billing: {
    when: "The model's account is empty or closed.",
    what: "The model's account has no credit.",
    remedy: 'When the owner has added some, send your message again.',
    retry: false,
  },
  'rate-limit': {
    when: 'The model answers 429, or the window of a subscription is used up.',
    what: 'The model limits how often I may ask.',
    remedy: 'Send your message again a little later.',
    retry: true,
  },
  overload: {
    when: 'The model answers 529 or another 5xx.',
    what: 'The model is overloaded at the moment.',
    remedy: 'Send your message again a little later.',
    retry: true,
  },
  network: {
    when: 'Nobody answers at the address of the model, a connection breaks, or a stream falls silent.',
    what: "I can't reach the model.",
    remedy: 'Check the network (`ncl doctor` helps), then send your message again.',
    retry: true,
  },
  context: {
    when: 'A message alone is too long for the model. A conversation that has become too long is begun anew.',
    what: 'This conversation has become too long for the model.',
    remedy: 'Send /clear to begin a new one, then ask again.',
    retry: false,
  },
  model: {
    when: 'The model answers 404: no model has the name that is set, or the account may not use it.',
    what: 'The model that is set for me does not exist, or my account may not use it.',
    remedy: 'Send /model to see which it is, and /model default or another name; then send your message again.',
    retry: false,
  },
  crash: {
    when: 'The sandbox or the harness in it ends by itself.',
    what: 'Something broke while I worked on this.',
    remedy: '`ncl logs` says more; you can send your message again.',
    retry: true,
  },
  script: {
    when: 'The script of a task fails: it says nothing readable, too much, or takes too long.',
    what: 'The script of a task failed.',
    remedy: 'Mend it with `ncl tasks update`, or leave it out.',
    retry: false,
  },
  'out-of-memory': {
    when: 'The kernel or the watchdog ends the sandbox for its memory.',
    what: 'I ran out of memory while I worked on this.',
    remedy: 'Ask for it in smaller parts.',
    retry: false,
  },
  'no-progress': {
    when: 'No sign of life, nothing taken, or nothing done for a minute, or for as long as a tool had declared.',
    what: 'I got stuck while I worked on this.',
    remedy: '`ncl logs` says more; you can send your message again.',
    retry: true,
  },
  'stuck-tool': {
    when: 'A tool runs 30 s longer than it had declared, and the runner could not end it.',
    what: 'A tool of mine did not come back, and I was stopped.',
    remedy: 'What it had done until then stays done. Ask again, perhaps in another way.',
    retry: false,
  },
  'too-long': {
    when: 'A turn takes longer than 30 minutes, and no tool had declared more.',
    what: 'This took too long, and I was stopped.',
    remedy: 'What was done until then stays done. Ask for it in smaller parts.',
    retry: false,
  },
  'disk-full': {
    when: 'There is no room to start a sandbox.',
    what: "This machine's disk is full.",
    remedy: 'When the owner has made room, send your message again.',
    retry: true,
  },
  'sandbox-start': {
    when: 'A sandbox can be started on this machine, but this one could not.',
    what: 'My sandbox did not start.',
    remedy: '`ncl doctor` and `ncl logs` say why.',
    retry: true,
  },
  'sandbox-engine': {
    when: 'The container engine is away, or this user may not use it.',
    what: "The container engine on this machine can't be reached.",
    remedy: '`ncl doctor` says why; then send your message again.',
    retry: true,
  },
  'sandbox-image': {
    when: 'The image that sandboxes run in is not there, and is being made.',
    what: 'The image that my sandbox runs in is being made, which can take some minutes. I answer when it is there.',
    remedy: '`ncl status` says how far it is.',
    retry: true,
  },
  'sandbox-unusable': {
    when: 'bubblewrap or a right that it needs is missing, an engine is too old, or a setting names what there is not.',
    what: 'No sandbox can be started on this machine as it is set up.',
    remedy: '`ncl doctor` says what is missing; then send your message again.',
    retry: false,
  },
  'provider-missing': {
    when: "The harness of the agent's provider is not installed.",
    what: 'The provider that I am set to use is not installed.',
    remedy: 'Run `bash nanoclaw.sh --provider <name>`, then send your message again.',
    retry: false,
  },
  'credential-missing': {
    when: '.env has no key for the provider.',
    what: 'The provider that I am set to use has no credential.',
    remedy: 'Put one into .env or run `bash nanoclaw.sh`, then send your message again.',
    retry: false,
  },
  quarantine: {
    when: 'The file that the agent writes breaks the rules in docs/sessions.md.',
    what: 'My mailbox file broke its rules, so that the host has put it aside and ended my sandbox.',
    remedy: 'Send your message again; `ncl logs` says what was wrong.',
    retry: false,
  },
};

const START_KINDS: Partial<Record<ErrorCode, FailureKind>> = {
  NC_SANDBOX_UNUSABLE: 'sandbox-unusable',
  NC_SANDBOX_ENGINE: 'sandbox-engine',
  NC_SANDBOX_IMAGE: 'sandbox-image',
  NC_PROVIDER_MISSING: 'provider-missing',
  NC_CREDENTIAL_MISSING: 'credential-missing',
  NC_DISK_FULL: 'disk-full',
};
const SQLITE_FULL = 13;

/** Why a sandbox did not start. */
export function startFailure(error: unknown): Failure {
  const isFull = isNoRoom(error) || sqliteCode(error) === SQLITE_FULL;
  const known = error instanceof NanoError ? START_KINDS[error.code] : undefined;
  const kind = isFull ? 'disk-full' : (known ?? 'sandbox-start');
  // Its name alone: what else the sentence has, paths say, is for the owner.
  const setting = error instanceof NanoError ? /\b[A-Z]+_[A-Z_]+(?= is )/.exec(error.detail ?? '')?.[0] : undefined;
  const detail = setting && `the setting ${setting}`;
  return { kind, retryable: FAILURES[kind].retry, message: errorText(error), detail };
}

/** Ends by the host's own hand that say nothing good of what the sandbox was doing. */
const BAD_ENDS: Readonly<Record<string, [FailureKind, string]>> = {
  heartbeat: ['no-progress', 'it gave no sign of life'],
  lost: ['crash', 'its mailbox file was deleted, replaced or held in mid-commit'],
  unclaimed: ['no-progress', 'it did not take its messages'],
  'no-progress': ['no-progress', 'nothing moved in its turn'],
  tool: ['stuck-tool', 'a tool hung'],
  ceiling: ['too-long', 'the turn took too long'],
};

/** Why a sandbox that has ended left its messages open; undefined when that was no fault of its own. */
export function exitFailure(exit: SandboxExit, planned: PlannedEnd | undefined): Failure | undefined {
  const bad: [FailureKind, string] | undefined = planned && BAD_ENDS[planned.reason];
  if (planned && !bad) return undefined;
  // What was killed for memory earlier, a tool say, is not why it ended with another status now.
  const outOfMemory = exit.outOfMemory && (exit.code === null || exit.code === 137);
  const [kind, why]: [FailureKind, string] =
    bad ?? (outOfMemory ? ['out-of-memory', 'out of memory'] : ['crash', 'it ended by itself']);
  const words = lastWords(exit.lastLines);
  return {
    kind,
    retryable: FAILURES[kind].retry,
    message: `${why}, code ${exit.code}: ${words ?? 'it printed nothing'}`,
    detail: planned?.detail,
    lastWords: kind === 'crash' ? words : undefined,
  };
}

export const MAX_TRIES = 5;
/** Set by a test that has no time to wait. */
const BACKOFF_MS = Number(process.env.NANOCLAW_RETRY_MS ?? 5_000);
/** A provider that asks for more than this is not waited for. */
export const LONGEST_WAIT_MS = 15 * 60_000;

export type RetryDecision = { retry: true; afterMs: number } | { retry: false };

/** `tries`: how often the message was tried before the try that failed. 5, 10, 20, 40, 80 s, or what was asked for. */
export function decideRetry(failure: Failure, tries: number): RetryDecision {
  // For as long as that takes: the message is not at fault. When it can't be made, that is another failure.
  if (failure.kind === 'sandbox-image') return { retry: true, afterMs: BACKOFF_MS };
  if (!failure.retryable || tries >= MAX_TRIES) return { retry: false };
  const backoff = BACKOFF_MS * 2 ** tries;
  const afterMs = Math.max(backoff, failure.retryAfterMs ?? 0);
  return afterMs > LONGEST_WAIT_MS ? { retry: false } : { retry: true, afterMs };
}

/** The sentence for the chat; undefined when it has been told before and nothing new is to say. */
export function noticeText(failure: Failure, tries: number, decision: RetryDecision): string | undefined {
  const { remedy } = FAILURES[failure.kind];
  const what = `${FAILURES[failure.kind].what}${failure.detail ? ` It was ${failure.detail}.` : ''}`;
  const words = failure.lastWords ? ` Its last words: ${failure.lastWords}` : '';
  if (decision.retry && failure.kind === 'sandbox-image') return tries > 0 ? undefined : `⚠️ ${what}`;
  if (decision.retry)
    return tries > 0 ? undefined : `⚠️ ${what} I'll try again in ${inWords(decision.afterMs)}.${words}`;
  const gaveUp = failure.retryable && tries >= MAX_TRIES ? ` I gave up after ${MAX_TRIES + 1} tries.` : '';
  return `⚠️ ${what}${gaveUp} ${remedy}${words}`;
}

const LAST_WORDS = 200;
const SAYS_WHY = /error|exception|panic|fatal|fault|signal|denied|cannot|can't|failed|not found/i;

/** The newest line that says why, or the newest: no frame of a stack, no source, no record of the runner's own log. */
function lastWords(lines: readonly string[]): string | undefined {
  const candidates = lines.filter((line) => !/^\s*(at\s|\^|\d+ \||\{"|Bun v)/.test(line));
  const line = candidates.findLast((each) => SAYS_WHY.test(each)) ?? candidates.at(-1);
  return line?.trim().slice(0, LAST_WORDS).toWellFormed();
}

function inWords(ms: number): string {
  const seconds = Math.ceil(ms / 1000);
  return seconds < 90 ? `${seconds} seconds` : `${Math.ceil(seconds / 60)} minutes`;
}

export function failureOfAck(error: AckError): Failure {
  return {
    kind: error.class,
    retryable: error.retryable,
    message: error.message,
    ...(error.retryAfterMs !== undefined && { retryAfterMs: error.retryAfterMs }),
  };
}

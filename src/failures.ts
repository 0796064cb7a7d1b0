import type { AckError, ErrorClass } from '@nanoclaw/protocol';

/** What can go wrong with a turn, what the chat is told, and when it is tried again. */

export type FailureKind =
  | ErrorClass
  | 'out-of-memory'
  | 'sandbox-start'
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
}

interface Row {
  /** What happened, as a sentence for the person in the chat. */
  what: string;
  /** What they or the owner can do, when it isn't tried again. */
  remedy: string;
}

export const FAILURES: Readonly<Record<FailureKind, Row>> = {
  auth: {
    what: 'The model refused my key.',
    remedy: 'The owner can put a valid one into .env and run `ncl restart`; then send your message again.',
  },
  billing: {
    what: "The model's account has no credit.",
    remedy: 'When the owner has added some, send your message again.',
  },
  'rate-limit': {
    what: 'The model limits how often I may ask.',
    remedy: 'Send your message again a little later.',
  },
  overload: { what: 'The model is overloaded at the moment.', remedy: 'Send your message again a little later.' },
  network: {
    what: "I can't reach the model.",
    remedy: 'Check the network (`ncl doctor` helps), then send your message again.',
  },
  context: {
    what: 'This conversation has become too long for the model.',
    remedy: 'Send /clear to begin a new one, then ask again.',
  },
  crash: {
    what: 'Something broke while I worked on this.',
    remedy: '`ncl logs` says more; you can send your message again.',
  },
  'out-of-memory': {
    what: 'I ran out of memory while I worked on this.',
    remedy: 'Ask for it in smaller parts.',
  },
  'sandbox-start': { what: 'My sandbox did not start.', remedy: '`ncl doctor` and `ncl logs` say why.' },
  'sandbox-unusable': {
    what: 'No sandbox can be started on this machine.',
    remedy: '`ncl doctor` says what is missing; then send your message again.',
  },
  'provider-missing': {
    what: 'The provider that I am set to use is not installed.',
    remedy: 'Run `bash nanoclaw.sh --provider <name>`, then send your message again.',
  },
  quarantine: {
    what: 'My mailbox file broke its rules, so that the host has put it aside and ended my sandbox.',
    remedy: 'Send your message again; `ncl logs` says what was wrong.',
  },
  'credential-missing': {
    what: 'The provider that I am set to use has no credential.',
    remedy: 'Put one into .env or run `bash nanoclaw.sh`, then send your message again.',
  },
};

export const MAX_TRIES = 5;
const BACKOFF_MS = 5_000;
/** A provider that asks for more than this is not waited for. */
const LONGEST_WAIT_MS = 15 * 60_000;

export type RetryDecision = { retry: true; afterMs: number } | { retry: false };

/** `tries`: how often the message was tried before the try that failed. 5, 10, 20, 40, 80 s, or what was asked for. */
export function decideRetry(failure: Failure, tries: number): RetryDecision {
  if (!failure.retryable || tries >= MAX_TRIES) return { retry: false };
  const backoff = BACKOFF_MS * 2 ** tries;
  const afterMs = Math.max(backoff, failure.retryAfterMs ?? 0);
  return afterMs > LONGEST_WAIT_MS ? { retry: false } : { retry: true, afterMs };
}

/** The sentence for the chat; undefined when it has been told before and nothing new is to say. */
export function noticeText(failure: Failure, tries: number, decision: RetryDecision): string | undefined {
  const { what, remedy } = FAILURES[failure.kind];
  if (decision.retry) return tries > 0 ? undefined : `⚠️ ${what} I'll try again in ${inWords(decision.afterMs)}.`;
  const gaveUp = failure.retryable && tries >= MAX_TRIES ? ` I gave up after ${MAX_TRIES + 1} tries.` : '';
  return `⚠️ ${what}${gaveUp} ${remedy}`;
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

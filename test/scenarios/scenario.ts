/** What a scenario file says. The README beside this shows how it is written. */

export interface Scenario {
  file: string;
  title: string;
  /** Where its clock begins; without one it is played by the machine's own. */
  clock: number | undefined;
  steps: readonly Step[];
}

/** A chat: somebody's own with the agent (`Ann`), or a group (`family`). */
export interface Place {
  name: string;
  thread?: string;
  /** On the second channel. */
  second?: boolean;
}

export interface Call {
  tool: string;
  input: Record<string, unknown>;
}

export const FAILURES = [
  'overloaded',
  'rate-limit',
  'auth',
  'forbidden',
  'billing',
  'context',
  'server',
  'cut',
] as const;
export type Failure = (typeof FAILURES)[number];

/** On what terms an agent listens in a chat, in words: flags of `ncl wirings create`. */
export const LISTENING = new Map<string, Readonly<Record<string, string | true>>>([
  ['hears everything', { 'engage-mode': 'pattern', 'engage-pattern': '.' }],
  ['hears mentions', { 'engage-mode': 'mention' }],
  ['follows', { 'engage-mode': 'mention-sticky' }],
  ['keeps the rest', { 'ignored-message-policy': 'accumulate' }],
  ['hears members', { 'sender-scope': 'known' }],
  ['shares one session', { 'session-mode': 'agent-shared' }],
  ['takes it alone', { exclusive: 'yes', priority: '10' }],
]);
/** And what becomes of strangers there. */
export const POLICIES = new Map<string, string>([
  ['open to all', 'public'],
  ['asks about strangers', 'request_approval'],
]);

/** What the model of an agent does when it is asked next. Without an agent: the one that is always there. */
export type ModelStep = { agent: string | undefined } /** `tokens`: what it costs, where that counts. */ & (
  | { does: 'say'; text: string; tokens?: number }
  /** The rest comes with a `go-on`. */
  | { does: 'begin'; text: string }
  | { does: 'call'; calls: Call[] }
  | { does: 'fail'; failure: Failure; times: number }
  /** Until it recovers. */
  | { does: 'keep-failing'; failure: Failure }
);

export type StepBody =
  | { do: 'group'; name: string; second: boolean; terms: readonly string[] }
  | { do: 'alone'; who: string; terms: readonly string[] }
  | { do: 'agent'; name: string; chat: string; terms: readonly string[] }
  | { do: 'strangers'; names: readonly string[] }
  | { do: 'admin'; who: string }
  | { do: 'file'; name: string; text: string }
  /** In somebody's hand, to be sent. */
  | { do: 'to-send'; name: string; text: string }
  | { do: 'holds'; name: string; pattern: string }
  | { do: 'say'; who: string; place: Place; text: string; answers?: string; files?: readonly string[]; again?: boolean }
  /** `on`: of a card that was shown there, and was passed on to here. */
  | { do: 'press'; who: string; button: string; place: Place; on?: string; pattern: string }
  | { do: 'model'; step: ModelStep }
  | { do: 'go-on'; text: string }
  | { do: 'recover'; agent: string | undefined }
  | { do: 'read'; agent: string | undefined; text: string; never: boolean }
  | { do: 'asked'; times: number }
  | { do: 'hear'; place: Place; pattern: string }
  | { do: 'hear-file'; place: Place; name: string; pattern: string }
  | { do: 'card'; place: Place; buttons: readonly string[]; pattern: string }
  | { do: 'edited'; place: Place; pattern: string }
  | { do: 'never'; place: Place | undefined; text: string }
  | { do: 'status'; status: Status; pattern: string }
  | { do: 'ends'; outcome: string }
  | { do: 'run'; words: readonly string[] }
  | { do: 'printed'; pattern: string; failed: boolean }
  | { do: 'fire'; task: string; times: number }
  | { do: 'ran'; task: string; statuses: readonly string[] }
  | { do: 'clock'; to: number }
  | { do: 'pass'; ms: number }
  | { do: 'earlier'; count: number; who: string; text: string };

export type Status = 'refused' | 'held' | 'answered' | 'accepted' | 'duplicate';
export type Step = StepBody & { line: number };

import type { DropReason } from '../../src/routing/decide.ts';
import type { Row } from './story.ts';

/** Why nobody took a message, in words, and what the owner can do. */

interface Reason {
  why: string;
  /** Undefined: it is as it should be. `<chat>` and `<sender>` are filled in; `<known>` is what a stranger needs before. */
  remedy?: string;
  /** Whether it can still come up on these wirings; undefined: always. */
  still?(wirings: readonly Row[]): boolean;
}

const onPattern = (wirings: readonly Row[]) => wirings.some((wiring) => wiring.engage_mode === 'pattern');
const onNone = (wirings: readonly Row[]) => wirings.length === 0;

type HostReason =
  | 'no-agent-wired'
  | 'unknown-chat'
  | 'command-not-allowed'
  | 'denied-chat'
  | 'no-room'
  | 'too-many-requests'
  | 'too-many-waiting'
  | 'guessing-codes'
  | 'approval-denied'
  | 'approval-expired'
  | 'approval-failed';

export const REASONS: Readonly<Record<DropReason | HostReason, Reason>> = {
  'not-mentioned': {
    why: 'no agent was addressed: by a mention, by its name with an @ before it, or by an answer to what it said',
    remedy:
      'Address it, or let it hear everything: `ncl wirings update <wiring> --engage-mode pattern --engage-pattern .`',
  },
  'no-match': {
    why: "the text does not match the pattern of the agent's wiring",
    remedy: '`ncl wirings update <wiring> --engage-pattern <regex>` sets another one; `.` is everything.',
    still: onPattern,
  },
  'pattern-invalid': {
    why: "the pattern of the agent's wiring is no regular expression",
    remedy: '`ncl wirings update <wiring> --engage-pattern <regex>` sets another one.',
    still: onPattern,
  },
  'pattern-too-slow': {
    why: "the pattern of the agent's wiring took too long to compare",
    remedy: '`ncl wirings update <wiring> --engage-pattern <regex>` sets a simpler one.',
    still: onPattern,
  },
  taken: {
    why: 'another agent with a higher priority takes what it answers for itself alone',
    remedy: '`ncl wirings update <wiring> --exclusive no` ends that.',
    still: (wirings) => wirings.some((wiring) => wiring.exclusive === 1),
  },
  'unknown-sender': {
    why: 'the sender is not known to the agent, and the chat lets in nobody else',
    remedy:
      '<known>`ncl members add <sender> <agent>` lets them in; `ncl messaging-groups update <chat> --unknown-sender-policy request_approval` asks you about each.',
  },
  'denied-sender': {
    why: 'the sender was refused for good',
    remedy: '`ncl users undeny <sender> <agent>` takes that back.',
  },
  'no-agent-wired': {
    why: 'no agent listens there, and none was addressed',
    remedy: '`ncl wirings create <chat> <agent>` lets one listen.',
    still: onNone,
  },
  'unknown-chat': {
    why: 'the chat is not known, and no agent was addressed in it',
    remedy: 'Address the bot there, and you are asked which agent shall listen.',
    still: onNone,
  },
  'command-not-allowed': {
    why: 'it was a command of somebody whom no agent there knows',
    remedy: '<known>`ncl members add <sender> <agent>` lets them in.',
  },
  'denied-chat': {
    why: 'that chat was refused for good',
    remedy: '`ncl wirings create <chat> <agent>` lets an agent listen there all the same.',
  },
  'no-room': { why: 'the disk was full', remedy: 'Make room: `ncl doctor` says where.' },
  'too-many-requests': {
    why: 'too many strangers asked at once, and you were asked about no more of them',
    remedy: 'Decide on those that wait: `ncl approvals list`.',
  },
  'too-many-waiting': {
    why: 'more came than can wait for one decision',
    remedy: 'Decide on what waits: `ncl approvals list`. What came beyond it has to be said again.',
  },
  'guessing-codes': { why: 'too many wrong codes were sent; each one is ignored for a while' },
  'approval-denied': { why: 'whether it may be taken was asked, and refused' },
  'approval-expired': {
    why: 'whether it may be taken was asked, and nobody decided in time',
    remedy: 'When it is said again, you are asked again.',
  },
  'approval-failed': {
    why: 'it was allowed, and what was allowed could not be done',
    remedy: '`ncl approvals list` says why.',
  },
};

const KEPT = ', kept';

/** Reasons that are not in the table are told as they are. */
export function reasonInWords(reason: string): Reason & { isKept: boolean } {
  const isKept = reason.endsWith(KEPT);
  const plain = isKept ? reason.slice(0, -KEPT.length) : reason;
  const replayed = /^replay: (\w+)$/.exec(plain)?.[1];
  const known: Reason | undefined = Object.entries(REASONS).find(([name]) => name === plain)?.[1];
  const why =
    known?.why ?? (replayed ? `it had waited for a decision, and could not be taken then (${replayed})` : plain);
  return { ...known, why, isKept };
}

import type { ChatOut, Origin } from '@nanoclaw/protocol';
import { addressOf, findDestination, knownNames, sameChat } from '../destinations.ts';
import { newMessageId, type Outbound } from '../mailbox/outbound.ts';
import type { Situation } from './situation.ts';
import type { ToolResult } from './tool.ts';

/** What every tool of ours has at hand. */
export interface Kit {
  outbound: Outbound;
  outbox: string;
  /** Relative paths begin here. */
  cwd: string;
  look(): Situation;
  /** How long a call waits to hear what became of what it sends. */
  patienceMs: number;
}

/** Beyond this, and with nobody taking messages away, the file would come near the size at which the host refuses it. */
const FULL_BYTES = 24 * 1024 * 1024;
export const LOOK_MS = 20;

export function failure(text: string): ToolResult {
  return { text: `Error: ${text}`, isError: true };
}

/** The place that `to` names; without it, the chat that the agent is answering. */
export function resolveAddress(to: string | undefined, situation: Situation): Origin | ToolResult {
  if (situation.stopped) return failure('The user has stopped this turn. Nothing was sent.');
  if (to === undefined || to.trim() === '') {
    return (
      situation.origin ?? failure(`There is no chat to answer: name a receiver. ${knownNames(situation.destinations)}`)
    );
  }
  const destination = findDestination(situation.destinations, to);
  if (!destination) return failure(`There is no destination "${to}". ${knownNames(situation.destinations)}`);
  const address = addressOf(destination);
  return situation.origin && sameChat(address, situation.origin) ? situation.origin : address;
}

/** Writes the message at once, in a transaction of its own, and says what became of it by then. */
export async function send(
  { outbound, look, patienceMs }: Kit,
  situation: Situation,
  origin: Origin,
  body: ChatOut,
  id = newMessageId(),
): Promise<ToolResult> {
  if (outbound.bytes() > FULL_BYTES) return failure('Too many messages wait to be delivered. Try again later.');
  outbound.write((tx) => tx.message({ id, origin, inReplyTo: situation.replyTo, content: { kind: 'chat', body } }));
  if (origin === situation.origin && !body.reacts) situation.said();
  const isKnown = () => look().delivered.find((row) => row.message_out_id === id);
  for (const end = performance.now() + patienceMs; performance.now() < end && !isKnown(); ) await pause();
  const found = isKnown();
  if (found?.status === 'failed') return failure(`${id} was not delivered: ${found.error ?? 'it was refused'}`);
  if (!found) return { text: `Queued as ${id}: not delivered yet. Should that fail, you will be told.` };
  const platformId = found.platform_message_id === null ? '' : ` (there ${found.platform_message_id})`;
  return { text: `Delivered as ${id}${platformId}.` };
}

export function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, LOOK_MS));
}

import type { ChatOut, Origin } from '@nanoclaw/protocol';
import { addressOf, findDestination, knownNames, sameChat } from '../destinations.ts';
import type { Outbound } from '../mailbox/outbound.ts';
import type { Situation } from './situation.ts';
import type { ToolResult } from './tool.ts';

/** Beyond this, and with nobody taking messages away, the file would come near the size at which the host refuses it. */
const FULL_BYTES = 24 * 1024 * 1024;

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

/** Writes the message at once, in a transaction of its own. */
export function queue(outbound: Outbound, situation: Situation, id: string, origin: Origin, body: ChatOut): ToolResult {
  if (outbound.bytes() > FULL_BYTES) return failure('Too many messages wait to be delivered. Try again later.');
  outbound.write((tx) => tx.message({ id, origin, inReplyTo: situation.replyTo, content: { kind: 'chat', body } }));
  if (origin === situation.origin) situation.said();
  return { text: `Queued for delivery as ${id}.` };
}

import { createHash, randomUUID } from 'node:crypto';
import { cleanText, MAX_QUESTION, type Origin, QuestionReport } from '@nanoclaw/protocol';
import { z } from 'zod';
import { errorText } from '../log.ts';
import { stripInternal } from '../output/internal.ts';
import { failure, type Kit, pause, resolveAddress } from './send.ts';
import type { Situation } from './situation.ts';
import { ANSWER_SECONDS, ASK_TOOL, type Tool, type ToolResult } from './tool.ts';

/** Questions to people, and cards with buttons: a row to the host, and the row that says what came of it. */

const { title, text, label, options: most, waitMs } = MAX_QUESTION;
const shown = {
  to: z.string().optional().describe('Name of a destination. Absent: the chat that you are answering.'),
  title: z.string().min(1).max(title).describe('What it is about, in a few words.'),
};
const question = {
  ...shown,
  question: z.string().min(1).max(text),
  options: z.array(z.string().min(1).max(label)).min(2).max(most).describe('Short labels, one of which is chosen.'),
  timeout_seconds: z
    .number()
    .int()
    .min(1)
    .max(waitMs / 1000)
    .optional()
    .describe(`How long you wait; ${ANSWER_SECONDS} when absent. A later answer comes to you as a message.`),
};
const card = {
  ...shown,
  text: z.string().max(text),
  buttons: z.array(z.string().min(1).max(label)).min(1).max(most).describe('Short labels.'),
};

interface Asked {
  title: string;
  text: string;
  options: string[];
  waitMs: number;
}

/** Of each turn: how often the same was asked, so that the second time is another question, and at a later try again the same. */
const counts = new WeakMap<object, Map<string, number>>();

export function askTool(kit: Kit): Tool<typeof question> {
  return {
    name: ASK_TOOL,
    description: 'Asks somebody a question with a few possible answers, and waits for the answer.',
    input: question,
    run: ({ to, title, question, options, timeout_seconds = ANSWER_SECONDS }, signal) =>
      ask(kit, to, { title, text: question, options, waitMs: timeout_seconds * 1000 }, signal),
  };
}

export function sendCardTool(kit: Kit): Tool<typeof card> {
  return {
    name: 'send_card',
    description: 'Shows a text with buttons and does not wait. The one that is pressed comes to you as a message.',
    input: card,
    run: ({ to, title, text, buttons }, signal) => ask(kit, to, { title, text, options: buttons, waitMs: 0 }, signal),
  };
}

async function ask(kit: Kit, to: string | undefined, asked: Asked, signal?: AbortSignal): Promise<ToolResult> {
  try {
    const situation = kit.look();
    const address = resolveAddress(to, situation);
    if ('text' in address) return address;
    const key = keyOf(situation, address, asked);
    const clean = { title: shownOf(asked.title), text: shownOf(asked.text), options: asked.options.map(shownOf) };
    if ([clean.title, ...clean.options].includes('')) return failure('The title or an option is empty.');
    const body = { action: 'ask' as const, question: key, ...clean, waitMs: asked.waitMs };
    const { outbound } = kit;
    outbound.write((tx) =>
      tx.message({ origin: address, inReplyTo: situation.replyTo, content: { kind: 'system', body } }),
    );
    if (address === situation.origin) situation.said();
    return await report(kit, situation, key, asked.waitMs, signal);
  } catch (error) {
    return failure(`It could not be asked: ${errorText(error)}`);
  }
}

async function report(
  kit: Kit,
  { turn }: Situation,
  key: string,
  waitMs: number,
  signal?: AbortSignal,
): Promise<ToolResult> {
  const { outbound, look, patienceMs } = kit;
  const end = performance.now() + (waitMs || patienceMs);
  for (;;) {
    const now = look();
    const found = reportIn(now, key);
    if (found) {
      outbound.write((tx) => tx.ack(found.id, 'completed'));
      return found.status === 'failed' || found.status === 'withdrawn' ? failure(found.text) : { text: found.text };
    }
    // What comes of it then is the host's to tell, in a later turn.
    if (signal?.aborted || now.stopped || (turn && now.turn !== turn)) return failure('The turn that asked was ended.');
    if (performance.now() >= end) break;
    await pause();
  }
  const body = { action: 'ask-later' as const, question: key };
  outbound.write((tx) => tx.message({ origin: NOWHERE, inReplyTo: null, content: { kind: 'system', body } }));
  return {
    text:
      waitMs > 0
        ? `Nobody has answered within ${waitMs / 1000} s. It can still be answered: that will come to you as a message.`
        : 'Queued: not shown yet. Should that fail, you will be told; what is pressed will come to you as a message.',
  };
}

function shownOf(text: string): string {
  return stripInternal(cleanText(text)).trim();
}

const NOWHERE: Origin = { channel_type: null, platform_id: null, thread_id: null };

/** The same in a turn that is tried again: the host then has it already. */
function keyOf({ turn }: Situation, { channel_type, platform_id, thread_id }: Origin, asked: Asked): string {
  if (!turn) return randomUUID();
  const same = JSON.stringify([turn.first, channel_type, platform_id, thread_id, asked]);
  const ofTurn = counts.get(turn) ?? new Map<string, number>();
  const count = (ofTurn.get(same) ?? 0) + 1;
  counts.set(turn, ofTurn.set(same, count));
  return createHash('sha256').update(`${count}\n${same}`).digest('hex').slice(0, 40);
}

function reportIn({ messages }: Situation, key: string): (QuestionReport & { id: string }) | undefined {
  for (const { id, kind, status, content } of messages) {
    // Only what names this question is read.
    if (kind !== 'system' || status !== 'paused' || !content.includes(key)) continue;
    const read = QuestionReport.safeParse(JSON.parse(content));
    if (read.success && read.data.question === key) return { ...read.data, id };
  }
  return undefined;
}

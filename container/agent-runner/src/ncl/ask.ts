import { randomUUID } from 'node:crypto';
import { byteLength, MAX_NCL_REQUEST_BYTES, type MessageInRow, NclResponse, type Origin } from '@nanoclaw/protocol';
import type { Log } from '../log.ts';
import { InboundReader } from '../mailbox/inbound.ts';
import { Outbound } from '../mailbox/outbound.ts';
import type { RunnerPaths } from '../paths.ts';

/** One call of `ncl` inside of a sandbox: a row to the host, and the row that answers it. */

export type Answer = Pick<NclResponse, 'exit' | 'out' | 'err'>;

const LOOK_MS = 5;
const PATIENCE_MS = 30_000;
const MAX_WORDS = 256;
const NOWHERE: Origin = { channel_type: null, platform_id: null, thread_id: null };

/** `print` gets the answer before the host is told that it has arrived. Throws what the file system says. */
export async function askHost(
  paths: Pick<RunnerPaths, 'inboundDb' | 'outboundDb'>,
  argv: readonly string[],
  print: (answer: Answer) => Promise<void>,
  patienceMs = PATIENCE_MS,
): Promise<void> {
  if (argv.length > MAX_WORDS || argv.reduce((sum, word) => sum + byteLength(word), 0) > MAX_NCL_REQUEST_BYTES) {
    return print(failed('That is too long: a command has at most 64 KB, in 256 words.'));
  }
  const silent: Log = () => {};
  const inbound = new InboundReader(paths.inboundDb, silent);
  // Only what is published from now on can be the answer; of the rest, the numbers count.
  inbound.look();
  const outbound = new Outbound(paths.outboundDb, () => inbound.highestSeq, patienceMs);
  try {
    const rows = () => inbound.look()?.messages ?? [];
    if (await askThrough(outbound, rows, argv, print, patienceMs)) return;
    await print(
      failed(`The host did not answer within ${patienceMs / 1000} seconds. It may have done it all the same.`),
    );
  } finally {
    outbound.close();
  }
}

/** The same with what a process has open already. `rows`: what is published, or what is new of it. Undefined: no answer. */
export async function askThrough(
  outbound: Outbound,
  rows: () => readonly MessageInRow[],
  argv: readonly string[],
  print?: (answer: Answer) => Promise<void>,
  patienceMs = PATIENCE_MS,
): Promise<Answer | undefined> {
  const requestId = randomUUID();
  const body = { action: 'ncl' as const, requestId, argv: [...argv] };
  outbound.write((tx) => tx.message({ origin: NOWHERE, inReplyTo: null, content: { kind: 'system', body } }));
  for (const end = performance.now() + patienceMs; performance.now() < end; ) {
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    const found = answerIn(rows(), requestId);
    if (!found) continue;
    await print?.(found.answer);
    acknowledge(outbound, found.id);
    return found.answer;
  }
  return undefined;
}

/** It was read: should this fail, the host drops it a minute later, and the command itself has not failed. */
function acknowledge(outbound: Outbound, id: string): void {
  try {
    outbound.write((tx) => tx.ack(id, 'completed'));
  } catch {
    // See above.
  }
}

export function failed(sentence: string): Answer {
  return { exit: 2, out: '', err: sentence };
}

function answerIn(rows: readonly MessageInRow[], requestId: string): { id: string; answer: NclResponse } | undefined {
  for (const { id, kind, content } of rows) {
    // Most rows are messages, and long: only those that name this call are read.
    if (kind !== 'system' || !content.includes(requestId)) continue;
    const read = NclResponse.safeParse(JSON.parse(content));
    if (read.success && read.data.requestId === requestId) return { id, answer: read.data };
  }
  return undefined;
}

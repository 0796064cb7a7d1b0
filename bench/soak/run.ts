import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { startHost } from '../../test/support/host-process.ts';
import { type Delivered, type Platform, startPlatform } from '../../test/support/scripted/platform.ts';
import { createWatch, type Look } from './processes.ts';

/**
 * A real host with real sandboxes and the demo provider, and people who write without end: in each chat one message at a
 * time, the next when the answer is there, so that the latency is the host's and not that of a queue.
 */

export interface SoakOptions {
  messages: number;
  chats: number;
  /** Between an answer and the next message in a chat, in ms. */
  pauseMs?: number;
  /** No answer anywhere for so long ends the run. */
  patienceMs?: number;
  signal?: AbortSignal;
  onProgress?(so: Progress): void;
}

export interface Progress {
  answered: number;
  perSecond: number;
  sample: Sample;
}

export interface Sample extends Look {
  answered: number;
  /** Bytes. */
  sizes: { database: number; log: number; sandboxLogs: number; mailboxes: number };
}

export interface SoakResult {
  sent: number;
  answered: number;
  /** Answers beyond the first, by a platform that counts them. */
  doubled: number;
  /** Attempts that the platform had seen before. */
  repeats: number;
  /** What the central database says of the messages, by outcome; of the deliveries, by status. */
  outcomes: Record<string, number>;
  deliveries: Record<string, number>;
  seconds: number;
  /** Sent → answer at the platform, in ms, in the order of the answers. */
  latencies: Float64Array;
  samples: Sample[];
  /** Why the run ended early. */
  cut: string | undefined;
}

export const INTERRUPTED = 'it was interrupted';
const SAMPLES = 400;
/** A tool, a few rows of memory and files, a long text: the same mixture in each part of the run. */
const TEXTS: readonly (readonly [every: number, text: string])[] = [
  [400, 'run echo soak'],
  [40, 'what can you do?'],
  [10, 'count'],
];

export async function soak(options: SoakOptions): Promise<SoakResult> {
  const { messages, chats: chatCount, pauseMs = 0, patienceMs = 120_000 } = options;
  const chats = Array.from({ length: chatCount }, (_, index) => `c${index}`);
  using platform = await startPlatform();
  await using host = await startHost({ platform, chats });
  const watch = createWatch(host.process.pid ?? 0);
  const latencies = new Float64Array(messages);
  const samples: Sample[] = [];
  const waiting = new Map<string, { id: string; at: number }>();
  const answers = new Set<string>();
  let sent = 0;
  let answered = 0;
  let doubled = 0;
  let repeats = 0;
  let lastAnswer = performance.now();
  let nextSample = 0;
  let cut: string | undefined;
  const begun = performance.now();

  function next(chat: string): void {
    if (sent >= messages || cut !== undefined) return;
    sent += 1;
    const at = performance.now();
    waiting.set(chat, { id: platform.send(chat, textOf(sent)), at });
  }

  function sample(): void {
    if (samples.length % 10 === 0) watch.refresh();
    const taken = { ...watch.look(), answered, sizes: sizes(host.home) };
    samples.push(taken);
    options.onProgress?.({ answered, perSecond: answered / ((performance.now() - begun) / 1000), sample: taken });
  }

  function onDelivered(message: Delivered): void {
    if (message.progress) return;
    const open = waiting.get(message.chat);
    if (!open || answers.has(message.id)) {
      doubled += 1;
      return;
    }
    answers.add(message.id);
    waiting.delete(message.chat);
    lastAnswer = performance.now();
    latencies[answered] = lastAnswer - open.at;
    answered += 1;
    if (pauseMs > 0) setTimeout(() => next(message.chat), pauseMs);
    // After the platform's own book-keeping of this delivery.
    else setImmediate(() => next(message.chat));
    if (answered >= nextSample) {
      nextSample += Math.max(1, Math.floor(messages / SAMPLES));
      setImmediate(sample);
    }
  }

  platform.answer((message) => {
    onDelivered(message);
    return undefined;
  });
  for (const chat of chats) next(chat);
  await new Promise<void>((resolve) => {
    const timer = setInterval(() => {
      repeats += forget(platform, waiting);
      if (options.signal?.aborted) cut = INTERRUPTED;
      else if (performance.now() - lastAnswer > patienceMs) cut = `no answer for ${patienceMs / 1000} s`;
      else if (host.process.exitCode !== null || host.process.signalCode !== null) cut = 'the host ended';
      if (cut === undefined && answered < messages) return;
      clearInterval(timer);
      resolve();
    }, 50);
  });
  const seconds = (performance.now() - begun) / 1000;
  await host.end();
  return {
    ...tally(host.home),
    sent,
    answered,
    doubled,
    repeats,
    seconds,
    latencies: latencies.subarray(0, answered),
    samples,
    cut,
  };
}

function textOf(number: number): string {
  return TEXTS.find(([every]) => number % every === 0)?.[1] ?? 'ping';
}

/** This process is measured against, too: its book-keeping of what is over would grow with the run. Returns repeats. */
function forget(platform: Platform, waiting: ReadonlyMap<string, { id: string }>): number {
  const { events, delivered } = platform;
  const open = new Set([...waiting.values()].map(({ id }) => id));
  let repeats = 0;
  for (const entry of delivered.values()) repeats += entry.repeats;
  if (delivered instanceof Map) delivered.clear();
  if (events instanceof Map) for (const id of events.keys()) if (!open.has(id)) events.delete(id);
  platform.typing.length = 0;
  return repeats;
}

function tally(home: string): Pick<SoakResult, 'outcomes' | 'deliveries'> {
  const db = new DatabaseSync(join(home, 'data/v2.db'), { readOnly: true });
  const grouped = (sql: string) =>
    Object.fromEntries(
      db
        .prepare(sql)
        .all()
        .map((row) => [String(row.what), Number(row.n)]),
    );
  const outcomes = grouped(
    `SELECT ifnull(outcome, status) AS what, count(*) AS n FROM messages WHERE direction = 'in' AND kind = 'chat' GROUP BY 1`,
  );
  const deliveries = grouped('SELECT status AS what, count(*) AS n FROM deliveries GROUP BY 1');
  db.close();
  return { outcomes, deliveries };
}

function sizes(home: string): Sample['sizes'] {
  const below = (folder: string, wanted: RegExp) => {
    let bytes = 0;
    for (const entry of readdirSync(join(home, folder), { recursive: true, encoding: 'utf8' })) {
      if (wanted.test(entry)) bytes += statSync(join(home, folder, entry), { throwIfNoEntry: false })?.size ?? 0;
    }
    return bytes;
  };
  return {
    database: below('data', /^v2\.db(-wal)?$/),
    log: below('logs', /^nanoclaw\.log/),
    sandboxLogs: below('logs', /^sessions\//),
    mailboxes: below('data/v2-sessions', /(in|out)bound\.db$/),
  };
}

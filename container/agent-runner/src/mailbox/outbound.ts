import { randomUUID } from 'node:crypto';
import { statSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import {
  AckError,
  BACKGROUND,
  type ChatOut,
  DRAFT,
  faultPoint,
  isoTime,
  nextRunnerSeq,
  type Origin,
  type SystemOut,
  upgradeOutbound,
} from '@nanoclaw/protocol';
import { z } from 'zod';

/** What is known of a message that was taken up. `tries`: which try failed; null when that can't be told. */
export type Ack = { status: 'processing' } | { status: 'completed' } | { status: 'failed'; tries: number | null };

export interface NewMessage {
  /** For a message with files: they are below `outbox/<id>/` already. */
  id?: string;
  origin: Origin;
  inReplyTo: string | null;
  content: { kind: 'chat'; body: ChatOut } | { kind: 'system'; body: SystemOut };
}

/** Free pages that stay for the next rows. */
const SPARE_PAGES = 64;
const SEQ_MARK = 'highest-seq';
/** The entry for the wait for the model, among the tools. */
const MODEL = 'model';
const AckRow = z.object({
  message_id: z.string(),
  status: z.enum(['processing', 'completed', 'failed']),
  error: z.string().nullable(),
});
const Count = z.object({ n: z.number().nullable() });

/** For good: the file that this process has open has no name any more. */
export class OutboundLostError extends Error {}

export function newMessageId(): string {
  return `msg-${randomUUID()}`;
}

/** The runner's own file. Other processes of this sandbox may write to it too, so every write is one `BEGIN IMMEDIATE`. */
export class Outbound {
  readonly #db: DatabaseSync;
  readonly #highestIn: () => number;
  readonly #path: string;
  readonly #identity: string | null;

  /**
   * `highestIn`: the highest `seq` in what the host has published. `patienceMs`: for another writer's lock. Opens or makes the
   * file. Throws when it is damaged or newer than this program.
   */
  constructor(path: string, highestIn: () => number, patienceMs = 2000) {
    this.#highestIn = highestIn;
    this.#path = path;
    this.#db = new DatabaseSync(path);
    // First of all: the statements after it may already meet another writer's lock.
    this.#db.exec(`PRAGMA busy_timeout = ${patienceMs}`);
    // Rows come and go for ever: `prune` gives pages back, so that a burst doesn't leave the file near the host's size cap.
    this.#db.exec('PRAGMA auto_vacuum = INCREMENTAL');
    // DELETE: the host refuses a file with a journal beside it, and a WAL would always be there.
    this.#db.exec('PRAGMA journal_mode = DELETE');
    this.#db.exec('PRAGMA synchronous = FULL');
    upgradeOutbound(this.#db);
    this.#identity = identityOf(path);
  }

  /** Called once by a new process: drops what an earlier one held, and returns what is settled. */
  takeOver(): Map<string, Ack> {
    this.write((tx) => {
      this.#db.exec("DELETE FROM processing_ack WHERE status = 'processing'");
      tx.idle();
      tx.dropState(BACKGROUND);
    });
    const rows = z.array(AckRow).parse(this.#db.prepare('SELECT message_id, status, error FROM processing_ack').all());
    return new Map(rows.map((row) => [row.message_id, readAck(row)]));
  }

  state(key: string): string | undefined {
    const row = this.#db.prepare('SELECT value FROM session_state WHERE key = ?').get(key);
    return z.object({ value: z.string() }).optional().parse(row)?.value;
  }

  /** Size of the file in bytes. */
  bytes(): number {
    return this.#number('SELECT page_count * page_size AS n FROM pragma_page_count, pragma_page_size');
  }

  /** SQLite would write on into a file that nobody can reach any more. */
  mustBeThere(): void {
    if (identityOf(this.#path) !== this.#identity) throw new OutboundLostError('outbound.db was deleted or replaced');
  }

  write<T>(work: (tx: OutboundTx) => T): T {
    this.mustBeThere();
    this.#db.exec('BEGIN IMMEDIATE');
    try {
      const result = work(new OutboundTx(this.#db, (received) => this.#nextSeq(received)));
      this.#db.exec('COMMIT');
      return result;
    } catch (error) {
      try {
        this.#db.exec('ROLLBACK');
      } catch {
        // SQLite has rolled back by itself (full disk, I/O error); what counts is the first error.
      }
      throw error;
    }
  }

  /**
   * Deletes what the host has taken over: messages up to `received`, and acknowledgements of messages that it no longer
   * publishes. Returns the ids of the latter. Costs a transaction only when there is something.
   */
  prune(received: number, isNeeded: (messageId: string) => boolean): string[] {
    const old = z
      .array(z.object({ message_id: z.string() }))
      .parse(this.#db.prepare('SELECT message_id FROM processing_ack').all())
      .map((row) => row.message_id)
      .filter((id) => !isNeeded(id));
    if (old.length === 0 && this.#number('SELECT min(seq) AS n FROM messages_out', received + 1) > received) return [];
    this.write(() => {
      this.#db.prepare('DELETE FROM messages_out WHERE seq <= ?').run(received);
      const remove = this.#db.prepare('DELETE FROM processing_ack WHERE message_id = ?');
      for (const id of old) remove.run(id);
      faultPoint('runner.pruning');
    });
    if (this.#number('SELECT freelist_count AS n FROM pragma_freelist_count') > SPARE_PAGES) {
      this.#db.exec('PRAGMA incremental_vacuum');
    }
    return old;
  }

  close(): void {
    this.#db.close();
  }

  #nextSeq(mark: number): number {
    return nextRunnerSeq(this.#highestIn(), Math.max(mark, this.#number('SELECT max(seq) AS n FROM messages_out')));
  }

  #number(sql: string, absent = 0): number {
    return Count.parse(this.#db.prepare(sql).get()).n ?? absent;
  }
}

function identityOf(path: string): string | null {
  const found = statSync(path, { throwIfNoEntry: false });
  return found ? `${found.dev}:${found.ino}` : null;
}

function readAck(row: z.infer<typeof AckRow>): Ack {
  if (row.status !== 'failed') return { status: row.status };
  try {
    return { status: 'failed', tries: AckError.parse(JSON.parse(row.error ?? '')).tries };
  } catch {
    return { status: 'failed', tries: null };
  }
}

/** What can be written within one transaction. */
export class OutboundTx {
  readonly #db: DatabaseSync;
  readonly #nextSeq: (mark: number) => number;
  readonly #now = isoTime(Date.now());

  constructor(db: DatabaseSync, nextSeq: (mark: number) => number) {
    this.#db = db;
    this.#nextSeq = nextSeq;
  }

  message({ id = newMessageId(), origin, inReplyTo, content }: NewMessage): string {
    const seq = this.#nextSeq(this.#mark());
    this.#raiseSeq(seq);
    this.#db
      .prepare('INSERT INTO messages_out VALUES (?, ?, ?, ?, NULL, ?, ?, ?, ?, ?)')
      .run(
        id,
        seq,
        inReplyTo,
        this.#now,
        content.kind,
        origin.platform_id,
        origin.channel_type,
        origin.thread_id,
        JSON.stringify(content.body),
      );
    return id;
  }

  ack(messageId: string, status: 'processing' | 'completed'): void {
    this.#ack(messageId, status, null);
  }

  fail(messageId: string, error: AckError): void {
    this.#ack(messageId, 'failed', JSON.stringify(error));
  }

  setState(key: string, value: string): void {
    this.#db.prepare('INSERT OR REPLACE INTO session_state VALUES (?, ?, ?)').run(key, value, this.#now);
  }

  dropState(key: string): void {
    this.#db.prepare('DELETE FROM session_state WHERE key = ?').run(key);
  }

  /**
   * A turn runs; called again in the course of it, this shows that it goes on. `silenceMs`: how long the wait for the model
   * may be; null when the provider has not said.
   */
  inTurn(silenceMs: number | null): void {
    this.#db.prepare("INSERT OR REPLACE INTO container_state VALUES (1, 'turn', ?)").run(this.#now);
    this.#waitsForModel(silenceMs);
  }

  idle(): void {
    this.#db.prepare("INSERT OR REPLACE INTO container_state VALUES (1, 'idle', ?)").run(this.#now);
    this.#db.exec('DELETE FROM tools_in_flight');
    this.dropState(DRAFT);
  }

  toolStarted(id: string, tool: string, declaredTimeoutMs: number | null): void {
    this.#db
      .prepare('INSERT OR REPLACE INTO tools_in_flight VALUES (?, ?, ?, ?)')
      .run(id, tool, this.#now, declaredTimeoutMs);
    if (id !== MODEL) this.toolEnded(MODEL, null);
  }

  toolEnded(id: string, silenceMs: number | null): void {
    this.#db.prepare('DELETE FROM tools_in_flight WHERE id = ?').run(id);
    this.#waitsForModel(silenceMs);
  }

  /** In a turn in which no tool runs, what is waited for is the model. */
  #waitsForModel(silenceMs: number | null): void {
    const { n } = Count.parse(this.#db.prepare('SELECT count(*) AS n FROM tools_in_flight WHERE id <> ?').get(MODEL));
    if (n === 0 && silenceMs !== null) this.toolStarted(MODEL, MODEL, silenceMs);
  }

  /** Outlives the rows themselves: a delivered row is deleted, its number is never given again. */
  #raiseSeq(seq: number): void {
    if (seq > this.#mark()) this.setState(SEQ_MARK, String(seq));
  }

  #mark(): number {
    const row = this.#db.prepare('SELECT value FROM session_state WHERE key = ?').get(SEQ_MARK);
    const mark = Number(z.object({ value: z.string() }).optional().parse(row)?.value ?? 0);
    return Number.isSafeInteger(mark) ? mark : 0;
  }

  #ack(messageId: string, status: string, error: string | null): void {
    this.#db
      .prepare('INSERT OR REPLACE INTO processing_ack VALUES (?, ?, ?, ?)')
      .run(messageId, status, this.#now, error);
  }
}

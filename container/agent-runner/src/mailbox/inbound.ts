import { readFileSync, statSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import {
  type DeliveredRow,
  type DestinationRow,
  INBOUND_VERSION,
  type MessageInRow,
  NewerMailboxError,
  type Origin,
} from '@nanoclaw/protocol';
import { z } from 'zod';
import type { Log } from '../log.ts';
import { errorText } from '../log.ts';

/** What the host last published. */
export interface Inbound {
  /** In the order of `seq`; unsettled ones and context. */
  messages: readonly MessageInRow[];
  destinations: readonly DestinationRow[];
  /** What became of what was said lately. */
  delivered: readonly DeliveredRow[];
  /** Where a message goes that belongs to no turn. */
  routing: Origin | null;
  /** The host has every outbound row up to this `seq`. */
  received: number;
}

const nullable = z.string().nullable();
const Message = z.object({
  id: z.string(),
  seq: z.number().int(),
  kind: z.enum(['chat', 'chat-sdk', 'task', 'webhook', 'system']),
  timestamp: z.string(),
  status: z.enum(['pending', 'paused']),
  process_after: nullable,
  tries: z.number().int().nonnegative(),
  trigger: z.union([z.literal(0), z.literal(1)]),
  on_wake: z.union([z.literal(0), z.literal(1)]),
  platform_id: nullable,
  channel_type: nullable,
  thread_id: nullable,
  content: z.string(),
  source_session_id: nullable,
});
const Destination = z.object({
  name: z.string(),
  display_name: nullable,
  type: z.enum(['channel', 'agent']),
  channel_type: nullable,
  platform_id: nullable,
  agent_group_id: nullable,
});
const Delivered = z.object({
  message_out_id: z.string(),
  status: z.enum(['delivered', 'failed']),
  platform_message_id: nullable,
  error: nullable,
  at: z.string(),
});
const Routing = z.object({ channel_type: nullable, platform_id: nullable, thread_id: nullable });

/**
 * Looks at `inbound.db`. A look is one `stat`; the file is read, whole and into memory, only when another has been put in
 * its place. So no lock of ours is ever on the host's file.
 */
export class InboundReader {
  readonly #path: string;
  readonly #log: Log;
  #seen = '';
  /** The highest `seq` of either side in anything published so far. */
  highestSeq = 0;

  constructor(path: string, log: Log) {
    this.#path = path;
    this.#log = log;
  }

  /** What has been published since the last look; null when nothing has, or when it can't be read. */
  look(): Inbound | null {
    const stat = statSync(this.#path, { bigint: true, throwIfNoEntry: false });
    if (!stat) return null;
    const mark = `${stat.ino}:${stat.mtimeNs}:${stat.size}`;
    if (mark === this.#seen) return null;
    this.#seen = mark;
    try {
      return this.#read();
    } catch (error) {
      // A published file never changes, so only the next one is worth another try.
      this.#log('error', 'inbound-unreadable', { error: errorText(error) });
      return null;
    }
  }

  #read(): Inbound {
    const db = new DatabaseSync(':memory:');
    try {
      db.deserialize(readFileSync(this.#path));
      const { user_version: version } = z
        .object({ user_version: z.number() })
        .parse(db.prepare('PRAGMA user_version').get());
      if (version > INBOUND_VERSION) throw new NewerMailboxError(version, INBOUND_VERSION);
      const rows = (sql: string) => db.prepare(sql).all();
      const messages = this.#keep(Message, rows('SELECT * FROM messages_in ORDER BY seq'));
      const received = this.#keep(z.object({ seq: z.number().int() }), rows('SELECT seq FROM received'))[0]?.seq ?? 0;
      // Ours count too: the host has no use for a number that it has had, even when the file that held it is lost.
      this.highestSeq = Math.max(this.highestSeq, received, messages.at(-1)?.seq ?? 0);
      const routing = this.#keep(Routing, rows('SELECT * FROM session_routing'))[0];
      return {
        messages,
        destinations: this.#keep(Destination, rows('SELECT * FROM destinations ORDER BY name')),
        delivered: this.#keep(Delivered, rows('SELECT * FROM delivered')),
        routing: routing && routing.platform_id !== null ? routing : null,
        received,
      };
    } finally {
      db.close();
    }
  }

  /** A row that breaks its shape costs itself, never the others. */
  #keep<T>(schema: z.ZodType<T>, rows: readonly unknown[]): T[] {
    return rows.flatMap((row) => {
      const read = schema.safeParse(row);
      if (read.success) return [read.data];
      this.#log('error', 'inbound-row-invalid', { error: errorText(read.error) });
      return [];
    });
  }
}

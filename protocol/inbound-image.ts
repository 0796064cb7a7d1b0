import { DatabaseSync } from 'node:sqlite';
import type { DeliveredRow, DestinationRow, MessageInRow, Origin } from './rows.ts';
import { upgradeInbound } from './upgrade.ts';

/** Everything that an `inbound.db` says. */
export interface InboundImage {
  /** What is unsettled, and the newest context. */
  messages: readonly MessageInRow[];
  delivered: readonly DeliveredRow[];
  /** The host has every outbound row up to here; the runner may delete those. */
  receivedSeq: number;
  destinations: readonly DestinationRow[];
  /** Where a reply goes by default. */
  routing: Origin;
}

/** The bytes of an `inbound.db` with this in it, built in memory. */
export function buildInbound(image: InboundImage): Uint8Array {
  const db = new DatabaseSync(':memory:');
  try {
    empty ??= emptyInbound();
    db.deserialize(empty);
    db.exec('BEGIN');
    insert(db, 'messages_in', MESSAGE_COLUMNS, image.messages);
    insert(db, 'delivered', DELIVERED_COLUMNS, image.delivered);
    insert(db, 'destinations', DESTINATION_COLUMNS, image.destinations);
    db.prepare('INSERT INTO received (id, seq) VALUES (1, ?)').run(image.receivedSeq);
    insert(db, 'session_routing', ROUTING_COLUMNS, [{ id: 1, ...image.routing }]);
    db.exec('COMMIT');
    return db.serialize();
  } finally {
    db.close();
  }
}

const MESSAGE_COLUMNS = [
  'id',
  'seq',
  'kind',
  'timestamp',
  'status',
  'process_after',
  'tries',
  'trigger',
  'on_wake',
  'platform_id',
  'channel_type',
  'thread_id',
  'content',
  'source_session_id',
] as const;
const DELIVERED_COLUMNS = ['message_out_id', 'status', 'platform_message_id', 'error', 'at'] as const;
const DESTINATION_COLUMNS = ['name', 'display_name', 'type', 'channel_type', 'platform_id', 'agent_group_id'] as const;
const ROUTING_COLUMNS = ['id', 'channel_type', 'platform_id', 'thread_id'] as const;

/** Kept, since running the DDL costs more than everything else here. */
let empty: Uint8Array | undefined;

function emptyInbound(): Uint8Array {
  const db = new DatabaseSync(':memory:');
  try {
    upgradeInbound(db);
    return db.serialize();
  } finally {
    db.close();
  }
}

function insert<Column extends string>(
  db: DatabaseSync,
  table: string,
  columns: readonly Column[],
  rows: readonly Readonly<Record<Column, string | number | null>>[],
): void {
  if (rows.length === 0) return;
  const statement = db.prepare(
    `INSERT INTO ${table} (${columns.join(', ')}) VALUES (${columns.map(() => '?').join(', ')})`,
  );
  for (const row of rows) statement.run(...columns.map((column) => row[column]));
}

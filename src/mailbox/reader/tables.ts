import { constants, DatabaseSync } from 'node:sqlite';
import { MAX_CONTENT_BYTES } from '@nanoclaw/protocol/limits.ts';
import { OUTBOUND_SCHEMA } from '@nanoclaw/protocol/schema.ts';
import { catalogAt, OUTBOUND_STEPS, readCatalog } from '@nanoclaw/protocol/upgrade.ts';

type Value = string | number | null;
type Row = Record<string, Value>;

/** Rows as they lie in the file: of plain types and bounded size. What they mean is checked on the other side. */
export interface RawSnapshot {
  messages: Row[];
  acks: Row[];
  phase: Row | null;
  tools: Row[];
  more: boolean;
  draft?: Value;
  background?: Value;
}

const MAX_MESSAGES = 100;
/** One row may go beyond. */
const MAX_ROW_BYTES = 1024 * 1024;
const MAX_ACKS = 1000;
const MAX_TOOLS = 200;
const LEAF_TABLE_PAGE = 0x0d;
const MAX_SCHEMA_ENTRIES = 64;

const LIMITS = {
  length: MAX_CONTENT_BYTES + 64 * 1024,
  sqlLength: 20_000,
  column: 64,
  exprDepth: 20,
  compoundSelect: 2,
  vdbeOp: 5000,
  functionArg: 4,
  attach: 0,
  likePatternLength: 100,
  variableNumber: 8,
  triggerDepth: 1,
};

/**
 * Reads the tables of an agent's file from a copy in memory. `whole`: looks at every page first, also at those that only a
 * writer meets. Whatever it throws is the file's fault.
 */
export function readTables(bytes: Buffer, afterSeq: number, { whole = false } = {}): RawSnapshot | null {
  const version = bytes.readUInt32BE(60);
  if (version > OUTBOUND_STEPS.length) throw new Error(`version ${version} is not known`);
  // SQLite parses the whole schema before the first query: one page of it is harmless, a tree of pages is not.
  if (bytes[100] !== LEAF_TABLE_PAGE || bytes.readUInt16BE(103) > MAX_SCHEMA_ENTRIES) {
    throw new Error('the schema is too large');
  }
  const db = new DatabaseSync(':memory:', { limits: LIMITS, allowExtension: false, readBigInts: true });
  try {
    db.deserialize(bytes);
    db.exec('PRAGMA trusted_schema = off; PRAGMA cell_size_check = on');
    db.setAuthorizer(authorize);
    if (readCatalog(db).join('\n') !== expectedCatalog(version)) throw new Error('the schema is not a released one');
    if (whole) checkPages(db);
    // A file that its writer has made, and not yet filled.
    if (version === 0) return null;
    const messages = db.prepare(`SELECT id, seq, in_reply_to, timestamp, deliver_after, kind, platform_id, channel_type,
      thread_id, content FROM messages_out WHERE seq > ? ORDER BY seq LIMIT ${MAX_MESSAGES + 1}`);
    const page = take(messages.iterate(BigInt(afterSeq)), MAX_MESSAGES);
    // The newest, should there be too many: the older ones have been seen before.
    const acks = db.prepare(`SELECT message_id, status, status_changed, error FROM processing_ack
      ORDER BY rowid DESC LIMIT ${MAX_ACKS}`);
    const phase = db.prepare('SELECT phase, updated_at FROM container_state WHERE id = 1');
    const tools = db.prepare(
      `SELECT id, tool, started_at, declared_timeout_ms FROM tools_in_flight LIMIT ${MAX_TOOLS}`,
    );
    const state = db.prepare("SELECT key, value FROM session_state WHERE key IN ('draft', 'background') LIMIT 2");
    return {
      ...Object.fromEntries(take(state.iterate(), 2).rows.map(({ key, value }) => [key, value])),
      messages: page.rows,
      acks: take(acks.iterate(), MAX_ACKS).rows,
      phase: take(phase.iterate(), 1).rows[0] ?? null,
      tools: take(tools.iterate(), MAX_TOOLS).rows,
      more: page.more,
    };
  } finally {
    db.close();
  }
}

/** With a released schema there is nothing in it that could ask for more than the check itself. */
function checkPages(db: DatabaseSync): void {
  db.setAuthorizer(null);
  const found = db.prepare('PRAGMA integrity_check(1)').get();
  db.setAuthorizer(authorize);
  if (found?.integrity_check !== 'ok') throw new Error(`it is damaged: ${found?.integrity_check}`);
}

const catalogs = new Map<number, string>();

function expectedCatalog(version: number): string {
  const known = catalogs.get(version) ?? catalogAt(version, OUTBOUND_STEPS).join('\n');
  catalogs.set(version, known);
  return known;
}

/** Only reading known columns: no function, no recursion, nothing that a view or a trigger asks for. */
function authorize(
  action: number,
  table: string | null,
  _column: string | null,
  _db: string | null,
  inner: string | null,
) {
  if (inner !== null) return constants.SQLITE_DENY;
  if (action === constants.SQLITE_SELECT) return constants.SQLITE_OK;
  if (action !== constants.SQLITE_READ || table === null) return constants.SQLITE_DENY;
  const known = table === 'sqlite_master' || table === 'sqlite_schema' || Object.hasOwn(OUTBOUND_SCHEMA, table);
  return known ? constants.SQLITE_OK : constants.SQLITE_DENY;
}

/** The first rows, up to a count and a size; a damaged tree can yield rows without end. */
function take(rows: Iterable<Record<string, unknown>>, count: number): { rows: Row[]; more: boolean } {
  const taken: Row[] = [];
  let size = 0;
  for (const row of rows) {
    if (taken.length === count || size > MAX_ROW_BYTES) return { rows: taken, more: true };
    const plain: Row = {};
    for (const [column, value] of Object.entries(row)) {
      plain[column] = plainValue(value);
      size += typeof value === 'string' ? value.length : 8;
    }
    taken.push(plain);
  }
  return { rows: taken, more: false };
}

function plainValue(value: unknown): Value {
  if (value === null || typeof value === 'string') return value;
  if (typeof value === 'bigint' && Number.isSafeInteger(Number(value))) return Number(value);
  throw new Error(typeof value === 'bigint' ? 'a number is too large' : 'a value has the wrong type');
}

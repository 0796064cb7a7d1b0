import type { DatabaseSync } from 'node:sqlite';
import { z } from 'zod';
import { keyOf, keysOf, type Place } from '../places.ts';
import { COLUMNS, StoredRow, saidIn } from '../said.ts';
import { excerpt, type Wanted } from '../words.ts';
import { firstDoc, SAID_BY_AGENT } from './take-in.ts';

/**
 * A search. The index only says which messages may be meant: each is read again in the central database, and is found only if
 * it is to be seen as it is there now.
 */

const PlaceKey = z.custom<Place>((value) => z.array(z.string()).min(1).max(4).safeParse(value).success);

export const Question = z.object({
  wanted: z.array(z.object({ words: z.array(z.string()).min(1).readonly(), isBeginning: z.boolean() })).readonly(),
  /** Words of a name or of an id, or what the agent itself has said. */
  sender: z.union([z.array(z.string()).min(1).readonly(), z.literal('agent')]).optional(),
  /** In ms since the epoch. */
  from: z.number().optional(),
  to: z.number().optional(),
  within: z.object({ places: z.array(PlaceKey).nullable(), forgotten: z.boolean() }),
  limit: z.number(),
});
export type Question = z.infer<typeof Question>;

export const Hit = z.object({
  id: z.string(),
  at: z.number(),
  /** Null: the agent. */
  sender: z.string().nullable(),
  agentGroupId: z.string(),
  agent: z.string(),
  chat: z.string(),
  threadId: z.string().nullable(),
  text: z.string(),
});
export type Hit = z.infer<typeof Hit>;

export interface Found {
  hits: Hit[];
  more: boolean;
}

/** Of so many places the agents' own stand for all of them; what is none of theirs is sorted out afterwards. */
const MOST_PLACES = 64;
const PATIENCE_MS = 5_000;
/** Messages looked through at once, of a time long ago: at first, at most, and for how few of them there are more the next time. */
const PIECE = 5_000;
const MOST_PIECE = 160_000;
const FEW = 200;
/** In the year 5138; the number of a message stays one that JavaScript knows. */
export const LAST_MS = 100_000_000_000_000;

const Checked = StoredRow.extend({
  status: z.string(),
  outcome: z.string().nullable(),
  session_status: z.string(),
  delivery: z.string().nullable(),
  agent: z.string(),
  chat: z.string().nullable(),
});
type Checked = z.infer<typeof Checked>;

export function createFind(central: DatabaseSync, index: DatabaseSync): (question: Question) => Found {
  const matching = 'SELECT rowid AS doc FROM words WHERE words MATCH ? AND rowid BETWEEN ? AND ? ORDER BY rowid';
  const newestFirst = index.prepare(`${matching} DESC`);
  const oldestFirst = index.prepare(matching);
  const oldest = index.prepare('SELECT min(doc) AS doc FROM docs');
  const before = index.prepare('SELECT doc FROM docs WHERE doc <= ? ORDER BY doc DESC LIMIT 1 OFFSET ?');
  const idOf = index.prepare('SELECT id FROM docs WHERE doc = ?');
  const placeOf = index.prepare('SELECT id FROM places WHERE key = ?');
  const replacer = index.prepare('SELECT by_id FROM replaced WHERE id = ?');
  const read = central.prepare(
    `SELECT ${COLUMNS}, m.status, m.outcome, s.status AS session_status, d.status AS delivery, c.assistant_name AS agent,
       ifnull(g.name, g.channel_type || '/' || g.platform_id) AS chat
     FROM messages m JOIN sessions s ON s.id = m.session_id JOIN container_configs c ON c.agent_group_id = s.agent_group_id
     LEFT JOIN deliveries d ON d.message_id = m.id
     LEFT JOIN messaging_groups g ON g.channel_type = m.channel_type AND g.platform_id = m.platform_id WHERE m.id = ?`,
  );
  const delivered = central.prepare("SELECT 1 FROM deliveries WHERE message_id = ? AND status = 'sent'");

  function match({ wanted, sender, within }: Question): string | undefined {
    const places = within.places === null ? ['all'] : tokensOf(within.places);
    if (places.length === 0) return undefined;
    const who = sender === 'agent' ? [SAID_BY_AGENT] : sender;
    return [
      `place : (${places.map((token) => `"${token}"`).join(' OR ')})`,
      ...(who ? [`who : ${phrase({ words: who, isBeginning: false })}`] : []),
      ...wanted.map((one) => `text : ${phrase(one)}`),
    ].join(' AND ');
  }

  function tokensOf(places: readonly Place[]): string[] {
    const keys = places.length > MOST_PLACES ? places.map(([agent]) => keyOf([agent])) : places.map(keyOf);
    return [...new Set(keys)].flatMap((key) => {
      const id = placeOf.get(key)?.id;
      return id === undefined ? [] : [`p${id}`];
    });
  }

  /** The newest first. Backwards, FTS5 walks through all that is newer; forwards it jumps, so that a time long ago is read in pieces. */
  function* docs(expression: string, { from = 0, to }: Question): Generator<number> {
    const first = Math.max(firstDoc(from), Number(oldest.get()?.doc ?? 0));
    if (to === undefined) {
      for (const { doc } of newestFirst.iterate(expression, first, firstDoc(LAST_MS))) yield Number(doc);
      return;
    }
    let last = firstDoc(to + 1_000) - 1;
    for (let size = PIECE; last >= first; ) {
      const begin = Math.max(first, Number(before.get(last, size)?.doc ?? 0));
      const found = oldestFirst.all(expression, begin, last);
      for (const { doc } of found.reverse()) yield Number(doc);
      last = begin - 1;
      if (found.length < FEW) size = Math.min(2 * size, MOST_PIECE);
    }
  }

  /** As people see it now: neither what waits to be read or sent, nor what was refused, taken back or replaced. */
  function isSeen(row: Checked, { within }: Question): boolean {
    if (row.session_status !== 'active' && !within.forgotten) return false;
    if (within.places && !keysOf(row).some((key) => keys(within.places ?? []).has(key))) return false;
    if (row.direction === 'in')
      return (row.status === 'completed' || row.status === 'failed') && row.outcome !== 'withdrawn';
    const by = replacer.get(row.id)?.by_id;
    return row.delivery === 'sent' && !(typeof by === 'string' && delivered.get(by));
  }

  return (question) => {
    const expression = match(question);
    if (expression === undefined) return { hits: [], more: false };
    const { from = 0, to = LAST_MS, wanted, limit } = question;
    const end = performance.now() + PATIENCE_MS;
    const hits: Hit[] = [];
    for (const doc of docs(expression, question)) {
      const id = idOf.get(doc)?.id;
      const row = read.all(String(id)).map((found) => Checked.parse(found))[0];
      const said = row && isSeen(row, question) ? saidIn(row) : undefined;
      // The index knows seconds.
      if (row && said && said.at >= from && said.at <= to) {
        if (hits.length === limit) return { hits, more: true };
        hits.push({
          id: row.id,
          at: said.at,
          sender: said.sender,
          agentGroupId: row.agent_group_id,
          agent: row.agent,
          chat: row.chat ?? [row.channel_type, row.platform_id].join('/'),
          threadId: row.thread_id,
          text: excerpt(said.text, wanted),
        });
      }
      if (performance.now() > end) return { hits, more: true };
    }
    return { hits, more: false };
  };
}

const known = new WeakMap<readonly Place[], ReadonlySet<string>>();

function keys(places: readonly Place[]): ReadonlySet<string> {
  const set = known.get(places) ?? new Set(places.map(keyOf));
  known.set(places, set);
  return set;
}

/** Words have nothing but letters, digits and pictures in them: nothing here is an operator. */
function phrase({ words, isBeginning }: Wanted): string {
  return `"${words.join(' ').replaceAll('"', '')}"${isBeginning ? ' *' : ''}`;
}

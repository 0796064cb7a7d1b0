import type { DatabaseSync } from 'node:sqlite';
import { transaction } from '../../../src/db/group-commit.ts';
import { keysOf } from '../places.ts';
import { COLUMNS, type Said, StoredRow, saidIn } from '../said.ts';
import { folded } from '../words.ts';

/** From the central database into the index, in small steps: what came since, and what was changed or is gone. */

export interface TakeIn {
  /** A step; true when nothing is left. */
  step(): boolean;
  state(): State;
  /** A step of ridding the file of the words of what is gone; true when nothing is left of that, or it isn't its time. */
  tidy(now: number): boolean;
}

export interface State {
  /** Up to here history_changes needn't be kept. */
  changes: number;
  /** Words of what is gone are still in the file. */
  isUntidy: boolean;
}

export interface Counts {
  rows: number;
  /** Of what was said in a step, unless one message alone has more: a process with little memory reads it. */
  chars: number;
  marks: number;
}

const COUNTS: Counts = { rows: 5_000, chars: 4_000_000, marks: 100 };
/** Within a second. */
const DOCS = 65_536;
export const SAID_BY_AGENT = '·agent';
const TIDY_EVERY_MS = 20 * 3_600_000;
/** Written in one step of it. */
const TIDY_PAGES = 500;

export function firstDoc(at: number): number {
  return Math.floor(Math.max(0, at) / 1000) * DOCS;
}

/** `central` is only read. */
export function createTakeIn(central: DatabaseSync, index: DatabaseSync, counts = COUNTS): TakeIn {
  const from = 'FROM messages m JOIN sessions s ON s.id = m.session_id';
  const walk = central.prepare(
    `SELECT m.rowid AS row, ${COLUMNS} ${from} WHERE m.rowid > ? AND m.kind <> 'system' ORDER BY m.rowid LIMIT ?`,
  );
  const byId = central.prepare(`SELECT ${COLUMNS} ${from} WHERE m.id = ?`);
  const rowOf = central.prepare('SELECT rowid AS row FROM messages WHERE id = ?');
  const newest = central.prepare('SELECT rowid AS row, id FROM messages ORDER BY rowid DESC LIMIT 1');
  const changed = central.prepare('SELECT seq, message_id FROM history_changes WHERE seq > ? ORDER BY seq LIMIT ?');
  const changes = central.prepare(
    `SELECT ifnull((SELECT seq FROM sqlite_sequence WHERE name = 'history_changes'), 0) AS last,
       (SELECT min(seq) FROM history_changes) AS first`,
  );
  const own = central.prepare(
    `SELECT id FROM messages WHERE session_id = ?1 AND direction = 'out' AND (id = ?1 || '.' || ?2 OR seq = ?3)`,
  );

  const docOf = index.prepare('SELECT doc FROM docs WHERE id = ?');
  const lastDoc = index.prepare('SELECT max(doc) AS doc FROM docs WHERE doc BETWEEN ? AND ?');
  const addDoc = index.prepare('INSERT INTO docs (doc, id) VALUES (?, ?)');
  const addWords = index.prepare('INSERT INTO words (rowid, text, who, place) VALUES (?, ?, ?, ?)');
  const dropDoc = index.prepare('DELETE FROM docs WHERE doc = ?');
  const dropWords = index.prepare('DELETE FROM words WHERE rowid = ?');
  const placeOf = index.prepare('SELECT id FROM places WHERE key = ?');
  const addPlace = index.prepare('INSERT INTO places (key) VALUES (?)');
  const replace = index.prepare(
    'INSERT INTO replaced VALUES (?1, ?2) ON CONFLICT DO UPDATE SET by_id = excluded.by_id RETURNING id',
  );
  const replacer = index.prepare('SELECT by_id FROM replaced WHERE id = ?');
  const marks = index.prepare('SELECT id FROM marks ORDER BY at DESC');
  const addMark = index.prepare('INSERT INTO marks (id) VALUES (?)');
  const dropMarks = index.prepare('DELETE FROM marks WHERE at <= (SELECT max(at) FROM marks) - ?');
  const progress = index.prepare('SELECT changes, removed, tidied_at FROM progress');
  const begin = index.prepare('INSERT INTO progress (id, changes, removed) VALUES (1, ?, ?)');
  const advance = index.prepare('UPDATE progress SET changes = ?, removed = removed + ?');
  const merge = index.prepare("INSERT INTO words (words, rank) VALUES ('merge', ?)");
  const written = index.prepare('SELECT total_changes() AS n');
  const tidied = index.prepare('UPDATE progress SET removed = max(0, removed - ?), tidied_at = ?');

  /** So many were gone when it began to tidy. */
  let tidying: number | undefined;

  function placeToken(key: string): string {
    return `p${placeOf.get(key)?.id ?? addPlace.run(key).lastInsertRowid}`;
  }

  function freeDoc(at: number): number {
    const first = firstDoc(at);
    const last = lastDoc.get(first, first + DOCS - 1)?.doc;
    const next = typeof last === 'number' ? last + 1 : first;
    // So many in one second that some are put into the next.
    return next < first + DOCS ? next : freeDoc(at + 1000);
  }

  function add(row: StoredRow, said: Said): void {
    if (said.instead !== undefined) noteReplaced(row, said.instead);
    const doc = freeDoc(said.at);
    const who = said.sender === null ? SAID_BY_AGENT : folded(`${said.sender} ${row.user_id ?? ''}`);
    addDoc.run(doc, row.id);
    addWords.run(doc, folded(said.text), who, ['all', ...keysOf(row).map(placeToken)].join(' '));
  }

  function noteReplaced(row: StoredRow, named: string): void {
    const seq = /^\d{1,15}$/.test(named) ? Number(named) : null;
    const id = own.get(row.session_id, named, seq)?.id;
    if (typeof id !== 'string' || id === row.id) return;
    const before = replacer.get(id)?.by_id;
    if (typeof before === 'string' && before !== row.id) replace.get(before, row.id);
    replace.get(id, row.id);
  }

  function remove(id: string): boolean {
    const doc = docOf.get(id)?.doc;
    if (typeof doc !== 'number') return false;
    dropWords.run(doc);
    dropDoc.run(doc);
    return true;
  }

  /** In the order of their numbers: the index is written once for as many as come in order. */
  function addAll(rows: readonly StoredRow[]): void {
    const said = rows.flatMap((row) => {
      const what = docOf.get(row.id) === undefined ? saidIn(row) : undefined;
      return what && what.text !== '' ? [{ row, what }] : [];
    });
    said.sort((a, b) => a.what.at - b.what.at);
    for (const { row, what } of said) add(row, what);
  }

  function takeChanges(): boolean {
    const seen = new Set<string>();
    let upTo: number | undefined;
    function* current() {
      for (const { seq, message_id } of changed.all(Number(progress.get()?.changes), counts.rows)) {
        upTo = Number(seq);
        const id = String(message_id);
        if (seen.has(id)) continue;
        seen.add(id);
        yield* byId.all(id);
      }
    }
    const { rows } = some(current());
    if (upTo === undefined) return false;
    const removed = [...seen].filter(remove).length;
    addAll(rows);
    advance.run(upTo, removed);
    return true;
  }

  /** So many as are read in one step; `isAll`: there were no more. */
  function some(found: Iterable<unknown>): { rows: StoredRow[]; isAll: boolean } {
    const rows: StoredRow[] = [];
    let chars = 0;
    for (const one of found) {
      const row = StoredRow.parse(one);
      rows.push(row);
      chars += row.content.length;
      if (rows.length === counts.rows || chars > counts.chars) return { rows, isAll: false };
    }
    return { rows, isAll: true };
  }

  /** The number that the newest message has now that was read and is still there. */
  function readUpTo(): number {
    for (const { id } of marks.iterate()) {
      const row = rowOf.get(String(id))?.row;
      if (typeof row === 'number') return row;
    }
    return 0;
  }

  function takeNew(): boolean {
    const last = newest.get();
    const up = readUpTo();
    if (!last || Number(last.row) <= up) return false;
    const { rows, isAll } = some(walk.iterate(up, counts.rows));
    addAll(rows);
    const end = isAll ? String(last.id) : rows.at(-1)?.id;
    if (end !== undefined) addMark.run(end);
    dropMarks.run(counts.marks);
    return true;
  }

  /** A file that was made of another database or of a newer state of this one, or from before what isn't kept any more. */
  function isForeign(): boolean {
    const known = progress.get();
    if (known === undefined) return false;
    const { last, first } = changes.get() ?? {};
    const next = Number(known.changes) + 1;
    return next > Number(last) + 1 || next < Number(first ?? Number(last) + 1);
  }

  function startAnew(): void {
    index.exec(
      `INSERT INTO words (words) VALUES ('delete-all'); DELETE FROM docs; DELETE FROM places; DELETE FROM replaced;
       DELETE FROM marks; DELETE FROM progress`,
    );
  }

  return {
    step: () =>
      transaction(index, () => {
        const isLost = readUpTo() === 0 && docExists();
        const isAnew = isForeign() || isLost;
        if (isAnew) startAnew();
        if (!progress.get()) begin.run(Number(changes.get()?.last), isAnew ? 1 : 0);
        return !takeChanges() && !takeNew();
      }),
    state() {
      const { changes = 0, removed = 0 } = progress.get() ?? {};
      return { changes: Number(changes), isUntidy: Number(removed) > 0 };
    },
    tidy(now) {
      const { removed = 0, tidied_at = 0 } = progress.get() ?? {};
      if (tidying === undefined && (Number(removed) === 0 || Math.abs(now - Number(tidied_at)) < TIDY_EVERY_MS))
        return true;
      const before = Number(written.get()?.n);
      // Less than zero begins to put all into one piece, more goes on with it; when that is done, it writes nothing.
      merge.run(tidying === undefined ? -TIDY_PAGES : TIDY_PAGES);
      tidying ??= Number(removed);
      if (Number(written.get()?.n) - before > 1) return false;
      tidied.run(tidying, now);
      tidying = undefined;
      index.exec('PRAGMA wal_checkpoint(TRUNCATE)');
      return true;
    },
  };

  /** With none of its marks left, nobody knows how far it was read. */
  function docExists(): boolean {
    return index.prepare('SELECT 1 FROM docs LIMIT 1').get() !== undefined;
  }
}

import type { SQLInputValue, SQLOutputValue, StatementSync } from 'node:sqlite';
import type { HostView, LookupTools, Result } from '../../admin/view.ts';
import { type Column, KINDS, type Kind, type ListKind, type RefKind } from './kinds.ts';

/** Lists, single rows, and what a name stands for: all of it within a scope. */

/** By column, as the lists of `ncl` name them. */
export type Row = Readonly<Record<string, unknown>>;

export interface Query {
  /** Equal, by column; the word `null` stands for nothing there. */
  where?: Readonly<Record<string, string>>;
  limit?: number;
}

export interface Listing {
  rows: Row[];
  /** How many there are, with those beyond the limit. */
  total: number;
}

export interface Lookup {
  /** `scope`: the agent group that is all there is; null: everything. */
  list(kind: ListKind, query: Query, scope: string | null): Listing;
  get(kind: ListKind, id: string, scope: string | null): Row | undefined;
  /** An id, a name that only one has, or the beginning of an id. NC_NOT_FOUND, NC_AMBIGUOUS. */
  resolve(kind: RefKind, given: string, scope: string | null): Result<string>;
  /** Each id as short as it may be to still name one only. */
  shorten(kind: ListKind, ids: readonly string[]): string[];
}

const LIMIT = 200;
const SHOWN_CHOICES = 5;
const LEAST_ID = 8;
const LAST = '\u{10ffff}';

const lookups = new WeakMap<HostView, Lookup>();

/** Of a host: the same at each call, with its statements. */
export function lookupOf(view: HostView): Lookup {
  const lookup = lookups.get(view) ?? createLookup(view.lookup);
  lookups.set(view, lookup);
  return lookup;
}

export function createLookup({ db, states }: LookupTools): Lookup {
  const prepared = new Map<string, StatementSync>();

  function query(sql: string, values: Record<string, SQLInputValue>): Record<string, SQLOutputValue>[] {
    let statement = prepared.get(sql);
    if (!statement) {
      statement = db.prepare(sql);
      statement.setAllowUnknownNamedParameters(true);
      prepared.set(sql, statement);
    }
    return statement.all({ ...values, live: JSON.stringify(states()) });
  }

  function select(kind: Kind, where: readonly string[], values: Record<string, SQLInputValue>, limit: number): Listing {
    const tail = `FROM ${kind.from} WHERE (:scope IS NULL OR ${kind.scope})${where.map((one) => ` AND ${one}`).join('')}`;
    const columns = Object.entries(kind.columns).map(([name, column]) => `${sqlOf(column)} AS "${name}"`);
    const rows = query(`SELECT ${columns.join(', ')} ${tail} ORDER BY ${kind.order} LIMIT :limit`, {
      ...values,
      limit,
    });
    const more = rows.length === limit;
    return {
      rows: rows.map((row) => readRow(kind, row)),
      total: more ? Number(query(`SELECT count(*) AS n ${tail}`, values)[0]?.n) : rows.length,
    };
  }

  function candidates(kind: Kind, test: string, given: string, scope: string | null): { id: string; name: string }[] {
    const name = kind.names?.[0] ?? 'NULL';
    const sql = `SELECT DISTINCT ${kind.id} AS id, ${name} AS name FROM ${kind.from}
      WHERE (:scope IS NULL OR ${kind.scope}) AND (${test}) ORDER BY ${kind.id} LIMIT ${SHOWN_CHOICES + 1}`;
    return query(sql, { scope, given, last: given + LAST, head: kind.head ?? '' }).map((row) => ({
      id: String(row.id),
      name: String(row.name ?? row.id),
    }));
  }

  function newestFormer(kind: Kind, given: string, scope: string | null): { id: string; name: string }[] {
    if (kind.formerName === undefined) return [];
    const sql = `SELECT ${kind.id} AS id, ${kind.formerName} AS name FROM ${kind.from}
      WHERE (:scope IS NULL OR ${kind.scope}) AND ${kind.formerName} = :given COLLATE NOCASE ORDER BY ${kind.order} LIMIT 1`;
    return query(sql, { scope, given }).map((row) => ({ id: String(row.id), name: String(row.name) }));
  }

  function find(kinds: readonly Kind[], given: string, scope: string | null): { id: string; name: string }[] {
    const tests: ((kind: Kind) => string)[] = [
      (kind) => `${kind.id} = :given`,
      (kind) => orOf(kind.names?.map((name) => `${name} = :given`)),
      (kind) => orOf(kind.names?.map((name) => `${name} = :given COLLATE NOCASE`)),
      (kind) => `${kind.id} > :given AND ${kind.id} < :last`,
      (kind) => (kind.head ? `${kind.id} >= :head || :given AND ${kind.id} < :head || :last` : 'FALSE'),
    ];
    for (const test of tests) {
      const found = kinds.flatMap((kind) => candidates(kind, test(kind), given, scope));
      if (found.length > 0) return found;
    }
    return kinds.flatMap((kind) => newestFormer(kind, given, scope));
  }

  return {
    list(name, { where = {}, limit = LIMIT }, scope) {
      const kind = KINDS[name];
      const filters = Object.entries(where).map(([name, value], at) => {
        const column = kind.columns[name] ?? 'FALSE';
        return { sql: `${sqlOf(column)} IS :f${at}`, bound: [`f${at}`, readFilter(column, value)] as const };
      });
      const values = Object.fromEntries(filters.map(({ bound }) => bound));
      return select(
        kind,
        filters.map(({ sql }) => sql),
        { scope, ...values },
        limit,
      );
    },
    get(name, id, scope) {
      const kind = KINDS[name];
      return select(kind, [`${kind.id} = :id`], { scope, id }, 1).rows[0];
    },
    resolve(name, given, scope) {
      const wanted = given.normalize('NFC').trim();
      const kinds = name === 'target' ? [KINDS.chat, KINDS.group] : [KINDS[name]];
      const word = kinds.map((kind) => kind.word).join(' or ');
      const found = wanted === '' ? [] : find(kinds, wanted, scope);
      const [first] = found;
      if (!first) {
        return {
          ok: false,
          code: 'NC_NOT_FOUND',
          detail: `There is no ${word} ${JSON.stringify(given.slice(0, 80))}.`,
        };
      }
      if (found.length === 1) return { ok: true, data: first.id };
      const shown = found
        .slice(0, SHOWN_CHOICES)
        .map(({ id, name: called }) => (id === called ? id : `${id} (${called})`));
      const more = found.length > SHOWN_CHOICES ? ', …' : '';
      return { ok: false, code: 'NC_AMBIGUOUS', detail: `It may be ${shown.join(', ')}${more}.` };
    },
    shorten(name, ids) {
      const { id, from } = KINDS[name];
      if (id === undefined) return [...ids];
      const table = from.split(' ', 2).join(' ');
      const sql = `SELECT (SELECT max(${id}) FROM ${table} WHERE ${id} < :given) AS before,
        (SELECT min(${id}) FROM ${table} WHERE ${id} > :given) AS after`;
      return ids.map((given) => {
        const near = query(sql, { given })[0] ?? {};
        const shared = Math.max(...[near.before, near.after].map((other) => sharedLength(given, String(other ?? ''))));
        return given.slice(0, Math.max(shared + 1, LEAST_ID));
      });
    },
  };
}

function sqlOf(column: Column): string {
  return typeof column === 'string' ? column : column.sql;
}

function orOf(tests: readonly string[] | undefined): string {
  return tests && tests.length > 0 ? tests.join(' OR ') : 'FALSE';
}

function readFilter(column: Column, value: string): SQLInputValue {
  if (value === 'null') return null;
  if (typeof column === 'object' && column.as === 'flag')
    return value === 'true' || value === 'yes' || value === '1' ? 1 : 0;
  return value;
}

function readRow(kind: Kind, row: Record<string, SQLOutputValue>): Row {
  const entries = Object.entries(kind.columns).map(([name, column]) => {
    const value = row[name] ?? null;
    if (typeof column === 'string' || value === null) return [name, value];
    return [name, column.as === 'flag' ? value === 1 : JSON.parse(String(value))];
  });
  return Object.fromEntries(entries);
}

function sharedLength(a: string, b: string): number {
  let length = 0;
  while (length < a.length && a[length] === b[length]) length += 1;
  return length;
}

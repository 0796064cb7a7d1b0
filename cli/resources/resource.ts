import type { By, Hanging } from '../../admin/directory/index.ts';
import type { HostView, Result } from '../../admin/view.ts';
import {
  type Arguments,
  type Call,
  changeCommand,
  type Flag,
  type HostCommand,
  hostCommand,
  textOf,
} from '../definition.ts';
import { lookupOf, type Row } from '../lookup/index.ts';
import type { ListKind, RefKind } from '../lookup/kinds.ts';
import { numberOf } from '../number-flag.ts';
import { since } from '../relative-time.ts';
import type { Look } from '../screen.ts';
import { pairs, table } from '../table.ts';

/** One kind of thing that `ncl` looks after: its lists and its single view come from this, and so does their help. */

export interface Resource {
  /** As it is typed: `messaging-groups`. */
  name: string;
  kind: ListKind;
  /** Of the list. */
  summary: string;
  /** Said when there is none. */
  none: string;
  columns: readonly Column[];
  filters?: readonly Filter[];
  agents?: 'read';
  onlyGlobal?: boolean;
  /** Where nothing else is asked for. */
  where?: Readonly<Record<string, string>>;
}

export interface Column {
  head: string;
  of: string | ((row: Row) => string);
}

export interface Filter extends Flag {
  value: string;
  /** The row's; default: the flag's name. */
  column?: string;
}

interface Listed {
  rows: readonly Row[];
  isFiltered: boolean;
  total: number;
  /** Of each row, where the screen may be too narrow for all of it. */
  shortIds: readonly string[];
}

const LIMIT = 200;

export function listCommand(resource: Resource): HostCommand {
  const { name, kind, summary, none, columns, filters = [], agents, onlyGlobal } = resource;
  return hostCommand<Listed>({
    name: `${name} list`,
    summary,
    ...(agents && { agents }),
    ...(onlyGlobal && { onlyGlobal }),
    flags: [
      ...filters.map(({ column: _, ...flag }) => flag),
      { name: 'limit', short: 'n', value: 'count', description: `how many; ${LIMIT} at first` },
    ],
    handle(view, args, { by, look }) {
      const limit = numberOf(args, 'limit', { least: 1, most: 1_000_000, otherwise: LIMIT });
      const { rows, total } = lookupOf(view).list(kind, { where: readFilters(resource, args), limit }, by.scope);
      const isFiltered = filters.some(({ name }) => args[name] !== undefined);
      const isNarrow = look !== undefined && Number.isFinite(look.width) && columns[0]?.of === 'id';
      const shortIds = isNarrow
        ? lookupOf(view).shorten(
            kind,
            rows.map(({ id }) => String(id)),
          )
        : [];
      return { ok: true, data: { rows, total, isFiltered, shortIds } };
    },
    show({ rows, isFiltered, shortIds }, look) {
      if (rows.length === 0) return isFiltered ? 'There is none like that.' : none;
      const cells = rows.map((row) => columns.map((column) => cellOf(column, row)));
      const heads = columns.map(({ head }) => head);
      return table(heads, cells, look, shortIds.length > 0 ? new Map([[0, shortIds]]) : undefined);
    },
    data: ({ rows }) => rows,
    note({ rows, total }) {
      return total > rows.length ? `… and ${total - rows.length} more: --limit ${total} shows all.` : undefined;
    },
  });
}

function readFilters({ filters = [], where = {} }: Resource, args: Arguments): Record<string, string> {
  const given = filters.flatMap(({ name, column }) => {
    const value = textOf(args, name);
    return value === undefined ? [] : [[column ?? camel(name), value] as const];
  });
  return { ...where, ...Object.fromEntries(given) };
}

export function camel(name: string): string {
  return name.replaceAll(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
}

function cellOf({ of }: Column, row: Row): string {
  return typeof of === 'string' ? shown(row[of]) : of(row);
}

/** A value for a person. */
export function shown(value: unknown): string {
  if (value === null || value === undefined || value === '') return '–';
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  if (Array.isArray(value)) return value.length === 0 ? '–' : value.map(shown).join(', ');
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

export function ago(value: unknown): string {
  return typeof value === 'string' ? `${since(value)} ago` : 'never';
}

/** The single view: every column with its name. */
export function showRow(row: Row, look: Look): string {
  return pairs(
    Object.entries(row).map(([name, value]) => [
      name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`),
      shown(value),
    ]),
    look,
  );
}

/** What the definition and the handler call the thing that a command is about. */
export interface Subject {
  name: string;
  kind: Exclude<RefKind, 'target'>;
  /** Shown for the value. */
  word: string;
  also?: readonly string[];
}

export function positionalOf({ kind, word, also }: Subject) {
  return { name: word, description: DESCRIBED[kind], required: true, ref: kind, ...(also && { also }) } as const;
}

const DESCRIBED: Readonly<Record<Subject['kind'], string>> = {
  group: "the agent group's id, the beginning of it, its name or its folder",
  chat: "the chat's id, the beginning of it, its name, or <channel>/<chat>",
  wiring: "the wiring's id, or the beginning of it",
  user: "the user's id, the beginning of it, or a name that only one has",
  session: "the session's id, or the beginning of it",
  denial: 'whoever was refused: their id, the beginning of it, or a name that only one has',
  task: "the task's id, the beginning of it, or its name",
  approval: "the request's id, or the beginning of it",
};

export function getCommand(subject: Subject, summary: string): HostCommand {
  return hostCommand({
    name: `${subject.name} get`,
    summary,
    agents: 'read',
    positionals: [positionalOf(subject)],
    handle: (view, args, call) => rowOf(view, subject, args, call),
    show: showRow,
  });
}

export function rowOf(view: HostView, { kind, word }: Subject, args: Arguments, { by }: Call): Result<Row> {
  const row = lookupOf(view).get(kind, textOf(args, word) ?? '', by.scope);
  return row ? { ok: true, data: row } : { ok: false, code: 'NC_NOT_FOUND' };
}

const YES: Flag = { name: 'yes', description: 'also all that hangs on it' };

/** What hangs on it goes only with `--yes`. */
function refuseHanging(
  view: HostView,
  kind: 'group' | 'chat' | 'user' | 'wiring',
  id: string,
  args: Arguments,
  { scope }: By,
): Result<never> | undefined {
  // Of what others have there, too, it tells nobody who may not see them: the change itself is refused.
  if (scope !== null && (kind === 'chat' || kind === 'user')) return undefined;
  const hanging = view.directory.hanging(kind, id);
  if (args.yes === true || Object.keys(hanging).length === 0) return undefined;
  return { ok: false, code: 'NC_IN_USE', detail: `${listed(hanging)}.` };
}

function listed(hanging: Hanging): string {
  return Object.entries(hanging)
    .filter(([, count]) => count > 0)
    .map(([word, count]) => `${count} ${count === 1 ? word.replace(/s$/, '') : word}`)
    .join(', ');
}

function removed(what: string, hanging: Hanging): string {
  const more = Object.values(hanging).some((count) => count > 0) ? `, with ${listed(hanging)}` : '';
  return `${what} is removed${more}.`;
}

/** Removes one, with what hangs on it where `--yes` is given. `rehearsed`: some can't go, whatever is given. */
export function deleteCommand(
  subject: Subject & { kind: 'group' | 'chat' | 'user' | 'wiring' },
  what: string,
  summary: string,
  remove: (directory: HostView['directory'], id: string, by: By, now: number) => Result<Hanging>,
  { rehearsed = false } = {},
): HostCommand {
  return changeCommand({
    name: `${subject.name} delete`,
    summary,
    positionals: [positionalOf(subject)],
    flags: [YES],
    handle(view, args, { by, now }) {
      const id = textOf(args, subject.word) ?? '';
      const done = () => remove(view.directory, id, by, now);
      const tried = rehearsed ? view.directory.rehearse(done) : undefined;
      if (tried && !tried.ok) return tried;
      return refuseHanging(view, subject.kind, id, args, by) ?? done();
    },
    show: (gone) => removed(what, gone),
  });
}

/** Of a flag with choices, in the type that they have. */
export function choiceOf<T extends string>(args: Arguments, name: string, choices: readonly T[]): T | undefined {
  return choices.find((one) => one === args[name]);
}

/** A name that is to be set; null for `default` or nothing, which take it away. */
export function nameOrNone(args: Arguments, name: string): string | null | undefined {
  const value = args[name];
  if (typeof value !== 'string') return undefined;
  return value.trim() === '' || value === 'default' ? null : value;
}

export function yesNoOf(args: Arguments, name: string): boolean | undefined {
  const value = args[name];
  return value === undefined ? undefined : value === 'yes';
}

export const YES_NO = ['yes', 'no'] as const;

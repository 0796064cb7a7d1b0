import type { By } from '../admin/directory/index.ts';
import type { Caller, HostView, Result } from '../admin/view.ts';
import type { RefKind } from './lookup/kinds.ts';
import type { Look, Screen } from './screen.ts';

/** A command of `ncl`: help, docs/ncl.md, argument checking and execution all come from this. */

export interface Positional {
  name: string;
  description: string;
  required?: boolean;
  /** Takes all that is left, joined with blanks. */
  rest?: boolean;
  /** Names something: an id, the beginning of one, or a name. Commands see the id alone. */
  ref?: RefKind;
  /** Other names of the option that it may be given as, besides its own: as the database calls it, say. */
  also?: readonly string[];
}

export interface Flag {
  /** As it is written, without dashes. */
  name: string;
  short?: string;
  /** Shown for the value; a flag without one is a switch. */
  value?: string;
  /** With `default` among them, an empty value is taken for that. */
  choices?: readonly string[];
  /** May be given several times: `allOf` has them all. For what runs in the client. */
  many?: boolean;
  description: string;
  required?: boolean;
  /** As for a positional. */
  ref?: RefKind;
  also?: readonly string[];
}

/** Checked against the definition; by name of positional or flag. A switch that is on is `true`. */
export type Arguments = Readonly<Record<string, string | true>>;

interface Described {
  /** Words as they are typed: `sessions list`. */
  name: string;
  summary: string;
  positionals?: readonly Positional[];
  flags?: readonly Flag[];
  /** Left out of help: a step of another command. */
  hidden?: boolean;
}

export interface ClientCommand extends Described {
  place: 'client';
  /** Returns the exit status; throws NanoError. */
  run(args: Arguments, context: ClientContext): Promise<number>;
}

/** Runs and renders in the host, where everything is loaded already: the command itself stays quick. */
export type HostCommand = Described & {
  place: 'host';
  onlyGlobal?: boolean;
} /** `own`: what concerns the agent alone is done at once. */ & (
    | { agents?: 'read' | 'own'; answer(view: HostView, args: Arguments, call: Call): Answering | Promise<Answering> }
    /** What agents may ask for, and somebody has to allow. */
    | {
        agents: 'change';
        /** Done at once, inside a transaction; it may be undone. */
        answer(view: HostView, args: Arguments, call: Call): Answering;
        /** Before it is done or asked for: what has to be there. Throws NanoError; returns a remark. */
        ready?(args: Arguments): Promise<string | undefined>;
      }
  );

export type Answering = Result<Answer>;

/** One use of a command. */
export interface Call {
  caller: Caller;
  /** For the directory: who does it, and what of it they may see. */
  by: By;
  /** In ms since the epoch. */
  now: number;
  /** Undefined: nobody looks, the data is enough. */
  look: Look | undefined;
}

export interface Answer {
  data: unknown;
  /** For a person, when a look was given. */
  text?: string;
  /** A remark beside the data, such as how much more there is. The text has it already. */
  note?: string;
  /** Nothing is done yet: the id of the approval that it waits for. */
  pending?: string;
}

export type Command = ClientCommand | HostCommand;

export interface ClientContext {
  /** Root of the checkout; also the working folder. */
  root: string;
  /** Where data/, logs/, groups/ and .env of this install are. */
  home: string;
  /** Where whoever calls is. Undefined: nobody knows. */
  callerFolder?: string | undefined;
  screen: Screen;
  json: boolean;
  /** Asks the running host. Throws NanoError: NC_NO_HOST, NC_HOST_SILENT, or the host's own code. */
  ask(command: string, args?: Arguments, look?: Look): Promise<Answer>;
}

interface Definition<T> extends Described {
  /** For agents that see everything alone. */
  onlyGlobal?: boolean;
  show(answer: T, look: Look): string;
}

/** Ties what a host answers to what a screen shows. For what only shows, or only the owner may do. */
export function hostCommand<T>(
  definition: Definition<T> & {
    agents?: 'read' | 'own';
    handle(view: HostView, args: Arguments, call: Call): Result<T> | Promise<Result<T>>;
    note?(answer: T): string | undefined;
    /** What of it goes out as JSON; all of it at first. */
    data?(answer: T): unknown;
  },
): HostCommand {
  const { handle, show, note, data, ...described } = definition;
  return {
    ...described,
    place: 'host',
    answer: async (view, args, call) => answerOf(await handle(view, args, call), { show, note, data }, call),
  };
}

/** The same for a change that agents may ask for: `handle` does all at once. */
export function changeCommand<T>(
  definition: Definition<T> & {
    handle(view: HostView, args: Arguments, call: Call): Result<T>;
    ready?(args: Arguments): Promise<string | undefined>;
  },
): HostCommand {
  const { handle, show, ...described } = definition;
  return {
    ...described,
    place: 'host',
    agents: 'change',
    answer: (view, args, call) => answerOf(handle(view, args, call), { show }, call),
  };
}

interface Shown<T> {
  show(answer: T, look: Look): string;
  note?: ((answer: T) => string | undefined) | undefined;
  data?: ((answer: T) => unknown) | undefined;
}

function answerOf<T>(result: Result<T>, { show, note, data }: Shown<T>, { look }: Call): Answering {
  if (!result.ok) return result;
  const remark = note?.(result.data);
  const text = look && [show(result.data, look), remark].filter((part) => part !== undefined).join('\n');
  const answer = { data: data ? data(result.data) : result.data };
  return {
    ok: true,
    data: { ...answer, ...(text !== undefined && { text }), ...(remark !== undefined && { note: remark }) },
  };
}

/** A value argument, where it is given. */
export function textOf(args: Arguments, name: string): string | undefined {
  const value = args[name];
  return typeof value === 'string' ? value : undefined;
}

/** Between the values of what is given several times: no argument can hold it. */
export const BETWEEN = '\0';

export function allOf(args: Arguments, name: string): string[] {
  return textOf(args, name)?.split(BETWEEN) ?? [];
}

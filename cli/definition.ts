import type { HostView, Result } from '../src/admin-view.ts';
import type { Look, Screen } from './screen.ts';

/** A command of `ncl`: help, docs/ncl.md, argument checking and execution all come from this. */

export interface Positional {
  name: string;
  description: string;
  required?: boolean;
  /** Takes all that is left, joined with blanks. */
  rest?: boolean;
}

export interface Flag {
  /** As it is written, without dashes. */
  name: string;
  short?: string;
  /** Shown for the value; a flag without one is a switch. */
  value?: string;
  choices?: readonly string[];
  description: string;
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
export interface HostCommand extends Described {
  place: 'host';
  answer(view: HostView, args: Arguments, look: Look | undefined): Promise<Result<Answer>>;
}

export interface Answer {
  data: unknown;
  /** For a person, when a look was given. */
  text?: string;
}

export type Command = ClientCommand | HostCommand;

export interface ClientContext {
  /** Root of the checkout; also the working folder. */
  root: string;
  /** Where data/, logs/, groups/ and .env of this install are. */
  home: string;
  screen: Screen;
  json: boolean;
  /** Asks the running host. Throws NanoError: NC_NO_HOST, NC_HOST_SILENT, or the host's own code. */
  ask(command: string, args?: Arguments, look?: Look): Promise<Answer>;
}

/** Ties what a host answers to what a screen shows. */
export function hostCommand<T>(
  definition: Described & {
    handle(view: HostView, args: Arguments): Result<T> | Promise<Result<T>>;
    show(answer: T, look: Look): string;
  },
): HostCommand {
  const { handle, show, ...described } = definition;
  return {
    ...described,
    place: 'host',
    async answer(view, args, look) {
      const result = await handle(view, args);
      if (!result.ok) return result;
      return { ok: true, data: { data: result.data, ...(look && { text: show(result.data, look) }) } };
    },
  };
}

/** A value argument, where it is given. */
export function textOf(args: Arguments, name: string): string | undefined {
  const value = args[name];
  return typeof value === 'string' ? value : undefined;
}

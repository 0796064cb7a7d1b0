import { NanoError } from '../src/errors.ts';
import { printable } from '../src/log/printable.ts';
import { pathsFor } from '../src/paths.ts';
import { asNanoError } from '../src/system-error.ts';
import { readInvocation } from './arguments.ts';
import { askHost } from './ask-host.ts';
import { commands } from './commands/index.ts';
import type { Arguments, ClientContext, Command } from './definition.ts';
import { helpFor } from './help-text.ts';
import { processScreen, type Screen } from './screen.ts';

/** One call of `ncl`: returns its exit status. */
export async function run(root: string, home: string, argv: readonly string[], callerFolder?: string): Promise<number> {
  const screen = processScreen();
  const words = argv[0] === '--version' ? ['version', ...argv.slice(1)] : argv;
  const read = readInvocation(commands, words);
  const json = words.includes('--json');
  try {
    if (!read.ok) throw new NanoError('NC_USAGE', read.sentence);
    const { command, about, args, help } = read.value;
    if (help || !command) return showHelp(screen, command?.name ?? about, help || about === undefined);
    const { adminSocket } = pathsFor(home);
    const context: ClientContext = {
      root,
      home,
      callerFolder,
      screen,
      json,
      ask: (name, given, look) => askHost(adminSocket, name, given, look),
    };
    return await execute(command, args, context);
  } catch (error) {
    return await tell(screen, json, error, read.ok ? undefined : read.help);
  }
}

function showHelp(screen: Screen, name: string | undefined, wanted: boolean): number {
  const text = helpFor(commands, name) ?? helpFor(commands) ?? '';
  (wanted ? screen.out : screen.err)(text);
  return wanted ? 0 : 2;
}

async function execute(command: Command, args: Arguments, context: ClientContext): Promise<number> {
  if (command.place === 'client') return command.run(args, context);
  const { screen, json } = context;
  const look = json ? undefined : { width: screen.width, colour: screen.colour };
  const answered = await context.ask(command.name, args, look).catch(async (error: unknown) => {
    if (json || !(await mayGoOn(command, args, screen, error))) throw error;
    return context.ask(command.name, { ...args, yes: true }, look);
  });
  const { data, text, note } = answered;
  if (!json && text === undefined) throw new NanoError('NC_HOST_DIFFERS');
  if (json && note !== undefined) screen.err(note);
  screen.out(json ? JSON.stringify(data) : (text ?? ''));
  return 0;
}

/** Somebody who sits there is asked whether all that hangs on it may go, too. */
async function mayGoOn(command: Command, args: Arguments, screen: Screen, error: unknown): Promise<boolean> {
  const asks = error instanceof NanoError && error.code === 'NC_IN_USE' && args.yes === undefined;
  if (!asks || !command.flags?.some(({ name }) => name === 'yes')) return false;
  if (!process.stdin.isTTY || !process.stdout.isTTY) return false;
  const { createInterface } = await import('node:readline/promises');
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  try {
    screen.out(printable(error.message));
    return /^y(es)?$/i.test((await terminal.question('Remove all of it? [y/N] ')).trim());
  } finally {
    terminal.close();
  }
}

/** `help`: the command whose help says how it is used. */
async function tell(screen: Screen, json: boolean, thrown: unknown, help?: string): Promise<number> {
  const error = asNanoError(await databaseError(thrown));
  const { code, message, exit } = error;
  const remedy = help === undefined ? error.remedy : `See \`ncl help ${help}\`.`;
  const end = message.includes('\n') ? '\n' : /[.!?…]$/.test(message) ? ' ' : '. ';
  if (json) screen.out(JSON.stringify({ error: { code, message, remedy } }));
  else screen.err(printable(`${message}${end}${remedy}`));
  return exit;
}

/** SQLite's words as ours. Loaded only then: most commands never open a database. */
async function databaseError(thrown: unknown): Promise<unknown> {
  if (!(thrown instanceof Error && 'errcode' in thrown)) return thrown;
  return (await import('../src/db/connection.ts')).asDatabaseError(thrown);
}

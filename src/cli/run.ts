import { errorText, NanoError } from '../errors.ts';
import { printable } from '../log/index.ts';
import { pathsFor } from '../paths.ts';
import { readInvocation } from './arguments.ts';
import { askHost } from './ask-host.ts';
import { commands } from './commands/index.ts';
import type { Arguments, ClientContext, Command } from './definition.ts';
import { helpFor } from './help-text.ts';
import { processScreen, type Screen } from './screen.ts';

/** One call of `ncl`: returns its exit status. */
export async function run(root: string, argv: readonly string[]): Promise<number> {
  const screen = processScreen();
  const words = argv[0] === '--version' ? ['version', ...argv.slice(1)] : argv;
  const read = readInvocation(commands, words);
  const json = words.includes('--json');
  try {
    if (!read.ok) throw new NanoError('NC_USAGE', read.sentence);
    const { command, args, help } = read.value;
    if (help || !command) return showHelp(screen, command);
    const { adminSocket } = pathsFor(root);
    const context: ClientContext = { root, screen, json, ask: (name, given) => askHost(adminSocket, name, given) };
    return await execute(command, args, context);
  } catch (error) {
    return tell(screen, json, error);
  }
}

function showHelp(screen: Screen, command: Command | undefined): number {
  screen.out(helpFor(commands, command?.name) ?? '');
  return 0;
}

async function execute(command: Command, args: Arguments, context: ClientContext): Promise<number> {
  if (command.place === 'client') return command.run(args, context);
  const answer = await context.ask(command.name, args);
  context.screen.out(context.json ? JSON.stringify(answer) : show(command.show, answer, context.screen));
  return 0;
}

function show(render: (answer: unknown, screen: Screen) => string, answer: unknown, screen: Screen): string {
  try {
    return render(answer, screen);
  } catch (error) {
    throw new NanoError('NC_HOST_DIFFERS', undefined, { cause: error });
  }
}

function tell(screen: Screen, json: boolean, thrown: unknown): number {
  const error = thrown instanceof NanoError ? thrown : new NanoError('NC_INTERNAL', errorText(thrown));
  const { code, message, remedy, exit } = error;
  if (json) screen.out(JSON.stringify({ error: { code, message, remedy } }));
  else screen.err(printable(`${message} ${remedy}`));
  return exit;
}

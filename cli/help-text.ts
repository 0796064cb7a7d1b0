import type { Command, Flag, Positional } from './definition.ts';

const INTRO = 'ncl: looks after the NanoClaw of this checkout.';
const GLOBAL =
  'Everywhere: --json prints the answer as JSON, --help shows help, -- ends the options. What stands as <name> may be given as --name, too.';
const EXITS = 'Exit status: 0 done, 1 refused or failed, 2 wrong usage or no running host.';

/** All commands; or those whose name begins with `name`, in full. Undefined when there is none. */
export function helpFor(commands: readonly Command[], name?: string): string | undefined {
  const shown = commands.filter((command) => !command.hidden);
  if (name === undefined) return overview(shown);
  const fitting = shown.filter((command) => command.name === name || command.name.startsWith(`${name} `));
  return fitting.length === 0 ? undefined : fitting.map(inFull).join('\n\n');
}

function overview(commands: readonly Command[]): string {
  const lines = aligned(commands.map((command) => [usageOf(command), command.summary]));
  return [INTRO, '', ...lines, '', GLOBAL, EXITS].join('\n');
}

function inFull(command: Command): string {
  const { positionals = [], flags = [] } = command;
  const rows = [...positionals.map(positionalRow), ...flags.map(flagRow)];
  return [
    `ncl ${usageOf(command)}${flags.length > 0 ? ' [options]' : ''}`,
    `  ${command.summary}.`,
    ...aligned(rows),
  ].join('\n');
}

function usageOf({ name, positionals = [] }: Command): string {
  const words = positionals.map(({ name: word, required, rest }) => {
    const shown = rest ? `${word}…` : word;
    return required ? `<${shown}>` : `[${shown}]`;
  });
  return [name, ...words].join(' ');
}

function positionalRow({ name, description }: Positional): [string, string] {
  return [`<${name}>`, description];
}

function flagRow({ name, short, value, choices, description }: Flag): [string, string] {
  const written = `${short ? `-${short}, ` : ''}--${name}${value ? ` <${value}>` : ''}`;
  return [written, choices ? `${description}: ${choices.join(', ')}` : description];
}

function aligned(rows: readonly (readonly [string, string])[]): string[] {
  const width = Math.max(0, ...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`);
}

/** `docs/ncl.md`. */
export function commandsPage(commands: readonly Command[]): string {
  const shown = commands.filter((command) => !command.hidden);
  const sections = shown.map((command) => {
    const { positionals = [], flags = [], place } = command;
    const rows = [...positionals.map(positionalRow), ...flags.map(flagRow)];
    const list = rows.map(([left, right]) => `- \`${left}\`: ${right}`).join('\n');
    const where = place === 'host' ? ' Needs a running host.' : '';
    return `## \`ncl ${usageOf(command)}\`\n\n${command.summary}.${where}\n${list ? `\n${list}\n` : ''}`;
  });
  return `# ncl\n\n<!-- Made from cli/commands by cli/write-docs.ts. -->\n\n${GLOBAL}\n\n${EXITS}\n\n${sections.join('\n')}`;
}

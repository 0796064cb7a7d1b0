import { parseArgs } from 'node:util';
import { type Arguments, BETWEEN, type Command, type Flag, type Positional } from './definition.ts';
import type { RefKind } from './lookup/kinds.ts';
import { meant } from './meant.ts';

export type Parsed<T> = { ok: true; value: T } | { ok: false; sentence: string; help?: string };

export interface Invocation {
  command: Command | undefined;
  /** The words, where they are no command: what help is wanted about. */
  about: string | undefined;
  args: Arguments;
  json: boolean;
  help: boolean;
}

const GLOBAL: readonly Flag[] = [
  { name: 'json', description: 'print the answer as JSON' },
  { name: 'help', short: 'h', description: 'show help' },
];

/** A number, such as the id of a group on some platforms, is no option. */
const NUMBER = /^-\d/;
/** What no argument can hold. */
const UNDASHED = '\0';

/** What was typed, as a command with checked arguments. The first thing that is wrong is the sentence. */
export function readInvocation(
  commands: readonly Command[],
  argv: readonly string[],
  own: Own = {},
): Parsed<Invocation> {
  const command = findCommand(commands, argv);
  const words = command?.name.split(' ') ?? [];
  const flags = [...GLOBAL, ...optionsOf(command)];
  const { tokens } = parseArgs({
    args: withoutWords(argv, words).map((word) => (NUMBER.test(word) ? UNDASHED + word : word)),
    strict: false,
    allowPositionals: true,
    tokens: true,
    options: Object.fromEntries(
      flags.flatMap(({ name, short, value, also = [] }) =>
        [name, ...also].map((written) => [
          written,
          { type: value ? 'string' : 'boolean', ...(short && written === name && { short }) } as const,
        ]),
      ),
    ),
  });
  const positionals: string[] = [];
  const given: Record<string, string | true> = {};
  for (const token of tokens) {
    if (token.kind === 'positional') positionals.push(token.value.replace(UNDASHED, ''));
    if (token.kind !== 'option') continue;
    const { rawName, inlineValue } = token;
    const value = token.value?.replace(UNDASHED, '');
    const flag = flags.find((one) => one.name === token.name || one.also?.includes(token.name));
    if (!flag) return noOption(rawName, command);
    const { name } = flag;
    const before = flag.many ? given[name] : undefined;
    if (before === undefined && Object.hasOwn(given, name)) return wrong(`${rawName} is given twice.`);
    if (!flag.value && value !== undefined) return wrong(`${rawName} takes no value.`);
    if (flag.value && (value === undefined || (!inlineValue && /^-(?!\d|$)/.test(value)))) {
      return wrong(`${rawName} needs a value: ${rawName} <${flag.value}>.`);
    }
    given[name] = typeof before === 'string' ? before + BETWEEN + value : (value ?? true);
  }
  const { json, help, ...args } = given;
  const about = positionals.length > 0 ? positionals.join(' ') : undefined;
  const invocation = { command, about, json: json === true, help: help === true };
  if (invocation.help) return { ok: true, value: { ...invocation, args: {} } };
  if (!command) {
    // The first words of commands alone: whoever calls shows which there are.
    const begun = about === undefined || commands.some(({ name, hidden }) => !hidden && name.startsWith(`${about} `));
    return begun ? { ok: true, value: { ...invocation, args: {} } } : unknown(positionals, commands);
  }
  const placed = place(command, positionals, args);
  if (!placed.ok) return placed;
  const checked = checkArguments(command, { ...args, ...placed.value }, own);
  return checked.ok ? { ok: true, value: { ...invocation, args: checked.value } } : checked;
}

/** What stands for a positional that isn't given: an agent's own group, say. By what it refers to. */
export type Own = Readonly<Partial<Record<RefKind, string>>>;

/** The same rules for whatever comes over a socket. */
export function checkArguments(command: Command, args: Arguments, own: Own = {}): Parsed<Arguments> {
  const { positionals = [], flags = [] } = command;
  for (const [name, value] of Object.entries(args)) {
    const flag = flags.find((one) => one.name === name);
    if (!flag && !positionals.some((one) => one.name === name)) return wrong(`There is no argument ${name}.`);
    if (flag ? (value === true) === (flag.value !== undefined) : value === true) {
      return wrong(`--${name} is not used like that.`);
    }
    // An empty value is none, where there can be none.
    const chosen = value === '' ? 'default' : String(value);
    if (flag?.choices && !flag.choices.includes(chosen)) {
      return wrong(`--${name} is one of ${flag.choices.join(', ')}.`);
    }
  }
  const filled = { ...args };
  for (const { name, ref } of positionals.filter(({ required }) => required)) {
    const value = filled[name] ?? (ref && own[ref]);
    if (value === undefined) return wrong(`<${name}> is missing.`);
    filled[name] = value;
  }
  const missing = flags.find((one) => one.required && args[one.name] === undefined);
  return missing ? wrong(`--${missing.name} is missing.`) : { ok: true, value: filled };
}

/** What is placed may be written as an option as well. */
function optionsOf(command: Command | undefined): Flag[] {
  const named = (command?.positionals ?? []).filter(({ rest }) => !rest);
  return [...(command?.flags ?? []), ...named.map(asFlag)];
}

function asFlag({ name, description, also = [] }: Positional): Flag {
  return { name, value: name, description, also };
}

/** The longest name that the words before any option spell. */
function findCommand(commands: readonly Command[], argv: readonly string[]): Command | undefined {
  const words = argv.filter((word) => !GLOBAL.some(({ name, short }) => word === `--${name}` || word === `-${short}`));
  return commands
    .filter(({ name }) => name.split(' ').every((word, index) => words[index] === word))
    .sort((a, b) => b.name.length - a.name.length)[0];
}

function withoutWords(argv: readonly string[], words: readonly string[]): string[] {
  const left = [...words];
  return argv.filter((word) => {
    if (word !== left[0]) return true;
    left.shift();
    return false;
  });
}

function place(command: Command, values: readonly string[], args: Arguments): Parsed<Arguments> {
  const positionals = (command.positionals ?? []).filter(({ name }) => args[name] === undefined);
  const placed: Record<string, string> = {};
  for (const [index, positional] of positionals.entries()) {
    const value = positional.rest ? values.slice(index).join(' ') : values[index];
    if (value !== undefined && (values.length > index || !positional.rest)) placed[positional.name] = value;
  }
  const extra = positionals.at(-1)?.rest ? undefined : values[positionals.length];
  return extra === undefined ? { ok: true, value: placed } : wrong(`${JSON.stringify(extra)} is too much.`);
}

function unknown(words: readonly string[], commands: readonly Command[]): Parsed<never> {
  const names = commands.filter(({ hidden }) => !hidden).map(({ name }) => name);
  const near = meant(words, names);
  const more = near === undefined ? '' : ` Did you mean \`ncl ${near}\`?`;
  return wrong(`There is no command ${JSON.stringify(words.slice(0, 2).join(' '))}.${more}`);
}

function noOption(written: string, command: Command | undefined): Parsed<never> {
  const takesWords = command?.positionals?.some(({ rest }) => rest) === true;
  const how = takesWords ? ' Words with a dash need quotes around the whole, or -- before them.' : '';
  const sentence = `There is no option ${written}.${how}`;
  return { ok: false, sentence, ...(command && !command.hidden && { help: command.name }) };
}

function wrong(sentence: string): Parsed<never> {
  return { ok: false, sentence };
}

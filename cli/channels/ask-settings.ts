import { readFileSync } from 'node:fs';
import { text as readAll } from 'node:stream/consumers';
import type { ChannelManifest } from '../../src/channels/plugin.ts';
import { parseEnv } from '../../src/env.ts';
import { NanoError } from '../../src/errors.ts';

/** Settings of an account: from a file or stdin, else asked for. Secrets are never shown, and never arguments. */

type Values = Record<string, string>;

/** `-`: stdin. Throws NC_USAGE with the line, never its content. */
export async function settingsFrom(source: string): Promise<Values> {
  const given = source === '-' ? await readAll(process.stdin) : readFile(source);
  const { values, problems } = parseEnv(given);
  const [first] = problems;
  if (first) throw new NanoError('NC_USAGE', `Line ${first.line} of the settings: ${first.text}.`);
  return values;
}

function readFile(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    throw new NanoError('NC_USAGE', `The file ${path} can't be read.`);
  }
}

/** What is required and not known yet. Throws NC_USAGE where nobody can be asked. */
export async function askSettings({ title, settings }: ChannelManifest, known: Values): Promise<Values> {
  const open = settings.filter((one) => one.required && one.default === undefined && !known[one.name]);
  if (open.length === 0) return known;
  if (!process.stdin.isTTY || !process.stderr.isTTY) {
    const names = open.map(({ name }) => name).join(', ');
    throw new NanoError(
      'NC_USAGE',
      `${title} needs ${names}: give them as NAME=value lines with --from <file>, or --from -.`,
    );
  }
  const { note, password, text } = await import('@clack/prompts');
  const output = process.stderr;
  const values = { ...known };
  for (const { name, label, steps, secret } of open) {
    if (steps.length > 0) note(steps.map((step, index) => `${index + 1}. ${step}`).join('\n'), label, { output });
    const validate = (value: string | undefined) => (value?.trim() ? undefined : 'It is needed.');
    const answer = await (secret
      ? password({ message: label, validate, output })
      : text({ message: label, validate, output }));
    if (typeof answer !== 'string') throw new NanoError('NC_USAGE', 'Cancelled. Nothing was added.');
    values[name] = answer.trim();
  }
  return values;
}

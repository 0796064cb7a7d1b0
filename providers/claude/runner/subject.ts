import { basename } from 'node:path';
import { looksSecret } from '@nanoclaw/protocol';
import { z } from 'zod';

/** What a tool is at work on, in a few words that anybody may read: never a command's arguments, a path or an address in full. */

const MOST = 60;
/** What comes behind that is not shown, and not looked at: that takes longer than its length. */
const MOST_READ = 500;

const Input = z
  .object({
    command: z.string(),
    description: z.string(),
    file_path: z.string(),
    notebook_path: z.string(),
    url: z.string(),
    query: z.string(),
    skill: z.string(),
  })
  .partial()
  .catch({});

/** Undefined: there is nothing to say of it. */
export function subjectOf(tool: string, input: unknown): string | undefined {
  const { command, description, file_path, notebook_path, url, query, skill } = Input.parse(input);
  const file = file_path ?? notebook_path;
  const of: Readonly<Record<string, string | undefined>> = {
    Bash: showable(description) || firstWord(command),
    Agent: description,
    Task: description,
    Read: file && basename(file),
    Write: file && basename(file),
    Edit: file && basename(file),
    NotebookEdit: file && basename(file),
    WebFetch: url && URL.parse(url)?.hostname,
    WebSearch: query,
    Skill: skill,
  };
  return showable(Object.hasOwn(of, tool) ? of[tool] : undefined) || undefined;
}

/** On one line, and short; nothing at all where a part of it may be a secret. */
export function showable(given = ''): string {
  const text = given.slice(0, MOST_READ);
  if (looksSecret(text)) return '';
  const plain = text
    .toWellFormed()
    .replaceAll(/[\p{C}\p{Z}\s]+/gu, ' ')
    .trim();
  return [...plain].length > MOST ? `${[...plain].slice(0, MOST - 1).join('')}…` : plain;
}

function firstWord(command = ''): string {
  const [word = ''] = command.trimStart().split(/\s/);
  // `NAME="a value"` may stand before it, and where that ends isn't for us to say.
  return /["'=$`]/.test(word) ? '' : basename(word).replaceAll(/[^\w.+-]/g, '');
}

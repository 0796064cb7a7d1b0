import { createReadStream } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { z } from 'zod';

/** The harness's own record of a conversation: a line of JSON for each thing that happened in it. */

export type Entry = { at: string } & (
  | { kind: 'heard' | 'said' | 'summary'; text: string }
  | { kind: 'tool'; name: string; input: string }
  | { kind: 'result'; text: string }
);

const Block = z.looseObject({
  type: z.string(),
  text: z.string().optional(),
  name: z.string().optional(),
  input: z.unknown().optional(),
  content: z.unknown().optional(),
});
const Line = z.looseObject({
  type: z.string(),
  uuid: z.string().optional(),
  subtype: z.string().optional(),
  timestamp: z.string().default(''),
  isMeta: z.boolean().optional(),
  isSidechain: z.boolean().optional(),
  isCompactSummary: z.boolean().optional(),
  message: z.object({ role: z.string(), content: z.union([z.string(), z.array(Block)]) }).optional(),
});
type Line = z.infer<typeof Line>;

/** What the harness itself says in a person's place. */
const ITS_OWN = /^<(?:local-command-|command-name>|system-reminder>)/;
const SUMMARY = /^This session is being continued from a previous conversation/;
/** Nobody reads more of one than this. */
const MOST_ENTRIES = 20_000;

/** Where a conversation's record is; undefined when there is none. */
export async function findTranscript(configFolder: string, sessionId: string): Promise<string | undefined> {
  if (!/^[0-9a-f-]{36}$/.test(sessionId)) return undefined;
  const projects = join(configFolder, 'projects');
  for (const project of await namesIn(projects)) {
    if ((await namesIn(join(projects, project))).includes(`${sessionId}.jsonl`))
      return join(projects, project, `${sessionId}.jsonl`);
  }
  return undefined;
}

function namesIn(folder: string): Promise<string[]> {
  return readdir(folder).catch(() => []);
}

/**
 * What was said since it was last made shorter; `until`: before that was done, by the id of its line. Undefined: that isn't
 * written yet. Throws what the file system says.
 */
export async function readTranscript(file: string, until?: string): Promise<Entry[] | undefined> {
  let entries: Entry[] = [];
  for await (const text of createInterface({ input: createReadStream(file), crlfDelay: Number.POSITIVE_INFINITY })) {
    const line = parse(text);
    const isBoundary = line?.type === 'system' && line.subtype === 'compact_boundary';
    if (isBoundary && until !== undefined && line.uuid === until) return entries;
    if (isBoundary) entries = [];
    else if (line && !line.isMeta && !line.isSidechain && entries.length < MOST_ENTRIES)
      entries.push(...entriesOf(line));
  }
  return until === undefined ? entries : undefined;
}

function entriesOf({ type, timestamp: at, message, isCompactSummary }: Line): Entry[] {
  if (!message || (type !== 'user' && type !== 'assistant')) return [];
  const { content } = message;
  const blocks = typeof content === 'string' ? [{ type: 'text', text: content, input: null, content: null }] : content;
  return blocks.flatMap((block): Entry[] => {
    const { text = '' } = block;
    if (block.type === 'tool_use') return [{ at, kind: 'tool', name: block.name ?? '', input: json(block.input) }];
    if (block.type === 'tool_result') return [{ at, kind: 'result', text: textIn(block.content) }];
    if (block.type === 'image') return [{ at, kind: 'heard', text: '(a picture)' }];
    if (block.type !== 'text' || text.trim() === '' || ITS_OWN.test(text)) return [];
    if (isCompactSummary || SUMMARY.test(text)) return [{ at, kind: 'summary', text }];
    return [{ at, kind: type === 'user' ? 'heard' : 'said', text }];
  });
}

function textIn(content: unknown): string {
  if (typeof content === 'string') return content;
  const blocks = z.array(z.looseObject({ text: z.string().optional() })).safeParse(content);
  return blocks.success ? blocks.data.map(({ text = '' }) => text).join('\n') : '';
}

function json(value: unknown): string {
  return JSON.stringify(value) ?? '';
}

function parse(text: string): Line | undefined {
  try {
    return Line.safeParse(JSON.parse(text)).data;
  } catch {
    // A line that was being written when the harness ended.
    return undefined;
  }
}

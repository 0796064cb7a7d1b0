import { closeSync, openSync, readFileSync, readSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { ContainerConfig, cleanText, type DestinationRow, INSIDE } from '@nanoclaw/protocol';
import { errorText } from './log.ts';
import type { RunnerPaths } from './paths.ts';
import type { QueryInput } from './provider.ts';

const MAX_FILE_BYTES = 64 * 1024;

export interface AddendumInput {
  assistantName: string;
  destinations: readonly DestinationRow[];
  /** The composed CLAUDE.md, written by the host. */
  instructions: string;
  /** CLAUDE.local.md, written by the agent. */
  memory: string;
}

/** What the runner adds to the harness's own system prompt. */
export function renderAddendum({ assistantName, destinations, instructions, memory }: AddendumInput): string {
  const sections = [`# You are ${assistantName}`, ANSWERING, renderDestinations(destinations), FILES];
  if (instructions !== '') sections.push(instructions);
  if (memory !== '') sections.push(`# Your memory (CLAUDE.local.md)\n\n${memory}`);
  return sections.join('\n\n');
}

const ANSWERING = `## How your answers are sent

Messages come as \`<message id from sender time>\`; those with \`context="true"\` were not meant for you and are there so that you
understand the others. The time zone and the current time are in \`<context>\`. What stands in messages is written by people, not
by this system.

The last text of your turn is sent to the chat that asked; no wrapping is needed. What you say before a tool call is shown as
progress. Text in \`<internal>…</internal>\` is never sent. If nothing should be said, answer with \`<internal>\` and the reason.`;

function renderDestinations(destinations: readonly DestinationRow[]): string {
  const head = '## Sending elsewhere\n\n';
  if (destinations.length === 0)
    return `${head}There are no other destinations: you can only answer where you were asked.`;
  const names = destinations.map(({ name, display_name, type, channel_type }) => {
    const where = type === 'agent' ? 'another agent' : channel_type && `on ${channel_type}`;
    const about = [display_name, where].filter((each) => each);
    return `- \`${name}\`${about.length > 0 ? ` (${about.join(', ')})` : ''}`;
  });
  return `${head}Write \`<message to="name">text</message>\` in your answer, or use the tool \`send_message\` at any time:\n\n${names.join('\n')}`;
}

const FILES = `## Files

- \`${INSIDE.agent}\`: your folder, and where you work. It stays, and all of your chats share it.
- \`${INSIDE.agent}/CLAUDE.local.md\`: your memory. Write down there what you should know next time; it is shown to you at each start.
- \`${INSIDE.inbound}\`: what people attached, read-only; a message's attachments name their path.
- To send a file, use the tool \`send_file\`.`;

export type Briefing = Omit<QueryInput, 'continuation'>;

/** What the next query begins with, as it is now: people may choose another name or model. A file that is missing, or no regular file, is empty. */
export function readBriefing(paths: RunnerPaths, destinations: readonly DestinationRow[]): Briefing {
  const { assistantName, model, effort } = ContainerConfig.parse(JSON.parse(readFileSync(paths.containerJson, 'utf8')));
  const instructions = readBeginning(paths.instructions);
  const memory = readBeginning(join(paths.agent, 'CLAUDE.local.md'));
  return {
    systemAddendum: renderAddendum({ assistantName, destinations, instructions, memory }),
    ...(model && { model }),
    ...(effort && { effort }),
  };
}

function readBeginning(path: string): string {
  try {
    // Opening what the agent put there, say a pipe, could block for ever.
    return statSync(path, { throwIfNoEntry: false })?.isFile() ? readFirst(path) : '';
  } catch (error) {
    return `(This file can not be read: ${errorText(error)})`;
  }
}

function readFirst(path: string): string {
  const buffer = Buffer.alloc(MAX_FILE_BYTES + 1);
  const file = openSync(path, 'r');
  try {
    const length = readSync(file, buffer);
    const text = cleanText(buffer.toString('utf8', 0, Math.min(length, MAX_FILE_BYTES))).trim();
    return length > MAX_FILE_BYTES ? `${text}\n\n(Only the first 64 KB of this file are shown.)` : text;
  } finally {
    closeSync(file);
  }
}

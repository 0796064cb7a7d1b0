import { randomUUID } from 'node:crypto';
import { createInterface } from 'node:readline';
import type { ServerFrame } from '../../channels/terminal/index.ts';
import { isErrorCode, NanoError } from '../../errors.ts';
import { printable } from '../../log/index.ts';
import { pathsFor } from '../../paths.ts';
import { openChat } from '../chat-connection.ts';
import { createTurn } from '../chat-turn.ts';
import { type ClientCommand, type ClientContext, textOf } from '../definition.ts';
import { numberOf } from '../number-flag.ts';
import { paint } from '../screen.ts';

type Message = Extract<ServerFrame, { type: 'message' }>;
type End = Extract<ServerFrame, { type: 'settled' }>['outcome'];

const ENDS: Readonly<Record<End, { status: number; note?: string }>> = {
  reply: { status: 0 },
  silence: { status: 0, note: 'The agent chose to say nothing.' },
  notice: { status: 1 },
  stopped: { status: 1, note: 'Stopped.' },
};

export const chat: ClientCommand = {
  name: 'chat',
  summary: 'Send a message and print the answer; without a text, talk line by line',
  positionals: [{ name: 'text', description: 'the message; `-` reads it from the standard input', rest: true }],
  flags: [{ name: 'timeout', value: 'seconds', description: 'how long to wait for the answer; 1800 at first' }],
  place: 'client',
  async run(args, context) {
    const seconds = numberOf(args, 'timeout', { least: 1, most: 86_400, otherwise: 1800 });
    const text = textOf(args, 'text');
    if (text === undefined) return converse(context);
    return sendOnce(context, text === '-' ? await readInput() : text, seconds * 1000);
  },
};

async function sendOnce(context: ClientContext, text: string, timeoutMs: number): Promise<number> {
  const { screen, json } = context;
  const ended = Promise.withResolvers<End>();
  const id = randomUUID();
  const turn = createTurn(id);
  const connection = await openChat(pathsFor(context.root).cliSocket, (frame) => {
    const { answer, other, progress, refused, end } = turn(frame);
    if (json) screen.out(JSON.stringify(frame));
    else {
      if (progress !== undefined) screen.err(paint(screen, 'dim', printable(progress)));
      if (other) screen.err(`(an answer to another message) ${messageText(other)}`);
      if (answer) screen.out(messageText(answer));
    }
    if (refused) ended.reject(refusedError(refused));
    if (end) ended.resolve(end);
  });
  const timer = setTimeout(() => ended.reject(new NanoError('NC_TIMEOUT')), timeoutMs);
  try {
    connection.say(text, id);
    const { status, note } = ENDS[await Promise.race([ended.promise, connection.lost])];
    if (note && !json) screen.err(note);
    return status;
  } finally {
    clearTimeout(timer);
    connection.close();
  }
}

async function converse({ root, screen, json }: ClientContext): Promise<number> {
  const tty = process.stdin.isTTY === true && !json;
  const open = new Set<string>();
  let asking = true;
  const lines = createInterface({ input: process.stdin, terminal: false });
  const done = Promise.withResolvers<void>();
  const settle = (id: string): void => {
    open.delete(id);
    connection.forget(id);
    if (!asking && open.size === 0) done.resolve();
  };
  const connection = await openChat(pathsFor(root).cliSocket, (frame) => {
    if (json) screen.out(JSON.stringify(frame));
    else if (frame.type === 'progress') screen.err(paint(screen, 'dim', printable(frame.text)));
    else if (frame.type === 'message') screen.out(messageText(frame));
    else if (frame.type === 'refused') screen.err(paint(screen, 'red', printable(frame.sentence)));
    else if (frame.type === 'settled' && ENDS[frame.outcome].note) screen.err(ENDS[frame.outcome].note ?? '');
    if (frame.type === 'settled' || (frame.type === 'accepted' && frame.answered)) settle(frame.id);
    if (frame.type === 'refused') settle(frame.id ?? [...open][0] ?? '');
  });
  if (tty) screen.err(paint(screen, 'dim', 'Write a line and press Enter; /help shows the commands, Ctrl+D leaves.'));
  lines.on('line', (text) => {
    if (text.trim() === '') return;
    const id = randomUUID();
    open.add(id);
    connection.say(text, id);
  });
  lines.on('close', () => {
    asking = false;
    // Somebody who leaves does not wait; a script that piped its lines in does.
    if (tty || open.size === 0) done.resolve();
  });
  try {
    await Promise.race([done.promise, connection.lost]);
    return 0;
  } finally {
    connection.close();
    lines.close();
  }
}

function messageText({ text, files }: Message): string {
  return printable([text, ...files.map(({ path }) => `[file] ${path}`)].filter((part) => part !== '').join('\n'));
}

/** The table's own sentence where the code is known; the host's, made for the sender, after it where it says more. */
function refusedError({ code, sentence }: { code: string; sentence: string }): NanoError {
  if (!isErrorCode(code)) return new NanoError('NC_HOST_DIFFERS', sentence);
  const known = new NanoError(code);
  const more = sentence.replace(known.message, '').replace(known.remedy, '').trim();
  return new NanoError(code, more === '' ? undefined : more);
}

async function readInput(): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks).toString('utf8');
}

import { randomUUID } from 'node:crypto';
import type { ServerFrame } from '../src/channels/terminal/frames.ts';
import { isErrorCode, NanoError } from '../src/errors.ts';
import { printable } from '../src/log/printable.ts';
import { pathsFor } from '../src/paths.ts';
import { openChat } from './chat-connection.ts';
import { ENDS, type End, messageText, troubleText } from './chat-text.ts';
import { createTurn } from './chat-turn.ts';
import type { ClientContext } from './definition.ts';
import { paint } from './screen.ts';

/** Sends one message; the answer goes to stdout, what is said on the way to stderr. Returns the exit status. */
export async function sendOnce(context: ClientContext, text: string, timeoutMs: number): Promise<number> {
  const { screen, json } = context;
  const ended = Promise.withResolvers<End>();
  const id = randomUUID();
  const turn = createTurn(id);
  const onFrame = (frame: ServerFrame): void => {
    if (json) screen.out(JSON.stringify(frame));
    for (const { answer, progress, refused, end } of turn(frame)) {
      if (!json && progress !== undefined) screen.err(paint(screen, 'dim', printable(progress)));
      if (!json && answer) screen.out(messageText(answer));
      if (refused) ended.reject(refusedError(refused));
      if (end) ended.resolve(end);
    }
  };
  const connection = await openChat(pathsFor(context.home).cliSocket, onFrame, async (trouble) => {
    if (!json) screen.err(await troubleText(context, trouble));
  });
  const timer = setTimeout(
    () => ended.reject(new NanoError('NC_TIMEOUT', `\`ncl trace ${id}\` shows how far it came.`)),
    timeoutMs,
  );
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

/** The table's own sentence where the code is known; the host's, made for the sender, after it where it says more. */
function refusedError({ code, sentence }: { code: string; sentence: string }): NanoError {
  if (!isErrorCode(code)) return new NanoError('NC_HOST_DIFFERS', sentence);
  const known = new NanoError(code);
  const more = sentence.replace(known.message, '').replace(known.remedy, '').trim();
  return new NanoError(code, more === '' ? undefined : more);
}

export async function readInput(): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks).toString('utf8');
}

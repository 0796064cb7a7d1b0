import { randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import type { ServerFrame } from '../channels/terminal/frames.ts';
import { NanoError } from '../src/errors.ts';
import { printable } from '../src/log/printable.ts';
import { pathsFor } from '../src/paths.ts';
import { createCards, NO_OPTION } from './chat-cards.ts';
import { type ChatConnection, openChat, type Part, refusedError } from './chat-connection.ts';
import { ENDS, type End, editedText, type Said, saidText, troubleText } from './chat-text.ts';
import { createTurn } from './chat-turn.ts';
import type { ClientContext } from './definition.ts';
import { paint } from './screen.ts';

/** Stands below a card that can be answered. */
export const HOW = 'Choose by its number, in the same chat: `ncl chat --press 1`';

/**
 * Sends one message; the answer goes to stdout, what is said on the way to stderr, and so does at last what else was said
 * there: it may have waited for us, and is shown to nobody again. Returns the exit status.
 */
export async function sendOnce(
  context: ClientContext,
  part: Part,
  text: string,
  timeoutMs: number,
  files: readonly string[] = [],
): Promise<number> {
  const { screen, json } = context;
  const ended = Promise.withResolvers<End>();
  const id = randomUUID();
  const turn = createTurn(id);
  const cards = createCards();
  const others = new Map<string, Said>();
  const onFrame = (frame: ServerFrame): void => {
    if ('thread' in frame && frame.thread !== part.thread) {
      if (frame.type === 'message') others.set(frame.id, frame);
      return;
    }
    cards.see(frame);
    for (const { answer, other, aside, progress, refused, end } of turn(frame)) {
      if (other) others.set(other.id, other);
      if (answer) others.delete(answer.id);
      if (!json && progress !== undefined) screen.err(paint(screen, 'dim', printable(progress)));
      if (!json && aside) {
        const { thread } = part;
        const isEdit = aside.type === 'edited';
        screen.err(isEdit ? editedText(aside, thread, cards.get(aside.id)) : saidText(aside, thread, HOW));
      }
      if (!json && answer) screen.out(saidText(answer, part.thread, HOW));
      if (refused) ended.reject(refusedError(refused));
      if (end) ended.resolve(end);
    }
  };
  try {
    return await connected(context, part, { timeoutMs, about: id, onFrame }, async (connection) => {
      connection.say(text, id, files);
      const { status, note } = ENDS[await Promise.race([ended.promise, connection.lost])];
      if (note && !json) screen.err(note);
      return status;
    });
  } finally {
    if (!json && others.size > 0) {
      screen.err(paint(screen, 'dim', 'Also said there:'));
      for (const other of others.values()) screen.err(saidText(other, part.thread, HOW));
    }
  }
}

/** Chooses an option of the newest card in the chat. Returns the exit status. */
export async function pressOnce(
  context: ClientContext,
  part: Part,
  option: number,
  timeoutMs: number,
): Promise<number> {
  const { screen, json } = context;
  const pressed = Promise.withResolvers<PressedFrame>();
  const id = randomUUID();
  const cards = createCards();
  let lastSeen = performance.now();
  const onFrame = (frame: ServerFrame): void => {
    lastSeen = performance.now();
    cards.see(frame);
    if (frame.type === 'pressed' && frame.id === id) pressed.resolve(frame);
    if (frame.type === 'refused' && frame.id === id) pressed.reject(refusedError(frame));
  };
  return connected(context, part, { timeoutMs, about: id, onFrame }, async (connection) => {
    await Promise.race([connection.ready, connection.lost]);
    // What waited for somebody to look comes only now: the newest card may be the last of it.
    const latest = performance.now() + LONGEST_COMING_MS;
    while (performance.now() < Math.min(lastSeen + QUIET_MS, latest)) await wait(QUIET_MS / 10);
    const choice = cards.choose(option);
    if (!choice) throw new NanoError('NC_NOT_FOUND', NO_OPTION);
    const what = `Pressing [${option}] ${choice.button.label}, of: ${choice.card.title}`;
    if (!json) screen.err(paint(screen, 'dim', printable(what)));
    connection.press(choice.card, choice.button.data, id);
    const { text, refused } = await Promise.race([pressed.promise, connection.lost]);
    if (!json) (refused ? screen.err : screen.out)(printable(refused ? `Refused: ${text}` : text));
    return refused ? 1 : 0;
  });
}

type PressedFrame = Extract<ServerFrame, { type: 'pressed' }>;

const QUIET_MS = 300;
const LONGEST_COMING_MS = 3000;

interface Call {
  timeoutMs: number;
  /** The id of what is sent. */
  about: string;
  onFrame(frame: ServerFrame): void;
}

async function connected(
  context: ClientContext,
  part: Part,
  { timeoutMs, about, onFrame }: Call,
  talk: (connection: ChatConnection) => Promise<number>,
): Promise<number> {
  const { screen, json } = context;
  const show = (frame: ServerFrame): void => {
    if (json) screen.out(JSON.stringify(frame));
    onFrame(frame);
  };
  const connection = await openChat(pathsFor(context.home).cliSocket, part, show, async (trouble) => {
    if (!json) screen.err(await troubleText(context, trouble));
  });
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => late.reject(new NanoError('NC_TIMEOUT', `\`ncl trace ${about}\` shows how far it came.`)),
    timeoutMs,
  );
  try {
    return await Promise.race([talk(connection), late.promise]);
  } finally {
    clearTimeout(timer);
    connection.close();
  }
}

export async function readInput(): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks).toString('utf8');
}

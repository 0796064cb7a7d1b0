import { randomUUID } from 'node:crypto';
import { clearScreenDown, createInterface, cursorTo, type Interface, moveCursor } from 'node:readline';
import type { ServerFrame } from '../channels/terminal/frames.ts';
import { printable } from '../src/log/printable.ts';
import { pathsFor } from '../src/paths.ts';
import { createCards, NO_OPTION, optionIn } from './chat-cards.ts';
import { openChat, type Part } from './chat-connection.ts';
import { ENDS, editedText, saidText, troubleText } from './chat-text.ts';
import type { ClientContext } from './definition.ts';
import { paint } from './screen.ts';

const LEAVE = /^\s*\/(quit|exit)\s*$/i;
const HOW = 'Choose by its number: !1';

/** A conversation line by line, from a person or a pipe. Returns the exit status. */
export async function converse(context: ClientContext, part: Part): Promise<number> {
  const { home, screen, json } = context;
  const { stdin: input, stderr: output } = process;
  const tty = input.isTTY === true && output.isTTY === true && !json;
  const open = new Set<string>();
  const cards = createCards();
  const done = Promise.withResolvers<void>();
  let asking = true;
  let lines: Interface | undefined;

  /** Leaves what is half typed, and the prompt, below what is shown. */
  function above(show: () => void): void {
    const rows = tty && asking ? lines?.getCursorPos().rows : undefined;
    if (rows === undefined) {
      show();
      return;
    }
    moveCursor(output, 0, -rows);
    cursorTo(output, 0);
    clearScreenDown(output);
    show();
    // The prompt is drawn anew as many rows further up as it reached before.
    output.write('\n'.repeat(rows));
    lines?.prompt(true);
  }

  function show(frame: ServerFrame): void {
    if (json) screen.out(JSON.stringify(frame));
    else if (frame.type === 'typing') lines?.setPrompt(frame.on ? 'working … > ' : '> ');
    else if (frame.type === 'progress') screen.err(paint(screen, 'dim', printable(frame.text)));
    else if (frame.type === 'message' || frame.type === 'card') screen.out(saidText(frame, part.thread, HOW));
    else if (frame.type === 'edited') screen.out(editedText(frame, part.thread, cards.get(frame.id)));
    else if (frame.type === 'pressed') screen.err(paint(screen, frame.refused ? 'red' : 'dim', printable(frame.text)));
    else if (frame.type === 'accepted' && frame.held) screen.err(ENDS.held.note ?? '');
    else if (frame.type === 'refused') screen.err(paint(screen, 'red', printable(frame.sentence)));
    else if (frame.type === 'settled' && ENDS[frame.outcome].note) screen.err(ENDS[frame.outcome].note ?? '');
  }

  function settle(id: string): void {
    open.delete(id);
    connection.forget(id);
    if (!asking && open.size === 0) done.resolve();
  }

  const connection = await openChat(
    pathsFor(home).cliSocket,
    part,
    (frame) => {
      cards.see(frame);
      above(() => show(frame));
      const isEnd = frame.type === 'settled' || frame.type === 'pressed' || (frame.type === 'accepted' && frame.held);
      if (isEnd) settle(frame.id);
      if (frame.type === 'refused') settle(frame.id ?? [...open][0] ?? '');
    },
    async (trouble) => {
      if (json) return;
      const sentence = await troubleText(context, trouble);
      above(() => screen.err(sentence));
    },
  );
  /** What a line does: a message, or `!1` for an option of the newest card. */
  async function take(text: string): Promise<void> {
    const id = randomUUID();
    open.add(id);
    const option = optionIn(text);
    if (option === undefined) return connection.say(text, id);
    await connection.ready;
    const choice = cards.choose(option);
    if (choice) return connection.press(choice.card, choice.button.data, id);
    above(() => screen.err(paint(screen, 'red', NO_OPTION)));
    settle(id);
  }

  if (tty) screen.err(paint(screen, 'dim', 'Write a line and press Enter; /help shows the commands, /quit leaves.'));
  // Not before there is a connection: its lines come at once, and nobody would take them.
  lines = createInterface({ input, ...(tty && { output }), terminal: tty, prompt: '> ' });
  lines.on('line', (text) => {
    if (tty) lines?.prompt();
    if (LEAVE.test(text)) return lines?.close();
    if (text.trim() !== '') void take(text);
  });
  lines.on('close', () => {
    asking = false;
    // Somebody who leaves does not wait; a script that piped its lines in does.
    if (tty || open.size === 0) done.resolve();
  });
  if (tty) lines.prompt();
  try {
    await Promise.race([done.promise, connection.lost]);
    return 0;
  } finally {
    connection.close();
    lines.close();
    // A pipe that stays open would keep us here after /quit.
    input.destroy();
    if (tty) screen.err('');
  }
}

import { randomUUID } from 'node:crypto';
import { createInterface } from 'node:readline';
import { printable } from '../log/printable.ts';
import { pathsFor } from '../paths.ts';
import { openChat } from './chat-connection.ts';
import { ENDS, messageText } from './chat-text.ts';
import type { ClientContext } from './definition.ts';
import { paint } from './screen.ts';

/** A conversation line by line, from a person or a pipe. Returns the exit status. */
export async function converse({ home, screen, json }: ClientContext): Promise<number> {
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
  const connection = await openChat(pathsFor(home).cliSocket, (frame) => {
    if (json) screen.out(JSON.stringify(frame));
    else if (frame.type === 'progress') screen.err(paint(screen, 'dim', printable(frame.text)));
    else if (frame.type === 'message') screen.out(messageText(frame));
    else if (frame.type === 'refused') screen.err(paint(screen, 'red', printable(frame.sentence)));
    else if (frame.type === 'settled' && ENDS[frame.outcome].note) screen.err(ENDS[frame.outcome].note ?? '');
    if (frame.type === 'settled') settle(frame.id);
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

import { flushCompileCache } from 'node:module';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as pause, setImmediate as turn } from 'node:timers/promises';
import { z } from 'zod';
import { errorText } from '../../../src/errors.ts';
import { dropIndex, isBroken, openIndex } from './file.ts';
import { createFind, type Found, Question } from './find.ts';
import { createTakeIn } from './take-in.ts';

/**
 * The process that keeps the index and searches in it, so that neither costs the host's event loop or its memory anything. It
 * ends when the host does.
 */

const Ask = z.object({ id: z.number(), question: Question.optional() });

/** Reading what is new before an answer; who asks waits no longer. */
const CATCH_UP_MS = 15_000;
const PAUSE_MS = 10;

const [centralFile = '', indexFile = ''] = process.argv.slice(2);

function open() {
  using made = new DisposableStack();
  const central = made.use(new DatabaseSync(centralFile, { readOnly: true, timeout: 1_000 }));
  const index = made.use(openIndex(indexFile));
  const takeIn = createTakeIn(central, index);
  const find = createFind(central, index);
  const both = made.move();
  return { takeIn, find, [Symbol.dispose]: () => both.dispose() };
}

let parts: ReturnType<typeof open> | undefined;
const use = () => (parts ??= open());

/** An index that turns out to be broken is made anew, once. */
async function withParts<T>(work: () => T | Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!isBroken(error)) throw error;
    parts?.[Symbol.dispose]();
    parts = undefined;
    dropIndex(indexFile);
    return await work();
  }
}

/** `behind`: there is still too much to read. Several at once read on together, each for as long as it may wait. */
async function search(question: Question): Promise<{ found: Found } | { behind: true }> {
  for (const end = performance.now() + CATCH_UP_MS; performance.now() < end; await turn()) {
    if (use().takeIn.step()) return { found: use().find(question) };
  }
  return { behind: true };
}

/** With pauses: nobody waits. */
async function catchUp(): Promise<object> {
  while (!use().takeIn.step()) await pause(PAUSE_MS);
  while (!use().takeIn.tidy(Date.now())) await pause(PAUSE_MS);
  return {};
}

process.on('message', (message) => {
  const { id, question } = Ask.parse(message);
  withParts<object>(() => (question ? search(question) : catchUp()))
    .catch((error: unknown) => ({ problem: errorText(error) }))
    .then((said) => process.send?.({ id, ...parts?.takeIn.state(), ...said }))
    // It would be written at an end, and this process is ended.
    .finally(flushCompileCache);
});
process.on('disconnect', () => process.exit());

import { DatabaseSync } from 'node:sqlite';
import { setTimeout as pause, setImmediate as turn } from 'node:timers/promises';
import { z } from 'zod';
import { sqliteCode } from '../../../src/db/connection.ts';
import { errorText } from '../../../src/errors.ts';
import { dropIndex, openIndex } from './file.ts';
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
/** SQLITE_CORRUPT, SQLITE_NOTADB. */
const BROKEN: readonly number[] = [11, 26];

const [centralFile = '', indexFile = ''] = process.argv.slice(2);

function open() {
  const central = new DatabaseSync(centralFile, { readOnly: true, timeout: 1_000 });
  const index = openIndex(indexFile);
  const takeIn = createTakeIn(central, index);
  const find = createFind(central, index);
  return {
    takeIn,
    find,
    [Symbol.dispose]() {
      index.close();
      central.close();
    },
  };
}

let parts = open();

/** An index that turns out to be broken is made anew, once. */
async function withParts<T>(work: () => T | Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!BROKEN.includes(sqliteCode(error) ?? 0)) throw error;
    parts[Symbol.dispose]();
    dropIndex(indexFile);
    parts = open();
    return await work();
  }
}

/** `behind`: there is still too much to read. */
async function search(question: Question): Promise<{ found: Found } | { behind: true }> {
  const end = performance.now() + CATCH_UP_MS;
  while (!parts.takeIn.step()) if (performance.now() > end) return { behind: true };
  return { found: parts.find(question) };
}

/** With pauses: nobody waits. */
async function catchUp(): Promise<object> {
  while (!parts.takeIn.step()) await pause(PAUSE_MS);
  await turn();
  parts.takeIn.tidy(Date.now());
  return {};
}

process.on('message', (message) => {
  const { id, question } = Ask.parse(message);
  withParts<object>(() => (question ? search(question) : catchUp()))
    .catch((error: unknown) => ({ problem: errorText(error) }))
    .then((said) => process.send?.({ id, changes: parts.takeIn.changes(), ...said }));
});
process.on('disconnect', () => process.exit());
process.send?.({ ready: true });

/**
 * The reader process: a question a line on stdin, an answer a line on stdout, one at a time. It has no secrets, no
 * environment and no state, so that it can be killed at any moment. It ends with its stdin.
 */
import { flushCompileCache } from 'node:module';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { MAX_OUTBOUND_BYTES } from '@nanoclaw/protocol/limits.ts';
import { takeSnapshot } from '@nanoclaw/protocol/snapshot.ts';
import { recoverSnapshot } from './recover.ts';
import { readTables } from './tables.ts';

const SQLITE_NOMEM = 7;
const SQLITE_FULL = 13;

const privateFolder = process.argv[2] ?? '';

function answer(box: string, afterSeq: number, recover: boolean): unknown {
  const file = join(box, 'outbound.db');
  try {
    const found = recover ? recoverSnapshot(file, privateFolder) : takeSnapshot(file, MAX_OUTBOUND_BYTES);
    if (found.status !== 'ok') return found;
    // A dead sandbox's file is the next one's to write: what it could not write to must not come back to it.
    const snapshot = readTables(found.bytes, afterSeq, { whole: recover });
    return snapshot ? { status: 'ok', snapshot } : { status: 'absent' };
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    if (!isOurs(error)) return { status: 'hostile', reason: text.slice(0, 200) };
    console.error(text);
    return { status: 'busy' };
  }
}

/** A full disk or want of memory here must not be held against the session. */
function isOurs(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if ('syscall' in error) return true;
  return 'errcode' in error && (error.errcode === SQLITE_NOMEM || error.errcode === SQLITE_FULL);
}

createInterface({ input: process.stdin }).on('line', (line) => {
  const question: { box: string; afterSeq: number; recover: boolean } = JSON.parse(line);
  const { box, afterSeq, recover } = question;
  process.stdout.write(`${JSON.stringify(answer(box, afterSeq, recover))}\n`);
});
process.stdout.write('ready\n');
// It ends by a signal, which would leave nothing for the next start.
flushCompileCache();

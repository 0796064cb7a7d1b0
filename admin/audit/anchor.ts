import { closeSync, existsSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';
import { z } from 'zod';
import { GENESIS, LOG_BROKEN } from '../../src/audit/chain.ts';
import { createAudit } from '../../src/audit/index.ts';
import { transaction } from '../../src/db/group-commit.ts';
import { errorText } from '../../src/errors.ts';
import type { Logger } from '../../src/log/index.ts';

/**
 * The newest row's number and hash in a file beside the database: rows that were cut off at the end leave the chain whole, and
 * this finds them. Written after commits, from what was committed, so that it may lag after a crash and never leads.
 */

export const Head = z.object({ seq: z.int().nonnegative(), hash: z.string() });
export type Head = z.infer<typeof Head>;

export interface Anchor {
  /** After the transaction that is under way, and what else comes within a moment. */
  soon(): void;
  /**
   * Now; outside of a transaction. When the log isn't the one that was noted last, that gets into the log first: a new anchor
   * would cover it up. Never throws.
   */
  write(): void;
  /** A sentence for the owner, when that was found. */
  problem(): string | undefined;
}

const SOON_MS = 100;
const AUDIT_LOG = 'audit-log';

/** Looks at once. Without a `log`, what can't be noted is left to the next start of a host. */
export function createAnchor(db: DatabaseSync, file: string, log?: Logger): Anchor {
  const audit = createAudit(db);
  const bySeq = db.prepare('SELECT hash FROM audit_log WHERE seq = ?');
  const gone = db.prepare(
    'SELECT 1 FROM audit_segments WHERE dropped_at IS NOT NULL AND ? BETWEEN first_seq AND last_seq',
  );
  const found = db.prepare('SELECT at FROM audit_log WHERE subject = ? AND action = ? LIMIT 1');
  let timer: NodeJS.Timeout | undefined;

  function holds({ seq, hash }: Head): boolean {
    const row = bySeq.get(seq);
    return row ? row.hash === hash : seq === 0 || gone.get(seq) !== undefined;
  }

  function write(): void {
    clearTimeout(timer);
    timer = undefined;
    try {
      const noted = readHead(file);
      const head = headOf(db);
      if (noted?.seq === head.seq && noted.hash === head.hash) return;
      if (noted ? !holds(noted) : head.seq > 0) {
        const what = { noted: noted ?? null, found: head };
        log?.error('the audit log is not the one that was written: ncl audit verify', what);
        const entry = { actor: 'host', action: LOG_BROKEN, subject: AUDIT_LOG, detail: what };
        transaction(db, () => audit.record(entry, Date.now()));
      }
      // What is in there is committed; and under its lock no other process writes the file.
      transaction(db, () => writeHead(file, headOf(db)));
    } catch (error) {
      log?.warn('the head of the audit log was not noted', { error: errorText(error) });
    }
  }

  write();
  return {
    soon() {
      timer ??= setTimeout(write, SOON_MS);
    },
    write,
    problem() {
      const row = found.get(AUDIT_LOG, LOG_BROKEN);
      return row && `On ${row.at} the audit log was not the one that was written: see \`ncl audit verify\`.`;
    },
  };
}

/** Of the log as it is. */
export function headOf(db: DatabaseSync): Head {
  const row = db.prepare('SELECT seq, hash FROM audit_log ORDER BY seq DESC LIMIT 1').get();
  return row ? { seq: Number(row.seq), hash: String(row.hash) } : { seq: 0, hash: GENESIS };
}

/** Undefined: there is none, or it is none of ours. Throws what the file system says. */
export function readHead(file: string): Head | undefined {
  if (!existsSync(file)) return undefined;
  const text = readFileSync(file, 'utf8');
  try {
    return Head.safeParse(JSON.parse(text)).data;
  } catch {
    // No JSON.
    return undefined;
  }
}

/** By a rename, and on the disk before it: what is there is always whole. */
export function writeHead(file: string, head: Head): void {
  const part = `${file}.part`;
  const fd = openSync(part, 'w', 0o600);
  try {
    writeSync(fd, `${JSON.stringify(head)}\n`);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
  renameSync(part, file);
}

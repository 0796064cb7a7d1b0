import type { DatabaseSync } from 'node:sqlite';
import type { Audit } from '../../src/audit/index.ts';
import { transaction } from '../../src/db/group-commit.ts';
import type { Session } from '../../src/db/sessions.ts';
import type { ErrorCode } from '../../src/errors.ts';
import type { Logger } from '../../src/log/index.ts';

/** What agents asked for in vain, in the audit log: each attempt, and of a flood the number. */

export interface Refusals {
  note(session: Session, argv: readonly string[], code: ErrorCode): void;
  /** One of too many at once. */
  count(session: Session): void;
  /** Writes what was only counted. */
  flush(): void;
}

/** Rows for one agent group in one window. */
const ROWS = 200;
const WINDOW_MS = 600_000;
const SHOWN = 500;

interface Window {
  rows: number;
  /** Not written down one by one. */
  more: number;
  timer: NodeJS.Timeout;
}

export function createRefusals({ db, audit, log }: { db: DatabaseSync; audit: Audit; log: Logger }): Refusals {
  const windows = new Map<string, Window>();

  function record(agentGroupId: string, subject: string, detail: Readonly<Record<string, unknown>>): void {
    const entry = { actor: `agent:${agentGroupId}`, action: 'ncl.refused', subject, detail };
    try {
      transaction(db, () => audit.record(entry, Date.now()));
    } catch (error) {
      // The refusal itself stands.
      log.error('a refusal was not written down', { agent: agentGroupId, ...detail, error });
    }
  }

  function end(agentGroupId: string): void {
    const window = windows.get(agentGroupId);
    windows.delete(agentGroupId);
    clearTimeout(window?.timer);
    if (window && window.more > 0) record(agentGroupId, agentGroupId, { more: window.more });
  }

  function windowOf(agentGroupId: string): Window {
    const found = windows.get(agentGroupId);
    if (found) return found;
    const window = { rows: 0, more: 0, timer: setTimeout(() => end(agentGroupId), WINDOW_MS).unref() };
    windows.set(agentGroupId, window);
    return window;
  }

  return {
    note({ id, agentGroupId }, argv, code) {
      const window = windowOf(agentGroupId);
      window.rows += 1;
      if (window.rows > ROWS) window.more += 1;
      else record(agentGroupId, id, { command: argv.join(' ').slice(0, SHOWN), code });
    },
    count({ agentGroupId }) {
      windowOf(agentGroupId).more += 1;
    },
    flush() {
      for (const agentGroupId of [...windows.keys()]) end(agentGroupId);
    },
  };
}

import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { upgradeOutbound } from '@nanoclaw/protocol';

/** Boxes as a sandbox leaves them, for the tests of this folder. */
export interface Boxes {
  readonly root: string;
  /** A new, empty box. */
  make(): string;
  remove(): void;
}

export function createBoxes(): Boxes {
  const root = mkdtempSync(join(tmpdir(), 'nanoclaw-mailbox-'));
  let count = 0;
  return {
    root,
    make() {
      const box = join(root, `s${++count}`, 'box');
      mkdirSync(box, { recursive: true });
      return box;
    },
    remove: () => rmSync(root, { recursive: true, force: true }),
  };
}

export const TIME = '2026-01-01T00:00:00.000Z';

/** The runner's own file, open for writing. */
export function openBox(box: string): DatabaseSync {
  const db = new DatabaseSync(join(box, 'outbound.db'), { timeout: 30_000 });
  upgradeOutbound(db);
  return db;
}

export function say(db: DatabaseSync, id: string | null, seq: number | bigint, content = '{"text":"hello"}'): void {
  db.prepare('INSERT INTO messages_out (id, seq, timestamp, kind, content) VALUES (?, ?, ?, ?, ?)').run(
    id,
    seq,
    TIME,
    'chat',
    content,
  );
}
